"""A monitor chosen in a search box: labels that name one monitor of a project, and what a text may mean."""

import re
from uuid import UUID

from sqlalchemy import func, select

from models.tables import Monitor
from web.features.monitors.search import mentions
from web.http.extensions import db
from web.ui.fields import one_line

#: What a search box offers at most.
_OFFERED = 20
_WITH_ID = re.compile(r".*\[([0-9a-fA-F-]{36})\]", re.DOTALL)


def label_of(project_id: UUID, monitor_id: str) -> str:
    """Return the monitor's name, with its id where the name alone does not lead back to it."""
    query = select(Monitor.name).where(Monitor.id == UUID(monitor_id), Monitor.project_id == project_id)
    name = db.session.scalar(query)
    if name is None:
        return monitor_id
    return name if id_of(project_id, one_line(name).strip()) == monitor_id else f"{name} [{monitor_id}]"


def id_of(project_id: UUID, text: str) -> str | None:
    """Return the id of the monitor that `text` means: its name, its id, or a label with its id; None if it is not clear."""
    own = select(Monitor.id).where(Monitor.project_id == project_id)
    named = db.session.scalars(own.where(Monitor.name == text).limit(2)).all()
    if len(named) == 1:
        return str(named[0])
    found = _WITH_ID.fullmatch(text)
    try:
        wanted = UUID(found[1] if found else text)
    except ValueError:
        return None
    known = db.session.scalar(own.where(Monitor.id == wanted))
    return str(known) if known else None


def offered(project_id: UUID, words: str) -> list[str]:
    """Return the labels of the monitors that `words` finds, by name."""
    query = select(Monitor.id).where(Monitor.project_id == project_id)
    if words.strip():
        query = query.where(mentions(words.strip()))
    found = db.session.scalars(query.order_by(func.lower(Monitor.name), Monitor.id).limit(_OFFERED))
    return [label_of(project_id, str(one)) for one in found]
