"""Tags of monitors. A tag exists while a monitor has it."""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, select, update

from models.tables import MaintenanceWindow, Monitor
from web.features.monitors.schemas import MAX_TAGS
from web.http.auth import Caller
from web.http.errors import invalid, not_found
from web.http.extensions import db
from web.services import audit_events


def count_of(caller: Caller, name: str) -> int:
    """Return how many monitors of the project have the tag."""
    tagged = select(func.count()).where(Monitor.project_id == caller.project_id, Monitor.tags.contains([name]))
    return db.session.scalar(tagged) or 0


def add(caller: Caller, name: str, monitor_ids: list[UUID]) -> int:
    """Add the tag to these monitors. Return how many have it then.

    Raise a 422 `Problem` if a monitor does not exist or has too many tags.
    """
    wanted = set(monitor_ids)
    own = (Monitor.project_id == caller.project_id, Monitor.id.in_(wanted))
    found = db.session.execute(_locked(*own).add_columns(Monitor.tags)).all()
    if len(found) < len(wanted):
        raise invalid({"monitorIds": "A monitor does not exist."})
    if any(name not in tags and len(tags) >= MAX_TAGS for _, tags in found):
        raise invalid({"monitorIds": f"A monitor already has {MAX_TAGS} tags."})
    db.session.execute(
        update(Monitor)
        .where(*own, ~Monitor.tags.contains([name]))
        .values(tags=func.array_append(Monitor.tags, name), version=Monitor.version + 1)
        .execution_options(synchronize_session=False)
    )
    audit_events.record(caller, "tag.added", "tag", None, name=name, monitors=len(wanted))
    return count_of(caller, name)


def rename(caller: Caller, old: str, new: str) -> int:
    """Rename the tag on every monitor. Return how many have it then. Raise a 404 `Problem` if there is no such tag."""
    if not count_of(caller, old):
        raise not_found("tag")
    renamed = case(
        (Monitor.tags.contains([new]), func.array_remove(Monitor.tags, old)),
        else_=func.array_replace(Monitor.tags, old, new),
    )
    if new != old:
        _rewrite(caller, old, renamed)
        # Maintenance windows of the tag are renamed too.
        db.session.execute(
            update(MaintenanceWindow)
            .where(MaintenanceWindow.project_id == caller.project_id, MaintenanceWindow.tag == old)
            .values(tag=new)
            .execution_options(synchronize_session=False)
        )
    audit_events.record(caller, "tag.renamed", "tag", None, name=old, to=new)
    return count_of(caller, new)


def remove(caller: Caller, name: str) -> None:
    """Remove the tag from every monitor. Raise a 404 `Problem` if there is no such tag."""
    if not count_of(caller, name):
        raise not_found("tag")
    _rewrite(caller, name, func.array_remove(Monitor.tags, name))
    audit_events.record(caller, "tag.removed", "tag", None, name=name)


def _locked(*conditions: ColumnElement[bool]) -> Select[UUID]:
    """Select the ids of the monitors, locked in one order, so that two bulk changes do not deadlock."""
    return select(Monitor.id).where(*conditions).order_by(Monitor.id).with_for_update(key_share=True)


def _rewrite(caller: Caller, name: str, tags: object) -> None:
    tagged = (Monitor.project_id == caller.project_id, Monitor.tags.contains([name]))
    db.session.execute(_locked(*tagged)).all()
    db.session.execute(
        update(Monitor)
        .where(*tagged)
        .values(tags=tags, version=Monitor.version + 1)
        .execution_options(synchronize_session=False)
    )
