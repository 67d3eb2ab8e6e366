"""`supercheck locations`: the same rules as on the page. Running processes notice a change within ten seconds."""

from collections.abc import Callable
from datetime import UTC

from sqlalchemy.orm import Session

from models.rules import locations
from models.rules.locations import LocationError
from models.tables import Location
from ops import trail
from ops.bootstrap import session
from ops.problem import Problem
from settings import Settings


def lines(config: Settings) -> list[str]:
    """Return one line for each location, in their order of precedence."""
    with session(config) as db:
        rows = locations.ordered(db)
        default = locations.default_of(rows)
        width = max((len(row.code) for row in rows), default=0)
        return [
            f"{row.code:<{width}}  {_standing(row.enabled, row.code == default):<7}  {_seen(row)}  {row.name}"
            for row in rows
        ] or ["There is no location yet: run supercheck migrate."]


def _standing(enabled: bool, default: bool) -> str:
    return "default" if default else "on" if enabled else "off"


def _seen(row: Location) -> str:
    if row.last_seen_at is None:
        return "never seen".ljust(25)
    return f"seen {row.last_seen_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def add(config: Settings, code: str, name: str) -> str:
    """Add a location; return a confirmation. Raise `Problem` if the change is not allowed, like the functions below."""
    _change(config, lambda db: locations.add(db, code, name), "location.created", code=code, name=name)
    return f"Location {code} added. Its checks wait in the queue monitor-execution.{code}."


def rename(config: Settings, code: str, name: str) -> str:
    """Rename a location; return a confirmation."""
    _change(config, lambda db: locations.rename(db, code, name), "location.changed", code=code, name=name)
    return f"Location {code} renamed to {name}."


def switch(config: Settings, code: str, *, enabled: bool) -> str:
    """Enable or disable a location; return a confirmation."""
    _change(
        config,
        lambda db: locations.set_enabled(db, code, enabled=enabled),
        "location.changed",
        code=code,
        enabled=enabled,
    )
    return f"Location {code} {'enabled' if enabled else 'disabled'}."


def make_default(config: Settings, code: str) -> str:
    """Make a location the one for monitors that choose none; return a confirmation."""
    _change(config, lambda db: locations.make_default(db, code), "location.changed", code=code, default=True)
    return f"Location {code} is now the default."


def remove(config: Settings, code: str) -> str:
    """Remove a location that nothing uses; return a confirmation."""
    configured = {spec.code for spec in config.locations}
    _change(config, lambda db: locations.remove(db, code, configured), "location.deleted", code=code)
    return f"Location {code} removed."


def _change(config: Settings, action: Callable[[Session], object], event: str, **details: object) -> None:
    with session(config) as db:
        try:
            action(db)
        except LocationError as error:
            raise Problem(str(error)) from None
        trail.record_for_all(db, event, "location", **details)
        db.commit()
