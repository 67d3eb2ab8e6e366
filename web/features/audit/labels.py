"""Template filters of the audit trail: the actor and the details of an event."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask

from models.tables import AuditEvent

#: Role of a process -> its name for people.
_PROCESSES = {"web": "web process", "worker": "worker", "check_worker": "check worker", "scheduler": "scheduler"}
#: Details that `actor` shows.
_OF_THE_ACTOR = frozenset({"process", "commandLine"})


def actor(event: AuditEvent, name: str | None) -> str:
    """Return the actor: a person's address, a key's name, a process, the command line, or a deleted account."""
    if name:
        return name
    if event.user_id or event.api_key_id:
        return "an account that is gone"
    if "commandLine" in event.details:
        return f"command line ({event.details['commandLine']})"
    process = event.details.get("process")
    if process:
        return _PROCESSES.get(str(process), str(process))
    return "not signed in" if event.action.startswith("session.") else "a process"


def details(event: AuditEvent) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, before, after) of each detail. `before` is None if nothing was replaced."""
    found = event.details
    changes = found.get("changes")
    for name, value in found.items():
        if name in _OF_THE_ACTOR or value in (None, [], {}, "") or (name == "fields" and changes):
            continue
        if name == "changes" and isinstance(value, Mapping):
            for path, change in value.items():
                yield (
                    path,
                    change.get("from") if change.get("from") is not None else "nothing",
                    _shown(change.get("to")),
                )
        elif name == "before":
            continue
        else:
            earlier = found.get("before") if name in ("role", "name") else None
            yield name, earlier, _shown(value)


def _shown(value: Any) -> Any:
    if value is None:
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def init_app(app: Flask) -> None:
    """Add the filters to the templates of `app`."""
    app.jinja_env.filters.update(trail_actor=actor, trail_details=details)
