"""Validation of a monitor before it is saved. All errors are found at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from models.tables import Location, NotificationProvider, Test
from web.api.schema import problems_of
from web.features.monitors import schedule, targets
from web.features.monitors.config_schemas import CONFIGS, RECORDS
from web.features.monitors.consistency import contradictions
from web.features.monitors.schedule import Schedule
from web.features.monitors.schemas import ALIASES, MonitorIn
from web.http.auth import Caller
from web.http.errors import invalid
from web.http.extensions import db
from web.http.merge_patch import merge, without_nulls
from web.services import destinations, secret_fields

_NO_LOCATIONS = "A heartbeat has no locations: its job sends the pings."


@dataclass(frozen=True, slots=True)
class ValidMonitor:
    """A monitor that may be saved. `config` is complete, with secrets in plain text."""

    fields: MonitorIn
    config: dict[str, Any]
    schedule: Schedule


def tidy(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `data` without read-only fields, and with a top-level `locationConfig` moved into `config`.

    Values of the wrong type stay, for the validation to reject.
    """
    tidied = {key: value for key, value in data.items() if key not in MonitorIn.READ_ONLY}
    kind = data.get("type")
    located = tidied.get("locationConfig")
    config = tidied.get("config", {})
    if isinstance(located, dict) and isinstance(config, dict) and ALIASES.get(str(kind), kind) != "heartbeat":
        inner = config.get("locationConfig")
        tidied["config"] = {**config, "locationConfig": {**(inner if isinstance(inner, dict) else {}), **located}}
        del tidied["locationConfig"]
    return tidied


def validate_monitor(
    caller: Caller,
    data: Mapping[str, Any],
    before: Mapping[str, Any],
    old_secrets: Mapping[str, str],
    given: object = None,
) -> ValidMonitor:
    """Return the complete monitor `data` in a form that may be saved. Raise a 422 `Problem` that names every wrong field.

    `before` is the stored monitor, `{}` for a new one. Unchanged values are not checked again, so that monitors from
    before a lower limit can still be changed. `given` is the config in the request.
    """
    problems: dict[str, str] = {}
    kind = ALIASES.get(str(data.get("type")), str(data.get("type")))
    base = {**without_nulls(data), "config": {}}
    if kind == "heartbeat":
        # It follows from the config, so a sent value is ignored.
        base.pop("frequencyMinutes", None)
    fields = _readable(base, problems)
    config = _validate_config(kind, data.get("config"), old_secrets, problems)
    plan = None
    if fields is not None:
        if (
            before
            and config is not None
            and destinations.of_monitor(fields.target, config)
            != destinations.of_monitor(before["target"], before["config"])
        ):
            destinations.require_secrets_again("monitor", given, config, old_secrets, problems)
        plan = _validate_together(caller, kind, fields, config, before, problems)
    if problems or fields is None or config is None or plan is None:
        raise invalid(problems)
    return ValidMonitor(fields, config, plan)


def _readable(base: Mapping[str, Any], problems: dict[str, str]) -> MonitorIn | None:
    """Return `base` as a model. Wrong fields are added to `problems` and left out, so that the others are validated too.

    Return None if the others cannot be validated.
    """
    fields = problems_of(MonitorIn, base)
    if isinstance(fields, MonitorIn):
        return fields
    problems |= fields
    wrong = {path.partition(".")[0] for path in fields}
    if "type" in wrong:
        return None
    rest = {name: value for name, value in base.items() if name not in wrong}
    again = problems_of(MonitorIn, rest | ({"name": "-"} if "name" in wrong else {}))
    return again if isinstance(again, MonitorIn) else None


def _validate_together(
    caller: Caller,
    kind: str,
    fields: MonitorIn,
    config: Mapping[str, Any] | None,
    before: Mapping[str, Any],
    problems: dict[str, str],
) -> Schedule | None:
    """Validate rules across fields. Return the schedule, or None if the config is not readable."""
    if fields.location_config is not None:
        problems["locationConfig"] = _NO_LOCATIONS
    if "target" not in problems:
        _validate_target(kind, fields.target, before.get("target"), problems)
    _validate_references(caller, fields, config or {}, before, problems)
    if config is None and kind == "heartbeat":
        return None
    plan = _validate_schedule(kind, fields, config or {}, before, problems)
    if config is not None:
        problems |= contradictions(fields.target, config, before.get("target"), before.get("config", {}))
    return plan


