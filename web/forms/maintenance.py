"""The form of a maintenance window: when it is on, and for whom."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm
from wtforms.widgets import DateTimeLocalInput

from web.forms import limits
from web.forms.fields import UNITS, Choice, Duration, Switch, Text
from web.forms.wire import difference, nested
from web.schemas.maintenance import WindowIn

#: Exist on the form only: which of two schedules holds, and for whom.
SCHEDULE_KIND, SCOPE = "scheduleKind", "scope"
_KINDS = (("once", "Once"), ("cron", "Again and again"))
_SCOPES = (("project", "the whole project"), ("tag", "monitors with a tag"), ("monitor", "one monitor"))
_UNITS = {size: word for size, word in UNITS.items() if size != "1"}
#: A schedule that was asked for and left empty, so that the server says so.
_EMPTY = " "
_DURATION_MINUTES = 60
_LOCAL = "%Y-%m-%dT%H:%M"
Named = Sequence[tuple[str, str]]


class LocalTime(Text):
    """A time on the clocks of the time zone that the form names."""

    widget = DateTimeLocalInput()


def build(tags: Sequence[str], monitors: Named) -> BaseForm:
    """The empty form; `monitors` are (id, name) each."""
    form = BaseForm(
        {
            "name": Text("Name", absent=""),
            SCHEDULE_KIND: Choice("When", choices=_KINDS),
            "startsAt": LocalTime("Begins", description="On the clocks of the time zone. Empty: now."),
            "cronExpression": Text("Cron expression", description="Minute, hour, day, month, weekday: 0 3 * * 0."),
            "timezone": Text("Time zone", absent="UTC"),
            "durationMinutes": Duration("Lasts", units=_UNITS),
            SCOPE: Choice("For", choices=_SCOPES),
            "tag": Choice("Tag", choices=[("", "Choose a tag"), *((tag, tag) for tag in tags)]),
            "monitorId": Choice("Monitor", choices=[("", "Choose a monitor"), *monitors]),
            "enabled": Switch("In use"),
        }
    )
    for field in form:
        field.render_kw = {**limits.attributes(WindowIn, field.name), "autocomplete": "off"}
    form["name"].render_kw["required"] = True
    return form


def fill_new(form: BaseForm, monitor_id: str) -> None:
    """Show a window that begins now, for the monitor where one is given."""
    known = monitor_id and monitor_id in form["monitorId"].choices
    scope = {SCOPE: "monitor", "monitorId": monitor_id} if known else {SCOPE: "project"}
    shown = {SCHEDULE_KIND: "once", "timezone": "UTC", "durationMinutes": _DURATION_MINUTES, "enabled": True}
    form.process(data={**shown, **scope})


def fill(form: BaseForm, whole: Mapping[str, Any]) -> None:
    """Show a window that is there, as the wire has it."""
    starts_at = whole["startsAt"]
    form.process(
        data={
            **whole,
            SCHEDULE_KIND: "cron" if whole["cronExpression"] else "once",
            SCOPE: "monitor" if whole["monitorId"] else "tag" if whole["tag"] else "project",
            "startsAt": _to_local(starts_at, whole["timezone"]) if starts_at else "",
        }
    )


def fill_typed(form: BaseForm, typed: MultiDict[str, str]) -> None:
    """Show what a person has typed."""
    form.process(formdata=typed)


def changes(form: BaseForm, shown: BaseForm, starts_at: datetime | None) -> dict[str, Any]:
    """What `form` changes of the window that `shown` shows, as the API's body; `starts_at` is the window's begin."""
    return difference(to_wire(form, starts_at), to_wire(shown, starts_at), form)


def to_wire(form: BaseForm, before: datetime | None = None) -> dict[str, Any]:
    """The form as the API's body; what does not belong to the choices made is null, which removes it.

    `before` is the begin that was shown: unchanged, it keeps its seconds.
    """
    whole = nested(form)
    by_cron = whole.pop(SCHEDULE_KIND) == "cron"
    scope = whole.pop(SCOPE)
    whole["tag"] = (whole["tag"] or _EMPTY) if scope == "tag" else None
    whole["monitorId"] = (whole["monitorId"] or _EMPTY) if scope == "monitor" else None
    if by_cron:
        return {**whole, "startsAt": None, "cronExpression": whole["cronExpression"] or _EMPTY}
    typed, zone = whole["startsAt"], whole["timezone"]
    if before is not None and typed == _to_local(before.isoformat(), zone):
        typed = before.isoformat()
    return {**whole, "cronExpression": None, "startsAt": _to_utc(typed, zone)}


def _to_local(moment: str, zone: str) -> str:
    try:
        return datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)).strftime(_LOCAL)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment


def _to_utc(typed: str | None, zone: str) -> str | None:
    """What was typed as a time of the wire; what cannot be read stays, so that the schema complains of it."""
    if not typed:
        return None
    try:
        moment = datetime.fromisoformat(typed)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        return moment.astimezone(UTC).isoformat()
    except (ZoneInfoNotFoundError, ValueError, OSError, OverflowError):
        return typed
