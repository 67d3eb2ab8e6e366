"""Labels of the audit log: caller acted, and what changed. Template filters."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask

from models.tables import AuditEvent

#: Role of a process -> its name for people.
_PROCESSES = {"web": "web process", "worker": "worker", "check_worker": "check worker", "scheduler": "scheduler"}
#: Details that `actor` shows.
_OF_THE_ACTOR = frozenset({"process", "commandLine"})


def actor(event: AuditEvent, name: str | None) -> str:
    """Return caller acted: a user's address, a key's name, a process, the command line, or `deleted user`."""
    if name:
        return name
    if event.user_id or event.api_key_id:
        return "deleted user"
    if "commandLine" in event.details:
        return f"command line ({event.details['commandLine']})"
    process = event.details.get("process")
    if process:
        return _PROCESSES.get(str(process), str(process))
    return "not signed in" if event.action.startswith("session.") else "a process"


def details(event: AuditEvent) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, before, after) of each detail; `before` is None if there was no earlier value."""
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
