"""Which provider may stand in for which: one of the same project, and never round in a circle."""

from uuid import UUID

from sqlalchemy import select

from models.tables import NotificationProvider
from web.http.auth import Caller
from web.http.errors import invalid
from web.http.extensions import db

_FIELD = "fallbackProviderId"


def check(who: Caller, provider_id: UUID | None, fallback_id: UUID | None) -> None:
    """Raise a 422 `Problem` if `fallback_id` cannot be the fallback of `provider_id` (None: a new provider).

    Two simultaneous changes can still create a cycle. It does no harm: no recipient gets the same alert twice.
    """
    if fallback_id is None:
        return
    rows = db.session.execute(
        select(NotificationProvider.id, NotificationProvider.fallback_provider_id).where(
            NotificationProvider.project_id == who.project_id
        )
    )
    after: dict[UUID, UUID | None] = {row[0]: row[1] for row in rows}
    if fallback_id not in after:
        raise invalid({_FIELD: "There is no such notification provider."})
    if fallback_id == provider_id:
        raise invalid({_FIELD: "A provider cannot stand in for itself."})
    seen: set[UUID] = set()
    one: UUID | None = fallback_id
    while one is not None and one not in seen:
        seen.add(one)
        one = after.get(one)
        if one is not None and one == provider_id:
            raise invalid({_FIELD: "These providers would stand in for one another in a circle."})


def candidates(who: Caller, provider_id: UUID | None) -> list[tuple[UUID, str]]:
    """(id, name) of every provider that might be named, by name."""
    rows = db.session.execute(
        select(NotificationProvider.id, NotificationProvider.name)
        .where(NotificationProvider.project_id == who.project_id, NotificationProvider.id != provider_id)
        .order_by(NotificationProvider.name, NotificationProvider.id)
    )
    return [(row[0], row[1]) for row in rows]
