"""The stream of the pages: what was checked and what changed its state, gathered for a second, with the project's counts.

`GET /api/monitor-status/sse` carries every round in full, for programs. A page needs less: which monitors have a new
round, which changed, and how many there are in each state.
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
#: Events of so long are sent as one.
GATHER_SECONDS = 1.0
#: So many changes are sent with the monitor's name; of the others only the id.
NAMED_CHANGES = 20


class Counts:
    """How many monitors of a project are in each state, for all streams of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[UUID, tuple[float, dict[str, int]]] = {}

    def of(self, project_id: UUID, since: float) -> dict[str, int]:
        """Counts read at `since` (`time.monotonic()`) or later. Needs an application context."""
        with self._lock:
            read_at, counts = self._known.get(project_id, (float("-inf"), {}))
            if read_at < since:
                read_at = time.monotonic()
                counts = listing.totals(project_id)
                self._known[project_id] = (read_at, counts)
            return counts


def init_app(app: Flask) -> None:
    """Give `app` its counts."""
    app.extensions["counts"] = Counts()


@blueprint.get("/live")
def stream() -> Response:
    """The stream, event `live`: `{checked: [id…], changed: [{monitorId, name, status, previousStatus}…], counts}`.

    A change beyond `NAMED_CHANGES` has the `name` null. `counts` is missing if nothing changed. `?project=` names the
    project of the page, which may not be the session's any more. Raises a 404 or 503 `Problem`.
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
                # The page connects again, and finds out by itself what it missed.
                log.warning("a stream of the pages ends: the database is away", error=type(error).__name__)
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
    """The project that the query names, else the session's. Raises a 404 `Problem` if it is not the person's."""
    caller = current_caller()
    text = request.args.get("project")
    if text is None or caller.user_id is None:
        return caller.project_id
    found = find_membership(caller.user_id, id_of(text, "project"))
    if found is None:
        raise not_found("project")
    return found[0].id


def _batches(opened: Stream, still_allowed: Callable[[], bool]) -> Iterator[tuple[list[dict[str, Any]], float]]:
    """Yield what `opened` carries, gathered, and when its newest event came; an empty list if a keep-alive is due.

    End when `still_allowed`, called at each keep-alive interval, returns False.
    """
    over = time.monotonic() + streams.LONGEST_SECONDS
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
            left = began + GATHER_SECONDS - newest_at
            event = opened.wait(left) if left > 0 else None
        if not opened.ended:
            yield batch, newest_at


def _event(project_id: UUID, batch: list[dict[str, Any]], newest_at: float) -> Event:
    """One event for the whole `batch`. If a monitor changed twice, the state before its first change counts."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for data in batch:
        before.setdefault(data["monitorId"], data["previousStatus"])
        after[data["monitorId"]] = data["status"]
    ids = [one for one in after if before[one] != after[one]]
    if not ids:
        return Event({"checked": list(after), "changed": []}, type="live")
    names = _names(project_id, ids[:NAMED_CHANGES])
    changed = [
        {"monitorId": one, "name": names.get(one), "status": after[one], "previousStatus": before[one]} for one in ids
    ]
    return Event(
        {"checked": list(after), "changed": changed, "counts": _counts(project_id, newest_at)},
        type="live",
    )


def _names(project_id: UUID, ids: list[str]) -> dict[str, str]:
    query = select(Monitor.id, Monitor.name).where(Monitor.id.in_(ids), Monitor.project_id == project_id)
    return {str(one): name for one, name in db.session.execute(query)}


def _counts(project_id: UUID, since: float) -> dict[str, int]:
    counts: Counts = current_app.extensions["counts"]
    return counts.of(project_id, since)
