"""What may become of locations: one set of rules for the page, the API and the command line.

Every function works in the caller's transaction and leaves the commit to it. What is refused raises `LocationError`.
"""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

import settings
from models.tables import Location


class LocationError(Exception):
    """A change that is refused; the text is one sentence for people. `missing`: there is no such location."""

    def __init__(self, sentence: str, *, missing: bool = False) -> None:
        super().__init__(sentence)
        self.missing = missing


_NAMING = text("SELECT count(*) FROM monitors WHERE config->'locationConfig'->'locations' ? :code")
_STRANDED = text(
    """
    SELECT count(*) FROM monitors m
    WHERE m.enabled AND (m.config->'locationConfig'->>'enabled')::bool AND m.config->'locationConfig'->'locations' ? :code
      AND NOT EXISTS (SELECT FROM locations l WHERE l.enabled AND m.config->'locationConfig'->'locations' ? l.code)
    """
)


def ordered(session: Session) -> list[Location]:
    """All of them, the default one first; the switched off ones where they stand in the order."""
    return list(session.scalars(select(Location).order_by(Location.position, Location.code)))


def default_of(rows: Collection[Location]) -> str | None:
    """The code of the default among `rows`, which are in their order: the first enabled one."""
    return next((row.code for row in rows if row.enabled), None)


def find(session: Session, code: str) -> Location:
    """One of them, with all of them locked."""
    for row in _locked(session):
        if row.code == code:
            return row
    raise LocationError(f"There is no location {code}.", missing=True)


def add(session: Session, code: str, name: str) -> Location:
    """A new location behind the others, switched on."""
    if not settings.LOCATION_CODE.fullmatch(code):
        raise LocationError("A code has 1 to 32 lower-case letters, digits and hyphens, such as eu-central.")
    rows = _locked(session)
    if any(row.code == code for row in rows):
        raise LocationError(f"There is a location {code} already.")
    if len(rows) >= settings.MAX_LOCATIONS:
        raise LocationError(
            f"There are {len(rows)} locations already, and {settings.MAX_LOCATIONS} is the limit: remove one first."
        )
    last = max((row.position for row in rows), default=-1)
    made = Location(
        code=code, name=name, enabled=True, position=last + 1, last_seen_at=None, created_at=datetime.now(UTC)
    )
    session.add(made)
    session.flush()
    return made


def rename(session: Session, code: str, name: str) -> Location:
    """The location under another name; its code, which results and queues carry, stays for good."""
    row = find(session, code)
    row.name = name
    session.flush()
    return row


def switch(session: Session, code: str, *, enabled: bool) -> Location:
    """The location switched on or off. The last one that is on stays on."""
    row = find(session, code)
    if not enabled and row.enabled and not _others_enabled(session, code):
        raise LocationError(f"{code} is the last location that is switched on: switch another one on first.")
    row.enabled = enabled
    session.flush()
    return row


def make_default(session: Session, code: str) -> Location:
    """The location put before all others: monitors without locations of their own are checked from there."""
    row = find(session, code)
    if not row.enabled:
        raise LocationError(f"{code} is switched off: switch it on first.")
    rest = [one for one in ordered(session) if one.code != code]
    for position, one in enumerate([row, *rest]):
        one.position = position
    session.flush()
    return row


def remove(session: Session, code: str, configured: Collection[str]) -> None:
    """Remove a location that no monitor names. `configured` are the codes of LOCATIONS, which every start adds again."""
    row = find(session, code)
    if code in configured:
        raise LocationError(
            f"{code} is one of LOCATIONS, so the next start would add it again: switch it off, or change LOCATIONS first."
        )
    naming = session.scalar(_NAMING, {"code": code}) or 0
    if naming:
        monitors = "1 monitor names" if naming == 1 else f"{naming} monitors name"
        raise LocationError(f"{monitors} {code}: take it out of there first, or switch the location off.")
    if row.enabled and not _others_enabled(session, code):
        raise LocationError(f"{code} is the last location that is switched on: switch another one on first.")
    session.delete(row)
    session.flush()


def stranded(session: Session, code: str) -> int:
    """How many running monitors name `code` and no location that is switched on: they are not checked."""
    return session.scalar(_STRANDED, {"code": code}) or 0


def _locked(session: Session) -> list[Location]:
    """All rows, locked in one order, so that two changes at once cannot switch off the last two."""
    return list(session.scalars(select(Location).order_by(Location.code).with_for_update()))


def _others_enabled(session: Session, code: str) -> int:
    count = select(func.count()).where(Location.enabled, Location.code != code)
    return session.scalar(count.select_from(Location)) or 0
