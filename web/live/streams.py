"""Server-sent events: the status of a monitor, of a project's monitors, and of the queues.

Flask-SSE provides the messages and the view. This module adds permissions, one Redis connection for all streams,
keep-alives, limits on open streams, and their end when the process stops.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import redis
from flask import Blueprint, Flask, Response, current_app, request
from flask_sse import ServerSentEventsBlueprint
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

import settings
from models.queries.rounds import LocationResult
from models.tables import Monitor, MonitorResult, MonitorState
from models.tables.monitors import shown_status
from web.http.auth import current_caller
from web.http.errors import Problem, not_found
from web.http.extensions import db, redis_client
from web.live import queue_stats
from web.live.hub import Event, Hub, HubError, Stream, Wants

KEEP_ALIVE_SECONDS = 15.0
#: A stream ends after this time, and the page reconnects.
MAX_STREAM_SECONDS = 900.0
RECONNECT_MS = 3000
KEEP_ALIVE = ": keep-alive\n\n"
RETRY_AFTER_SECONDS = 10
#: A project's snapshot contains at most this many monitors, those that changed last.
SNAPSHOT_MONITORS = 500

_HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    # Without this, nginx holds events back until its buffer is full.
    "X-Accel-Buffering": "no",
}


@dataclass(frozen=True, slots=True)
class Live:
    """The state that an application keeps for its streams."""

    hub: Hub
    watch: queue_stats.Watch

    def stop(self) -> None:
        """End every stream and open no more: a server that stops waits for them."""
        self.watch.stop()
        self.hub.stop()


def live_of(app: Flask) -> Live:
    """Return the streams of `app`."""
    return cast(Live, app.extensions["live"])


def _live() -> Live:
    return live_of(current_app)


class LiveBlueprint(ServerSentEventsBlueprint, Blueprint):  # type: ignore[misc]  # Flask-SSE is untyped
    """Flask-SSE's blueprint, with the process's hub instead of a Redis connection for each stream."""

    @property
    def redis(self) -> "redis.Redis":
        """Return the application's shared client."""
        return redis_client()

    def messages(self, stream: Stream, still_allowed: Callable[[], bool]) -> Iterator[Event | None]:
        """Yield the events of `stream`, and None for a keep-alive.

        Stop when the stream ends, or when `still_allowed`, which is called at each keep-alive, returns False.
        """
        over = time.monotonic() + MAX_STREAM_SECONDS
        checked = time.monotonic()
        while not stream.ended and time.monotonic() < over:
            event = stream.wait(max(0.0, checked + KEEP_ALIVE_SECONDS - time.monotonic()))
            if time.monotonic() >= checked + KEEP_ALIVE_SECONDS:
                if not still_allowed():
                    return
                checked = time.monotonic()
            if not stream.ended:
                yield event

    def stream(self, channel: str, wants: Wants | None = None, *, first: Callable[[], Event]) -> Response:
        """Return a response that streams `channel`. The caller has checked the permission. `first` returns the first event.

        `first` is called after the stream was opened, so that no event is missed in between. Raise a 503 `Problem` if no
        stream can be opened.
        """

        def texts(stream: Stream, still_allowed: Callable[[], bool]) -> Iterator[str]:
            for event in self.messages(stream, still_allowed):
                yield KEEP_ALIVE if event is None else str(event)

        return self.answer(channel, wants, first=first, texts=texts)

    def answer(
        self,
        channel: str,
        wants: Wants | None = None,
        *,
        first: Callable[[], Event],
        texts: Callable[[Stream, Callable[[], bool]], Iterator[str]],
        project: Callable[[], UUID] | None = None,
    ) -> Response:
        """Like `stream`, but `texts` yields what the response sends after the first event.

        `texts` gets the stream and a function that returns whether the caller may still read it. `project` returns the
        project of the request, by default the caller's, and raises a `Problem` if the caller may not see it.
        """
        hub = _live().hub
        try:
            stream = hub.open(channel, wants, _holder())
        except HubError as error:
            raise Problem(503, str(error), headers={"Retry-After": str(RETRY_AFTER_SECONDS)}) from None
        try:
            begin = f"retry: {RECONNECT_MS}\n\n{first()}"
        except BaseException:
            hub.close(stream)
            raise

        still_allowed = _recheck(project or (lambda: current_caller().project_id))

        def text() -> Iterator[str]:
            yield begin
            yield from texts(stream, still_allowed)

        response = Response(text(), mimetype="text/event-stream", headers=_HEADERS)
        response.call_on_close(lambda: hub.close(stream))
        return response


def _holder() -> str:
    """Return the id of the API key or person. The limit of streams applies to each of them."""
    caller = current_caller()
    return str(caller.api_key_id or caller.user_id)


