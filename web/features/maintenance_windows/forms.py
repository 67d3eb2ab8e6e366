"""The form of a maintenance window: when it is on, and for whom."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from werkzeug.datastructures import MultiDict
from wtforms import Field
from wtforms.form import BaseForm
from wtforms.widgets import DateTimeLocalInput

from models.rules import time_zones
from web.features.maintenance_windows.schemas import WindowIn
from web.http.errors import invalid
from web.ui import limits
from web.ui.fields import UNITS, Choice, Duration, Several, Switch, Text
from web.ui.form_values import difference, nested

#: Exist on the form only: which of two schedules holds, and for whom.
SCHEDULE_KIND, SCOPE = "scheduleKind", "scope"
#: The chosen monitors, and the search box that adds one (on the form only).
MONITORS, ADDED = "monitorIds", "addMonitor"
_KINDS = (("once", "Once"), ("cron", "Recurring"))
_SCOPES = (
    ("", "Choose monitors"),
    ("monitors", "Selected monitors"),
    ("tag", "Monitors with a tag"),
    ("project", "All monitors of the project"),
)
_UNITS = {size: word for size, word in UNITS.items() if size != "1"}
_DURATION_MINUTES = 60
_UNCLEAR = "No monitor, or more than one, has this name. Choose one from the list."
_LOCAL = "%Y-%m-%dT%H:%M"


class LocalTime(Text):
    """A time on the clocks of the time zone that the form names."""

    widget = DateTimeLocalInput()


@dataclass(frozen=True)
class Directory:
    """The project's monitors: `labels` turns ids into {id: label}, `id_of` a label into an id (None if it is not clear)."""

    labels: Callable[[Sequence[str]], dict[str, str]]
    id_of: Callable[[str], str | None]


class Monitors(Several):
    """The chosen monitors: ids, sorted. Each is a ticked box; an unticked one is no longer chosen."""

    def __init__(self, *args: Any, directory: Directory, **values: Any) -> None:
        super().__init__(*args, choices=(), **values)
        self.directory = directory

    @property
    def chips(self) -> list[tuple[str, str]]:
        """(id, label) each, by label."""
        ids = self.wire()
        labels = self.directory.labels(ids)
        return sorted(((one, labels.get(one, one)) for one in ids), key=lambda chip: (chip[1].lower(), chip[0]))

    def process_data(self, value: Any) -> None:
        self.choices = self.directory.labels([str(one) for one in value or ()])
        super().process_data(value)

    def wire(self) -> Any:
        return sorted({str(one).lower() for one in self.data or ()})

    def wire_after(self, before: Field) -> Any:  # noqa: ARG002  (sorted, whatever the order was)
        return self.wire()


class MonitorBox(Text):
    """The search box: one more monitor, typed by its label; its id on the wire. What names no monitor stays text."""

    def __init__(self, *args: Any, directory: Directory, **values: Any) -> None:
        super().__init__(*args, **values)
        self.directory = directory

    def wire(self) -> Any:
        text = super().wire()
        return (self.directory.id_of(text) or text) if text else None


def build(tags: Sequence[str], directory: Directory) -> BaseForm:
    """The empty form."""
    form = BaseForm(
        {
            "name": Text("Name", absent=""),
            SCHEDULE_KIND: Choice("When", choices=_KINDS),
            "startsAt": LocalTime("Starts", description="Local time in the time zone below."),
            "cronExpression": Text("Cron expression", description="Minute, hour, day, month, weekday: 0 3 * * 0."),
            "timezone": Text("Time zone", description="Type a city to search.", absent="UTC"),
            "durationMinutes": Duration("Duration", units=_UNITS),
            SCOPE: Choice("Monitors", choices=_SCOPES),
            "tag": Choice("Tag", choices=[("", "Choose a tag"), *((tag, tag) for tag in tags)]),
            MONITORS: Monitors("Monitors", directory=directory),
            ADDED: MonitorBox("Add a monitor", description="Type to search.", directory=directory),
            "enabled": Switch("Enabled"),
        }
    )
    for field in form:
        field.render_kw = {**limits.attributes(WindowIn, field.name), "autocomplete": "off"}
    for name in ("name", SCOPE):
        form[name].render_kw["required"] = True
    return form


def fill_new(form: BaseForm, monitor_id: str, now: datetime) -> None:
    """Show a window that begins with the next full hour, for the monitor `monitor_id` if it is not empty."""
    scope = {SCOPE: "monitors", MONITORS: [monitor_id]} if monitor_id else {SCOPE: ""}
    next_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    shown = {SCHEDULE_KIND: "once", "timezone": "UTC", "durationMinutes": _DURATION_MINUTES, "enabled": True}
    form.process(data={**shown, **scope, "startsAt": next_hour.strftime(_LOCAL)})


