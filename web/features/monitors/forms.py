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

#: The types that have a form, in the order in which they are offered.
TYPES: dict[str, ModuleType] = {
    "http_request": form_http_request,
    "website": form_website,
    "ping_host": form_ping_host,
    "port_check": form_port_check,
    "heartbeat": form_heartbeat,
}
STRATEGIES = (
    ("majority", "more than half of them find it up"),
    ("all", "every one finds it up"),
    ("any", "at least one finds it up"),
    ("custom", "a share of them finds it up"),
)
#: The input for the kind of schedule, which the API does not have.
SCHEDULE_KIND = "scheduleKind"
#: An empty schedule. It is sent, so that the server returns an error.
_EMPTY = " "
_EVERY_MINUTES = 1
#: Values of a new form that differ from the API's defaults: one lost packet sends no alert, and the expiry of
#: certificates is checked.
_PREFILLED = {"config.retries": 1, "config.enableSslCheck": True}
_KINDS = (("interval", "At an interval"), ("cron", "By cron expression"))
Named = Sequence[tuple[str, str]]


def _common(kind: str, providers: Named) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": Text("Name", absent=""),
        "description": LongText("Description", absent=""),
        "tags": Tags("Tags", description="Separated by commas."),
        SCHEDULE_KIND: Choice("Schedule", choices=_KINDS),
        "config.timeoutSeconds": Number("Timeout in seconds", description="For one try."),
        "config.retries": Number("Retries", description="Immediate re-checks before a failure counts."),
        "alertConfig.enabled": Switch("Send alerts"),
        "alertConfig.notificationProviders": Several("Tell", choices=providers),
        "alertConfig.alertOnFailure": Switch("When it fails"),
        "alertConfig.alertOnRecovery": Switch("When it recovers"),
        "alertConfig.failureThreshold": Number("Failed rounds before it is down"),
        "alertConfig.recoveryThreshold": Number("Good rounds before it is up"),
        "alertConfig.customMessage": LongText("Message added to every alert", absent=""),
    }
    form = CHECK_TYPES[kind].target
    if form is TargetForm.HOST:
        fields["target"] = Text("Host", absent="")
    if form is TargetForm.URL:
        fields["target"] = WebAddress("URL", absent="")
        fields["alertConfig.alertOnSslExpiration"] = Switch(
            "When the certificate expires soon", description="Only while the certificate's expiry is watched."
        )
    return fields


def _polled(locations: Named) -> dict[str, Any]:
    units = UNITS if settings.get().min_check_interval_seconds < 60 else {k: v for k, v in UNITS.items() if k != "1"}
    return {
        "frequencyMinutes": Duration("Check every", units={k: v for k, v in units.items() if k != "86400"}),
        "cronExpression": Text("Cron expression", description="Minute, hour, day, month, weekday: */5 8-18 * * 1-5."),
        "timezone": Text("Time zone", absent="UTC"),
        "config.locationConfig.enabled": Switch("Check from several locations"),
        "config.locationConfig.locations": Several("Locations", choices=locations, description="None chosen: all."),
        "config.locationConfig.strategy": Choice("It is up when", choices=STRATEGIES),
        "config.locationConfig.threshold": Number("Share in percent"),
    }


def build(kind: str, providers: Named, locations: Named) -> BaseForm:
    """Return the empty form for monitors of type `kind`. `providers` and `locations` are (id, name) each."""
    fields = _common(kind, providers) | TYPES[kind].FIELDS
    if CHECK_TYPES[kind].uses_locations:
        fields |= _polled(locations)
    form = BaseForm(fields)
    for field in form:
        field.render_kw = _attributes(kind, field.name)
        if isinstance(field, Escaped):
            del field.render_kw["maxlength"]  # an escape is longer than what it stands for
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
    """Fill a new form with the defaults and the providers."""
    prefilled = {} if kind == "heartbeat" else {name: value for name, value in _PREFILLED.items() if name in form}
    shown = _defaults(form, kind) | prefilled | {SCHEDULE_KIND: "interval"}
    form.process(data=_shown(shown | {"alertConfig.notificationProviders": list(provider_ids)}))


#: Pairs of inputs of different types with the same meaning.
_ALIKE = (
    ("frequencyMinutes", "config.expectedIntervalMinutes"),
    ("cronExpression", "config.cronExpression"),
    ("timezone", "config.timezone"),
)


def fill_retyped(form: BaseForm, kind: str, provider_ids: Sequence[str], typed: BaseForm, untouched: BaseForm) -> None:
    """Fill a new form of `kind` with what was `typed` into the form `untouched` of another type."""
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
    """Fill the form with a monitor as the API returns it, with masked secrets."""
    # Fields that an older version did not store show their defaults.
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
    """Fill the form with what was typed. Inputs that were not sent are empty."""
    form.process(formdata=typed)


def changes(form: BaseForm, shown: BaseForm, kind: str) -> dict[str, Any]:
    """Return the changes of `form` to the monitor in `shown`, as a body for the API."""
    return difference(to_wire(form, kind, shown), to_wire(shown, kind), form)


def to_wire(form: BaseForm, kind: str, before: BaseForm | None = None) -> dict[str, Any]:
    """Return the form as a body for the API. Fields that the selected options exclude are null, which removes them.

    `before` is the form as it was shown, if there was one.
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
