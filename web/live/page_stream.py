"""The live stream of the pages: checked monitors, changed states and the project's counts, batched for a second.

`GET /api/monitor-status/sse` sends every round in full, for programs. A page needs less: which monitors have a new
round, which changed their state, and how many are in each state.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import structlog
from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from models.tables import Monitor
from web.features.monitors import listing
from web.http.auth import current_caller, find_membership
from web.http.errors import not_found
from web.http.extensions import db
from web.live import streams
from web.live.hub import Event, Stream
from web.ui.access import id_of

log = structlog.get_logger(__name__)

blueprint = Blueprint("changes", __name__)
#: Events within this time are sent as one.
BATCH_SECONDS = 1.0
#: At most this many changes are sent with the monitor's name, the others without.
NAMED_CHANGES = 20


class Counts:
    """The number of monitors in each state per project, shared by all streams of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[UUID, tuple[float, dict[str, int]]] = {}

    def of(self, project_id: UUID, since: float) -> dict[str, int]:
        """Return counts that were read at `since` (`time.monotonic()`) or later. This needs an application context."""
        with self._lock:
            read_at, counts = self._known.get(project_id, (float("-inf"), {}))
            if read_at < since:
                read_at = time.monotonic()
                counts = listing.totals(project_id)
                self._known[project_id] = (read_at, counts)
            return counts


def init_app(app: Flask) -> None:
    """Add the counts to `app`."""
    app.extensions["counts"] = Counts()


@blueprint.get("/live")
def stream() -> Response:
    """The stream, event `live`: `{checked: [id…], changed: [{monitorId, name, status, previousStatus}…], counts}`.

    A change beyond `NAMED_CHANGES` has the `name` null. `counts` is missing if nothing changed. `?project=` names the
    project of the page, which may differ from the session's. Raise a 404 or 503 `Problem` if there is no such project or
    no stream can be opened.
    """
    project_id = _wanted_project()
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the generator outlives this request

    def texts(opened: Stream, still_allowed: Callable[[], bool]) -> Iterator[str]:
        for batch, newest_at in _batches(opened, still_allowed):
            if not batch:
                yield streams.KEEP_ALIVE
                continue
            try:
                with app.app_context():
                    event = _event(project_id, batch, newest_at)
            except SQLAlchemyError as error:
                # The page reconnects and fetches what it missed.
                log.warning("a page stream ends: the database is not reachable", error=type(error).__name__)
                return
            yield str(event)

    return streams.sse.answer(
        streams.status_channel(project_id),
        lambda event: "monitorId" in event.data,
        first=lambda: Event(
            {"checked": [], "changed": [], "counts": _counts(project_id, time.monotonic())}, type="live"
        ),
        texts=texts,
        project=_wanted_project,
    )


def _wanted_project() -> UUID:
    """Return the project in the query, else the session's. Raise a 404 `Problem` if the person may not see it."""
    caller = current_caller()
    text = request.args.get("project")
    if text is None or caller.user_id is None:
        return caller.project_id
    found = find_membership(caller.user_id, id_of(text, "project"))
    if found is None:
        raise not_found("project")
    return found[0].id


def _batches(opened: Stream, still_allowed: Callable[[], bool]) -> Iterator[tuple[list[dict[str, Any]], float]]:
    """Yield batches of the events of `opened`, each with the time of its last event. A keep-alive is an empty batch.

    Stop when `still_allowed`, which is called at each keep-alive, returns False.
    """
    over = time.monotonic() + streams.MAX_STREAM_SECONDS
    checked = time.monotonic()
    while not opened.ended and time.monotonic() < over:
        batch: list[dict[str, Any]] = []
        event = opened.wait(max(0.0, checked + streams.KEEP_ALIVE_SECONDS - time.monotonic()))
        if time.monotonic() >= checked + streams.KEEP_ALIVE_SECONDS:
            if not still_allowed():
                return
            checked = time.monotonic()
        newest_at = began = time.monotonic()
        while event is not None:
            batch.append(event.data)
            newest_at = time.monotonic()
            left = began + BATCH_SECONDS - newest_at
            event = opened.wait(left) if left > 0 else None
        if not opened.ended:
            yield batch, newest_at


def _event(project_id: UUID, batch: list[dict[str, Any]], newest_at: float) -> Event:
    """Return one event for the whole `batch`. If a monitor changed twice, its state before the first change counts."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for data in batch:
        before.setdefault(data["monitorId"], data["previousStatus"])
        after[data["monitorId"]] = data["status"]
    ids = [monitor_id for monitor_id in after if before[monitor_id] != after[monitor_id]]
    if not ids:
        return Event({"checked": list(after), "changed": []}, type="live")
    names = _names(project_id, ids[:NAMED_CHANGES])
    changed = [
        {
            "monitorId": monitor_id,
            "name": names.get(monitor_id),
            "status": after[monitor_id],
            "previousStatus": before[monitor_id],
        }
        for monitor_id in ids
    ]
    return Event(
        {"checked": list(after), "changed": changed, "counts": _counts(project_id, newest_at)},
        type="live",
    )


def _names(project_id: UUID, ids: list[str]) -> dict[str, str]:
    query = select(Monitor.id, Monitor.name).where(Monitor.id.in_(ids), Monitor.project_id == project_id)
    return {str(monitor_id): name for monitor_id, name in db.session.execute(query)}


def _counts(project_id: UUID, since: float) -> dict[str, int]:
    counts: Counts = current_app.extensions["counts"]
    return counts.of(project_id, since)
