"""The form of a monitor: the inputs of all types, and those of the selected type."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm

import settings
from check_types import CHECK_TYPES, TargetForm
from web.features.monitors import form_heartbeat, form_http_request, form_ping_host, form_port_check, form_website
from web.features.monitors.config_schemas import CONFIGS
from web.features.monitors.schemas import MonitorIn
from web.http.merge_patch import is_same
from web.ui import limits
from web.ui.addresses import WebAddress, converted
from web.ui.fields import UNITS, Choice, Duration, Escaped, LongText, Number, Several, Switch, Tags, Text
from web.ui.form_values import difference, flat, nested, value_of

#: The types that the form can create, in the order of the page.
TYPES: dict[str, ModuleType] = {
    "http_request": form_http_request,
    "website": form_website,
    "ping_host": form_ping_host,
    "port_check": form_port_check,
    "heartbeat": form_heartbeat,
}
STRATEGIES = (
    ("majority", "more than half of the locations report up"),
    ("all", "all locations report up"),
    ("any", "at least one location reports up"),
    ("custom", "a percentage of the locations report up"),
)
#: An input without a field of the API: interval or cron expression.
SCHEDULE_KIND = "scheduleKind"
#: An empty schedule. The schema rejects it with a message at its input.
_EMPTY = " "
_EVERY_MINUTES = 1
#: Values of a new form that differ from the API's defaults: a retry avoids an alert for one lost packet, and certificate
#: alerts need the expiry check.
_PREFILLED = {"config.retries": 1, "config.enableSslCheck": True}
_KINDS = (("interval", "Interval"), ("cron", "Cron expression"))
Named = Sequence[tuple[str, str]]


def _common(kind: str, providers: Named) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": Text("Name", absent=""),
        "description": LongText("Description", absent=""),
        "tags": Tags("Tags", description="Separated by commas."),
        SCHEDULE_KIND: Choice("Schedule", choices=_KINDS),
        "config.timeoutSeconds": Number("Timeout (seconds)", description="For each attempt."),
        "config.retries": Number("Retries", description="Immediate retries before a check counts as failed."),
        "alertConfig.enabled": Switch("Alerts on"),
        "alertConfig.notificationProviders": Several("Notify", choices=providers),
        "alertConfig.alertOnFailure": Switch("It goes down"),
        "alertConfig.alertOnRecovery": Switch("It comes back up"),
        "alertConfig.failureThreshold": Number("Failed checks in a row before down"),
        "alertConfig.recoveryThreshold": Number("Successful checks in a row before up"),
        "alertConfig.customMessage": LongText("Text added to every alert", absent=""),
    }
    form = CHECK_TYPES[kind].target
    if form is TargetForm.HOST:
        fields["target"] = Text("Host", absent="")
    if form is TargetForm.URL:
        fields["target"] = WebAddress("URL", absent="")
        fields["alertConfig.alertOnSslExpiration"] = Switch(
            "The certificate expires soon", description="Has no effect unless the certificate's expiry date is checked."
        )
    return fields


def _polled(locations: Named) -> dict[str, Any]:
    units = UNITS if settings.get().min_check_interval_seconds < 60 else {k: v for k, v in UNITS.items() if k != "1"}
    return {
        "frequencyMinutes": Duration("Check every", units={k: v for k, v in units.items() if k != "86400"}),
        "cronExpression": Text("Cron expression", description="Minute, hour, day, month, weekday: */5 8-18 * * 1-5."),
        "timezone": Text("Time zone", absent="UTC"),
        "config.locationConfig.enabled": Switch("Check from multiple locations"),
        "config.locationConfig.locations": Several(
            "Locations", choices=locations, description="If none is selected, all locations are used."
        ),
        "config.locationConfig.strategy": Choice("Up when", choices=STRATEGIES),
        "config.locationConfig.threshold": Number("Percentage of locations"),
    }


def build(kind: str, providers: Named, locations: Named) -> BaseForm:
    """Return the empty form for monitors of type `kind`; `providers` and `locations` are pairs of id and name."""
    fields = _common(kind, providers) | TYPES[kind].FIELDS
    if CHECK_TYPES[kind].uses_locations:
        fields |= _polled(locations)
    form = BaseForm(fields)
    for field in form:
        field.render_kw = _attributes(kind, field.name)
        if isinstance(field, Escaped):
            del field.render_kw["maxlength"]  # an escape sequence is longer than its character
    return form


def _attributes(kind: str, path: str) -> dict[str, Any]:
    if path.startswith("config."):
        found = limits.attributes(CONFIGS[kind], path.removeprefix("config."))
    else:
        found = limits.attributes(MonitorIn, path)
    if path in ("name", "target", "config.port"):
        found["required"] = True
    if path == "target":
        found |= {"placeholder": CHECK_TYPES[kind].placeholder, "spellcheck": "false", "autocapitalize": "off"}
    return found


def fill_new(form: BaseForm, kind: str, provider_ids: Sequence[str]) -> None:
    """Fill `form` with the defaults, and select all `provider_ids`, so that alerts are sent from the start."""
    prefilled = {} if kind == "heartbeat" else {name: value for name, value in _PREFILLED.items() if name in form}
    shown = _defaults(form, kind) | prefilled | {SCHEDULE_KIND: "interval"}
    form.process(data=_shown(shown | {"alertConfig.notificationProviders": list(provider_ids)}))


#: (input of polled monitors, input of heartbeats with the same meaning).
_ALIKE = (
    ("frequencyMinutes", "config.expectedIntervalMinutes"),
    ("cronExpression", "config.cronExpression"),
    ("timezone", "config.timezone"),
)


def fill_retyped(form: BaseForm, kind: str, provider_ids: Sequence[str], typed: BaseForm, untouched: BaseForm) -> None:
    """Fill `form` for `kind` with the values `typed` into the form of another type; `untouched` is that form without them."""
    fill_new(form, kind, provider_ids)
    names = dict(_ALIKE) | {there: here for here, there in _ALIKE}
    for field in typed:
        if is_same(value_of(field), value_of(untouched[field.name])):
            continue
        name = field.name if field.name in form else names.get(field.name)
        if name in form:
            form[name].data = field.data
    if "target" in form and "target" in typed:
        form["target"].data = converted(kind, typed["target"].data or "")


def _defaults(form: BaseForm, kind: str) -> dict[str, Any]:
    """Return {path: default} of the inputs that have a default."""
    found: dict[str, Any] = {"frequencyMinutes": _EVERY_MINUTES}
    for field in form:
        inner = field.name.removeprefix("config.")
        value = limits.default(CONFIGS[kind], inner) if inner != field.name else limits.default(MonitorIn, field.name)
        if value is not None:
            found[field.name] = value
    return found


def fill(form: BaseForm, whole: Mapping[str, Any]) -> None:
    """Fill `form` with an existing monitor in the API's format, secrets masked."""
    # A field that an older version did not store shows its default.
    values = _defaults(form, str(whole["type"])) | flat(whole, [field.name for field in form])
    cron = values.get("cronExpression") or values.get("config.cronExpression")
    values[SCHEDULE_KIND] = "cron" if cron else "interval"
    values["alertConfig.notificationProviders"] = [
        str(provider_id) for provider_id in values["alertConfig.notificationProviders"]
    ]
    form.process(data=_shown(values))


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    key = "config.keywordInBodyShouldBePresent"
    if key in values:
        values[key] = "true" if values[key] else "false"
    return values


