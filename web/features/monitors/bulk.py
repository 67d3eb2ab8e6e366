"""One action on many monitors. Each failure is reported with its monitor; the other monitors are changed."""

from collections.abc import Callable
from uuid import UUID

from web.features.monitors import service as monitors
from web.features.monitors.schemas import MAX_TAGS, BulkIn, BulkOut, clean_tag
from web.http.auth import Caller
from web.http.errors import Problem, invalid


def apply(caller: Caller, wanted: BulkIn) -> BulkOut:
    """Apply the action to each monitor once. Raise a 422 `Problem` if the action itself is not valid."""
    act = _action(caller, wanted)
    failed: dict[str, str] = {}
    known: dict[str, UUID] = {}
    for text in dict.fromkeys(wanted.ids):
        try:
            known[text] = UUID(text)
        except ValueError:
            failed[text[:64]] = "There is no such monitor."
    # In one order, so that two requests for the same monitors do not deadlock.
    for text in sorted(known, key=known.__getitem__):
        try:
            act(known[text])
        except Problem as problem:
            failed[text] = problem.message
    return BulkOut(done=[text for text in known if text not in failed], failed=failed)


def _action(caller: Caller, wanted: BulkIn) -> Callable[[UUID], object]:
    if wanted.action in {"addTag", "removeTag"}:
        if wanted.tag is None:
            raise invalid({"tag": "This action requires a tag."})
        try:
            tag = clean_tag(wanted.tag)
        except ValueError as error:
            raise invalid({"tag": str(error)}) from None
        change = _add_tag if wanted.action == "addTag" else _remove_tag
        return lambda monitor_id: change(caller, monitor_id, tag)
    if wanted.tag is not None:
        raise invalid({"tag": "Only addTag and removeTag have this field."})
    actions: dict[str, Callable[[UUID], object]] = {
        "pause": lambda monitor_id: monitors.switch(caller, monitor_id, enabled=False),
        "resume": lambda monitor_id: monitors.switch(caller, monitor_id, enabled=True),
        "delete": lambda monitor_id: monitors.delete(caller, monitor_id),
        "run": lambda monitor_id: monitors.run_now(caller, monitor_id),
    }
    return actions[wanted.action]


def _add_tag(caller: Caller, monitor_id: UUID, tag: str) -> None:
    tags = monitors.find(caller, monitor_id, lock=True).tags
    if tag not in tags:
        if len(tags) >= MAX_TAGS:
            raise Problem(409, f"This monitor already has {MAX_TAGS} tags.")
        monitors.change(caller, monitor_id, {"tags": [*tags, tag]})


def _remove_tag(caller: Caller, monitor_id: UUID, tag: str) -> None:
    tags = monitors.find(caller, monitor_id, lock=True).tags
    if tag in tags:
        monitors.change(caller, monitor_id, {"tags": [other for other in tags if other != tag]})
