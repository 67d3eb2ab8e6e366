"""`supercheck locations`: the same rules as on the page. Running processes learn of a change within ten seconds."""

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
    """One line for each location, the order as it counts."""
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
    """Add it; the sentence that says so. Raises `Problem`."""
    _change(config, lambda db: locations.add(db, code, name), "location.created", code=code, name=name)
    return f"{code} is added. Its checks wait in the queue monitor-execution.{code}."


def rename(config: Settings, code: str, name: str) -> str:
    """Give it another name. Raises `Problem`."""
    _change(config, lambda db: locations.rename(db, code, name), "location.changed", code=code, name=name)
    return f"{code} is called {name} now."


def switch(config: Settings, code: str, *, enabled: bool) -> str:
    """Switch it on or off. Raises `Problem`."""
    _change(
        config,
        lambda db: locations.set_enabled(db, code, enabled=enabled),
        "location.changed",
        code=code,
        enabled=enabled,
    )
    return f"{code} is switched {'on' if enabled else 'off'}."


def make_default(config: Settings, code: str) -> str:
    """Check monitors without locations of their own from there. Raises `Problem`."""
    _change(config, lambda db: locations.make_default(db, code), "location.changed", code=code, default=True)
    return f"{code} is the default location now."


def remove(config: Settings, code: str) -> str:
    """Remove it where nothing names it. Raises `Problem`."""
    configured = {spec.code for spec in config.locations}
    _change(config, lambda db: locations.remove(db, code, configured), "location.deleted", code=code)
    return f"{code} is removed."


def _change(config: Settings, action: Callable[[Session], object], event: str, **details: object) -> None:
    with session(config) as db:
        try:
            action(db)
        except LocationError as error:
            raise Problem(str(error)) from None
        trail.record_for_all(db, event, "location", **details)
        db.commit()
