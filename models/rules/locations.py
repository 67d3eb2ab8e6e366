"""Changes of locations: one set of rules for the page, the API and the command line.

Every function works in the caller's transaction and does not commit. Refused changes raise `LocationError`.
"""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

import settings
from models.tables import Location


class LocationError(Exception):
    """A refused change, with one sentence for users. `missing` means that the location does not exist."""

    def __init__(self, sentence: str, *, missing: bool = False) -> None:
        super().__init__(sentence)
        self.missing = missing


_COUNT_USES = text("SELECT count(*) FROM monitors WHERE config->'locationConfig'->'locations' ? :code")
_COUNT_STRANDED = text(
    """
    SELECT count(*) FROM monitors m
    WHERE m.enabled AND (m.config->'locationConfig'->>'enabled')::bool AND m.config->'locationConfig'->'locations' ? :code
      AND NOT EXISTS (SELECT FROM locations l WHERE l.enabled AND m.config->'locationConfig'->'locations' ? l.code)
    """
)


def ordered(session: Session) -> list[Location]:
    """Return all locations by position, including disabled ones. The first enabled one is the default."""
    return list(session.scalars(select(Location).order_by(Location.position, Location.code)))


def default_of(rows: Collection[Location]) -> str | None:
    """Return the code of the default location, the first enabled one of `rows`, which are ordered by position."""
    return next((row.code for row in rows if row.enabled), None)


def find(session: Session, code: str) -> Location:
    """Return one location, with all locations locked."""
    for row in _locked(session):
        if row.code == code:
            return row
    raise LocationError(f"Location {code} does not exist.", missing=True)


def add(session: Session, code: str, name: str) -> Location:
    """Add an enabled location after the others."""
    if not settings.LOCATION_CODE.fullmatch(code):
        raise LocationError("A code consists of 1 to 32 lower-case letters, digits and hyphens, such as eu-central.")
    rows = _locked(session)
    if any(row.code == code for row in rows):
        raise LocationError(f"Location {code} already exists.")
    if len(rows) >= settings.MAX_LOCATIONS:
        raise LocationError(
            f"There are {len(rows)} locations, and {settings.MAX_LOCATIONS} is the limit. Delete one first."
        )
    last = max((row.position for row in rows), default=-1)
    row = Location(
        code=code, name=name, enabled=True, position=last + 1, last_seen_at=None, created_at=datetime.now(UTC)
    )
    session.add(row)
    session.flush()
    return row


def rename(session: Session, code: str, name: str) -> Location:
    """Rename a location. Its code never changes, because results and queues carry it."""
    row = find(session, code)
    row.name = name
    session.flush()
    return row


def set_enabled(session: Session, code: str, *, enabled: bool) -> Location:
    """Enable or disable a location. The last enabled one cannot be disabled."""
    row = find(session, code)
    if not enabled and row.enabled and not _others_enabled(session, code):
        raise LocationError(f"{code} is the last enabled location. Enable another one first.")
    row.enabled = enabled
    session.flush()
    return row


def make_default(session: Session, code: str) -> Location:
    """Move a location to the first position: monitors without locations of their own are checked from there."""
    row = find(session, code)
    if not row.enabled:
        raise LocationError(f"{code} is disabled. Enable it first.")
    others = [location for location in ordered(session) if location.code != code]
    for position, location in enumerate([row, *others]):
        location.position = position
    session.flush()
    return row


def remove(session: Session, code: str, configured: Collection[str]) -> None:
    """Delete a location that no monitor uses. `configured` are the codes of LOCATIONS, which every start creates again."""
    row = find(session, code)
    if code in configured:
        raise LocationError(
            f"{code} is listed in LOCATIONS, so the next start would create it again. Disable it, or change LOCATIONS first."
        )
    uses = session.scalar(_COUNT_USES, {"code": code}) or 0
    if uses:
        monitors = "1 monitor uses" if uses == 1 else f"{uses} monitors use"
        raise LocationError(f"{monitors} {code}. Change the monitors first, or disable the location.")
    if row.enabled and not _others_enabled(session, code):
        raise LocationError(f"{code} is the last enabled location. Enable another one first.")
    session.delete(row)
    session.flush()


def stranded(session: Session, code: str) -> int:
    """Return how many enabled monitors use `code` and no enabled location. They are not checked."""
    return session.scalar(_COUNT_STRANDED, {"code": code}) or 0


def _locked(session: Session) -> list[Location]:
    """Return all rows, locked in a fixed order, so that two concurrent changes cannot disable the last two."""
    return list(session.scalars(select(Location).order_by(Location.code).with_for_update()))


def _others_enabled(session: Session, code: str) -> int:
    count = select(func.count()).where(Location.enabled, Location.code != code)
    return session.scalar(count.select_from(Location)) or 0