def fill_typed(form: BaseForm, typed: MultiDict[str, str]) -> None:
    """Fill `form` with submitted values. Inputs that were not submitted stay empty."""
    form.process(formdata=typed)


def changes(form: BaseForm, shown: BaseForm, kind: str) -> dict[str, Any]:
    """Return what `form` changes compared with `shown`, as a body of the API."""
    return difference(to_wire(form, kind, shown), to_wire(shown, kind), form)


def to_wire(form: BaseForm, kind: str, before: BaseForm | None = None) -> dict[str, Any]:
    """Return the form as a body of the API. Fields that the selected options do not use are null, which removes them.

    `before` is the form as it was shown, if it was.
    """
    whole = nested(form, before)
    by_cron = whole.pop(SCHEDULE_KIND) == "cron"
    config = whole["config"]
    if kind == "heartbeat":
        config["cronExpression"] = (config["cronExpression"] or _EMPTY) if by_cron else None
    else:
        whole["frequencyMinutes" if by_cron else "cronExpression"] = None
        key = "cronExpression" if by_cron else "frequencyMinutes"
        whole[key] = _EMPTY if whole[key] is None else whole[key]
    if "keywordInBodyShouldBePresent" in config:
        config["keywordInBodyShouldBePresent"] = config["keywordInBodyShouldBePresent"] != "false"
    if "auth" in config:
        unused = {"none": ("username", "password", "token"), "basic": ("token",), "bearer": ("username", "password")}
        config["auth"] |= dict.fromkeys(unused.get(config["auth"]["type"], ()))
    return {**whole, "type": kind}
