"""Changes of locations: audit events, and the announcement to the workers. `models.rules.locations` has the rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
import structlog

import settings
from models.rules import locations
from models.rules.locations import LocationError
from models.tables import Location
from web.http import transaction
from web.http.auth import Caller
from web.http.errors import Problem, not_found
from web.http.extensions import db, redis_client
from web.services import audit_events

log = structlog.get_logger()


def add(caller: Caller, code: str, name: str) -> Location:
    """Add an enabled location. Raise a 409 `Problem` if the rules forbid it."""
    with _refusals():
        made = locations.add(db.session(), code, name)
    _changed(caller, "location.created", code, name=name)
    return made


def change(
    caller: Caller, code: str, *, name: str | None = None, enabled: bool | None = None, default: bool | None = None
) -> Location:
    """Change the given properties of the location. Raise a 404 or 409 `Problem` if the rules forbid it."""
    with _refusals():
        row = locations.find(db.session(), code)
        if name is not None:
            locations.rename(db.session(), code, name)
        if enabled is not None:
            locations.set_enabled(db.session(), code, enabled=enabled)
        if default:
            locations.make_default(db.session(), code)
    given = {"name": name, "enabled": enabled, "default": default}
    _changed(caller, "location.changed", code, **{key: value for key, value in given.items() if value is not None})
    return row


def remove(caller: Caller, code: str) -> None:
    """Remove a location that no monitor uses. Raise a 404 or 409 `Problem` if the rules forbid it."""
    with _refusals():
        locations.remove(db.session(), code, {spec.code for spec in settings.get().locations})
    _changed(caller, "location.deleted", code)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except LocationError as error:
        raise (not_found("location") if error.missing else Problem(409, str(error))) from None


def _changed(caller: Caller, action: str, code: str, **details: Any) -> None:
    audit_events.record(caller, action, "location", None, code=code, **details)
    transaction.after_commit(announce)


def announce() -> None:
    """Announce the locations to the workers. If the broker is down, the scheduler does it later."""
    from actors.runtime import process_registry  # connects at import, which only a process with settings can

    try:
        process_registry.announce_locations(
            redis_client(), [row.code for row in locations.ordered(db.session()) if row.enabled]
        )
    except redis.RedisError as error:
        log.warning("locations_were_not_announced", error=type(error).__name__)
