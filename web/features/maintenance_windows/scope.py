"""Which monitors a maintenance window is for: as requests name them, as rows hold them, and when a monitor is deleted."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, literal, or_, select, text

from models.rules.coverage import holds_for
from models.tables import MaintenanceWindow, MaintenanceWindowMonitor, Monitor
from web.http.auth import Caller
from web.http.errors import invalid
from web.http.extensions import db
from web.services import audit_events

#: How many ids a message names at most.
_NAMED = 3
_M = Monitor.__table__.alias("m")


def as_list(changes: Mapping[str, Any], before: list[str] | None) -> dict[str, Any]:
    """Return `changes` with `monitorIds` in the place of `monitorId`; `before` is the window's list.

    A client may send back a whole window of which it has changed either: the one that differs from the window counts.
    Raise a 422 `Problem` if both differ and do not agree.
    """
    found = dict(changes)
    if isinstance(found.get("monitorIds"), list):
        found["monitorIds"] = _tidy(found["monitorIds"])
    if "monitorId" not in found:
        return found
    one = found.pop("monitorId")
    only = before[0] if before is not None and len(before) == 1 else None
    if "monitorIds" not in found:
        if one != only:
            found["monitorIds"] = None if one is None else _tidy([one])
    elif one != only and found["monitorIds"] != (None if one is None else [one]):
        if found["monitorIds"] != before:
            raise invalid({"monitorId": "Differs from monitorIds: send only one of the two."})
        found["monitorIds"] = None if one is None else _tidy([one])
    return found


def _tidy(ids: list[Any]) -> list[Any]:
    """Each id once, sorted, as the window shows it; what is no id is left to the schema."""
    if not all(isinstance(one, str) for one in ids):
        return ids
    return sorted({one.lower() for one in ids})


def check(who: Caller, ids: list[UUID] | None, tag: str | None, enabled: bool, problems: dict[str, str]) -> None:
    """Add to `problems` what is wrong with the monitors `ids`. Locks them, so that none is deleted before the window is
    saved.
    """
    if ids is None:
        return
    if tag is not None:
        problems["tag"] = "A window is for monitors or for a tag, not both."
    if not ids and enabled:
        problems["monitorIds"] = "Name at least one monitor, or disable the window."
    own = select(Monitor.id).where(Monitor.id.in_(ids), Monitor.project_id == who.project_id).order_by(Monitor.id)
    known = set(db.session.scalars(own.with_for_update(read=True, key_share=True)))
    if unknown := [str(one) for one in ids if one not in known]:
        which = ", ".join(unknown[:_NAMED]) + (" …" if len(unknown) > _NAMED else "")
        words = "There is no such monitor in this project"
        problems["monitorIds"] = f"{words}." if len(ids) == 1 else f"{words}: {which}."


def holding_for(who: Caller, monitor_id: UUID) -> ColumnElement[bool]:
    """Return the condition for windows that hold for the caller's monitor; false if there is none."""
    own = select(Monitor.id).where(Monitor.id == monitor_id, Monitor.project_id == who.project_id)
    if db.session.scalar(own) is None:
        return false()
    condition = text(holds_for(MaintenanceWindow.__tablename__, "m"))
    return select(literal(1)).select_from(_M).where(_M.c.id == monitor_id, condition).exists()


def covered(window: MaintenanceWindow) -> int:
    """Return how many monitors `window` holds for; it need not be saved."""
    listed = window.monitor_ids
    if listed is not None:
        return len(listed)
    row = select(
        literal(window.id).label("id"),
        literal(window.project_id).label("project_id"),
        literal(window.tag, Monitor.name.type).label("tag"),
        false().label("listed"),
        literal(None, Monitor.id.type).label("monitor_id"),
    ).subquery("w")
    found = select(func.count()).select_from(_M).join(row, text(holds_for("w", "m")))
    return db.session.scalar(found) or 0


def names_of(windows: Iterable[MaintenanceWindow]) -> dict[UUID, str]:
    """Return {id: name} of the monitors on the lists of `windows`."""
    wanted = {one for window in windows for one in window.monitor_ids or ()}
    found = db.session.execute(select(Monitor.id, Monitor.name).where(Monitor.id.in_(wanted)))
    return {row.id: row.name for row in found}


def forget(who: Caller, monitor_id: UUID) -> None:
    """Take a monitor that is about to be deleted off the windows. A window whose list becomes empty is disabled."""
    on_list = select(MaintenanceWindowMonitor.window_id).where(MaintenanceWindowMonitor.monitor_id == monitor_id)
    query = (
        select(MaintenanceWindow)
        .where(
            MaintenanceWindow.project_id == who.project_id,
            or_(MaintenanceWindow.id.in_(on_list), MaintenanceWindow.monitor_id == monitor_id),
        )
        .order_by(MaintenanceWindow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for window in db.session.scalars(query).all():
        window.monitor_ids = [one for one in window.monitor_ids or () if one != monitor_id]
        if window.monitor_ids or not window.enabled:
            continue
        window.enabled = False
        window.occurs_from = window.occurs_until = None
        audit_events.record(
            who,
            "maintenance.disabled",
            "maintenance_window",
            window.id,
            name=window.name,
            reason="Its last monitor was deleted.",
        )
    db.session.flush()