def fill(form: BaseForm, whole: Mapping[str, Any]) -> None:
    """Show a window that is there, as the wire has it."""
    starts_at = whole["startsAt"]
    form.process(
        data={
            **whole,
            SCHEDULE_KIND: "cron" if whole["cronExpression"] else "once",
            SCOPE: "monitors" if whole[MONITORS] is not None else "tag" if whole["tag"] else "project",
            "startsAt": _to_local(starts_at, whole["timezone"]) if starts_at else "",
        }
    )


def fill_typed(form: BaseForm, typed: MultiDict[str, str]) -> None:
    """Show what a person has typed."""
    form.process(formdata=typed)


def add_typed(form: BaseForm) -> None:
    """Move the monitor in the search box to the chosen ones; what names none stays, with a complaint."""
    added = form[ADDED].wire()
    if _is_id(added):
        form[MONITORS].data = [*form[MONITORS].wire(), added]
        form[ADDED].data = ""
    elif added:
        form[ADDED].errors = [_UNCLEAR]
    form[SCOPE].data = "monitors"


def changes(form: BaseForm, shown: BaseForm, starts_at: datetime | None) -> dict[str, Any]:
    """What `form` changes of the window that `shown` shows, as the API's body; `starts_at` is the window's begin.

    Raises a 422 `Problem` as `to_wire` does.
    """
    return difference(to_wire(form, starts_at), to_wire(shown, starts_at), form)


def to_wire(form: BaseForm, before: datetime | None = None) -> dict[str, Any]:
    """The form as the API's body; what does not belong to the choices made is null, which removes it.

    `before` is the begin that was shown: unchanged, it keeps its seconds. Raises a 422 `Problem` for what a person has
    to choose and did not: nothing is assumed for a form.
    """
    whole = nested(form)
    if problems := _unchosen(whole):
        raise invalid(problems)
    by_cron = whole.pop(SCHEDULE_KIND) == "cron"
    scope = whole.pop(SCOPE)
    whole["tag"] = whole["tag"] if scope == "tag" else None
    chosen, added = whole[MONITORS], whole.pop(ADDED)
    whole[MONITORS] = sorted({*chosen, *([added] if added else ())}) if scope == "monitors" else None
    if by_cron:
        return {**whole, "startsAt": None}
    typed, zone = whole["startsAt"], whole["timezone"]
    if before is not None and typed == _to_local(before.isoformat(), zone):
        typed = before.isoformat()
    return {**whole, "cronExpression": None, "startsAt": _to_utc(typed, zone)}


def _unchosen(whole: Mapping[str, Any]) -> dict[str, str]:
    """{input: what is missing or unknown}, each at the input where it is put right."""
    problems: dict[str, str] = {}
    if whole[SCHEDULE_KIND] == "cron":
        if not whole["cronExpression"]:
            problems["cronExpression"] = "Enter five fields: minute, hour, day, month, weekday."
    elif not whole["startsAt"]:
        problems["startsAt"] = "Choose when the maintenance starts."
    zone = whole["timezone"]
    if not time_zones.is_known(time_zones.preferred(zone)):
        meant = time_zones.suggested(zone)
        hint = f"Try {meant}." if meant else "Choose one from the list, such as Europe/Berlin."
        problems["timezone"] = f"Unknown time zone “{zone}”. {hint}"
    if whole[SCOPE] not in ("project", "tag", "monitors"):
        problems[SCOPE] = "Choose the monitors for this maintenance."
    elif whole[SCOPE] == "tag" and not whole["tag"]:
        problems["tag"] = "Choose a tag."
    elif whole[SCOPE] == "monitors" and whole[ADDED] and not _is_id(whole[ADDED]):
        problems[ADDED] = _UNCLEAR
    elif whole[SCOPE] == "monitors" and not (whole[ADDED] or whole[MONITORS]) and whole["enabled"]:
        problems[ADDED] = "Choose at least one monitor."
    return problems


def _is_id(text: str | None) -> bool:
    try:
        return bool(text and UUID(text))
    except ValueError:
        return False


def _to_local(moment: str, zone: str) -> str:
    try:
        return datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)).strftime(_LOCAL)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment


def _to_utc(typed: str, zone: str) -> str:
    """What was typed as a time of the wire; what cannot be read stays, so that the schema complains of it."""
    try:
        moment = datetime.fromisoformat(typed)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        return moment.astimezone(UTC).isoformat()
    except (ZoneInfoNotFoundError, ValueError, OSError, OverflowError):
        return typed
