"""A monitor chosen in a search box: labels that name one monitor of a project, and what a text may mean."""

import re
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from models.tables import Monitor
from web.features.monitors.search import mentions
from web.http.extensions import db
from web.ui.fields import one_line

#: What a search box offers at most.
_OFFERED = 20
_WITH_ID = re.compile(r".*\[([0-9a-fA-F-]{36})\]", re.DOTALL)


def labels_of(project_id: UUID, monitor_ids: Sequence[str]) -> dict[str, str]:
    """Return {id: label} of the project's monitors: the name, with the id if the name alone does not lead back to it."""
    wanted = [found for one in monitor_ids if (found := _uuid(one)) is not None]
    own = select(Monitor.id, Monitor.name).where(Monitor.project_id == project_id)
    named = {str(row.id): row.name for row in db.session.execute(own.where(Monitor.id.in_(wanted)))}
    typed = {name: one_line(name).strip() for name in named.values()}
    same = select(Monitor.name, func.count()).where(Monitor.project_id == project_id, Monitor.name.in_(typed.values()))
    count = dict(db.session.execute(same.group_by(Monitor.name)).all())
    clear = {name for name, text in typed.items() if name == text and count.get(name) == 1}
    return {one: name if name in clear else f"{name} [{one}]" for one, name in named.items()}


def id_of(project_id: UUID, text: str) -> str | None:
    """Return the id of the monitor that `text` means: its name, its id, or a label with its id; None if it is not clear."""
    own = select(Monitor.id).where(Monitor.project_id == project_id)
    named = db.session.scalars(own.where(Monitor.name == text).limit(2)).all()
    if len(named) == 1:
        return str(named[0])
    found = _WITH_ID.fullmatch(text)
    wanted = _uuid(found[1] if found else text)
    if wanted is None:
        return None
    known = db.session.scalar(own.where(Monitor.id == wanted))
    return str(known) if known else None


def offered(project_id: UUID, words: str) -> list[dict[str, str]]:
    """Return the monitors that `words` finds, by name: `{id, label}` each."""
    query = select(Monitor.id).where(Monitor.project_id == project_id)
    if words.strip():
        query = query.where(mentions(words.strip()))
    found = db.session.scalars(query.order_by(func.lower(Monitor.name), Monitor.id).limit(_OFFERED))
    ids = [str(one) for one in found]
    labels = labels_of(project_id, ids)
    return [{"id": one, "label": labels[one]} for one in ids if one in labels]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