def _validate_config(
    kind: str,
    given: object,
    old_secrets: Mapping[str, str],
    problems: dict[str, str],
) -> dict[str, Any] | None:
    """Return the complete config without its wrong fields, which are added to `problems`, or None if it has no model."""
    if given is None:
        given = {}
    if not isinstance(given, dict):
        problems["config"] = "Must be an object."
        return None
    model = CONFIGS.get(kind)
    if model is None:
        return None
    if kind == "heartbeat" and "locationConfig" in given:
        problems["config.locationConfig"] = _NO_LOCATIONS
        given = {key: value for key, value in given.items() if key != "locationConfig"}
    cleaned = merge({}, given, RECORDS | {"headers"})
    cleaned = secret_fields.restore("monitor", cleaned, old_secrets, problems)
    found = problems_of(model, cleaned, under="config")
    if isinstance(found, dict):
        problems.update({**found, **problems})
        wrong = {path.split(".")[1] for path in found if "." in path}
        found = problems_of(model, {name: value for name, value in cleaned.items() if name not in wrong})
    if isinstance(found, dict):
        return None
    dumped = found.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value for key, value in dumped.items()
    }


def _validate_target(kind: str, target: str, before: str | None, problems: dict[str, str]) -> None:
    if target == before:
        return
    try:
        host = targets.check(kind, target)
        if host:
            targets.check_guard(host)
    except ValueError as error:
        problems["target"] = str(error)


def _validate_schedule(
    kind: str, fields: MonitorIn, config: Mapping[str, Any], before: Mapping[str, Any], problems: dict[str, str]
) -> Schedule:
    found: dict[str, str] = {}
    if kind == "heartbeat":
        plan = schedule.heartbeat(config, found)
        old = before.get("config", {})
        keys = ("expectedIntervalMinutes", "gracePeriodMinutes", "cronExpression", "timezone")
        unchanged = bool(before) and all(config.get(key) == old.get(key) for key in keys)
        # Responses repeat the config's expression at the top level, so an edited response contains the old one.
        if fields.cron_expression not in (None, config.get("cronExpression"), before.get("cronExpression")):
            problems["cronExpression"] = "Set the expression of a heartbeat in config.cronExpression."
    else:
        plan = schedule.polled(kind, fields.frequency_minutes, fields.cron_expression, fields.timezone, found)
        unchanged = bool(before) and (
            fields.frequency_minutes == before.get("frequencyMinutes")
            and fields.cron_expression == before.get("cronExpression")
            and fields.timezone == before.get("timezone")
        )
    if not unchanged:
        problems.update({**found, **problems})
    return plan


def _validate_references(
    caller: Caller, fields: MonitorIn, config: Mapping[str, Any], before: Mapping[str, Any], problems: dict[str, str]
) -> None:
    """Check that the providers, locations and tests exist and belong to the project."""
    old_config, old_alerts = before.get("config", {}), before.get("alertConfig", {})
    wanted = set(fields.alert_config.notification_providers)
    wanted -= {UUID(str(provider_id)) for provider_id in old_alerts.get("notificationProviders", ())}
    own = select(NotificationProvider.id).where(
        NotificationProvider.project_id == caller.project_id, NotificationProvider.id.in_(wanted)
    )
    if wanted and len(db.session.scalars(own).all()) < len(wanted):
        problems["alertConfig.notificationProviders"] = "A provider does not exist."
    codes = set(config.get("locationConfig", {}).get("locations", ()))
    codes -= set(old_config.get("locationConfig", {}).get("locations", ()))
    missing = codes - set(db.session.scalars(select(Location.code).where(Location.code.in_(codes)))) if codes else None
    if missing:
        problems["config.locationConfig.locations"] = "There is no such location: see /api/locations."
    test_id = config.get("testId")
    if test_id and test_id != old_config.get("testId"):
        own_test = select(Test.id).where(Test.project_id == caller.project_id, Test.id == UUID(test_id))
        if db.session.scalar(own_test) is None:
            problems["config.testId"] = "There is no such test."