def _recheck(project: Callable[[], UUID]) -> Callable[[], bool]:
    """Return a function that returns, in any thread, whether this request would still be allowed."""
    app, environ, project_id = current_app._get_current_object(), request.environ.copy(), project()  # type: ignore[attr-defined]
    for name in [name for name in environ if name.startswith(("werkzeug.", "flask."))]:
        del environ[name]  # objects that belong to this request

    def still_allowed() -> bool:
        with app.request_context(environ):
            try:
                return project() == project_id
            except Problem:
                return False
            except SQLAlchemyError:
                return True  # the database is not reachable, so the permission is unknown: keep the stream
            finally:
                db.session.remove()

    return still_allowed


sse = LiveBlueprint("live", __name__, url_prefix="/api")


def init_app(app: Flask) -> None:
    """Add the streams to `app`. Threads and connections start with the first stream."""
    hub = Hub(settings.get().redis_url, settings.MAX_STREAMS, settings.MAX_STREAMS_A_CALLER)
    app.extensions["live"] = Live(hub, queue_stats.Watch(hub, app.extensions["redis"]))
    app.register_blueprint(sse)


@sse.get("/monitor-status/sse/<monitor_id>")
def monitor_status(monitor_id: str) -> Response:
    """Stream the status of one monitor: now, then each change."""
    project_id = current_caller().project_id
    known = _of_project(monitor_id, project_id)
    wanted = str(known)
    return sse.stream(
        status_channel(project_id),
        lambda event: bool(event.data.get("monitorId") == wanted),
        first=lambda: _monitor_now(known),
    )


@sse.get("/monitor-status/sse")
def project_status() -> Response:
    """Stream the status of every monitor of the project: a snapshot, then each change."""
    project_id = current_caller().project_id
    return sse.stream(status_channel(project_id), first=lambda: _project_now(project_id))


@sse.get("/queue-stats/sse")
def queues() -> Response:
    """Stream the figures of the queues: now, then every two seconds."""
    current_caller()
    response = sse.stream(queue_stats.CHANNEL, first=_live().watch.event)
    _live().watch.ensure()
    return response


def status_channel(project_id: UUID) -> str:
    """Return the channel on which the pipeline publishes a project's status events."""
    from actors.verdicts import live  # connects at import, which only a process with settings can

    return live.channel(project_id)


def _of_project(text: str, project_id: UUID) -> UUID:
    """Return the id in `text` if it is a monitor of the project. Raise a 404 `Problem` if not."""
    try:
        wanted = UUID(text)
    except ValueError:
        raise not_found("monitor") from None
    monitor_id = db.session.scalar(select(Monitor.id).where(Monitor.id == wanted, Monitor.project_id == project_id))
    if monitor_id is None:
        raise not_found("monitor")
    return monitor_id


def _monitor_now(monitor_id: UUID) -> Event:
    """Return a `status` event with the monitor's state and latest result."""
    monitor, state = db.session.execute(
        select(Monitor, MonitorState)
        .join(MonitorState, MonitorState.monitor_id == Monitor.id)
        .where(Monitor.id == monitor_id)
    ).one()
    newest = db.session.scalar(
        select(MonitorResult)
        .where(MonitorResult.monitor_id == monitor_id)
        .order_by(MonitorResult.scheduled_for.desc())
        .limit(1)
    )
    result = (
        None if newest is None else LocationResult(**{name: getattr(newest, name) for name in LocationResult._fields})
    )
    return _status(monitor, state, result)


def _project_now(project_id: UUID) -> Event:
    """Return a `snapshot` event: `{monitors: [...], total}`, each monitor as in a `status` event without its result."""
    rows = db.session.execute(
        select(Monitor, MonitorState)
        .join(MonitorState, MonitorState.monitor_id == Monitor.id)
        .where(Monitor.project_id == project_id)
        .order_by(MonitorState.last_status_change_at.desc().nulls_last(), Monitor.id)
        .limit(SNAPSHOT_MONITORS)
    ).all()
    total = db.session.scalar(select(func.count()).where(Monitor.project_id == project_id))
    monitors = [_status(monitor, state, None).data for monitor, state in rows]
    return Event({"monitors": monitors, "total": total}, type="snapshot")


def _status(monitor: Monitor, state: MonitorState, result: LocationResult | None) -> Event:
    """Return a `status` event like those of the pipeline. Nothing has changed, so the previous status is the same."""
    from actors.verdicts import live  # connects at import, which only a process with settings can

    status = shown_status(monitor, state)
    now = live.Event(monitor.project_id, monitor.id, status, status, state.last_check_at, state.next_run_at, result)
    return Event(live.wire(now), type="status")
