"""The schedule of a monitor in words: `every 5 min`, `daily at 03:00 Europe/Berlin, 10 min grace`."""

from typing import Any

from flask import Flask

from web.ui.labels import duration

_WEEKDAYS = ("Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def text(monitor: Any) -> str:
    """Return when `monitor` is checked; for a heartbeat, when its ping is expected and the grace period."""
    config = monitor.config if monitor.type == "heartbeat" else {}
    if monitor.cron_expression:
        when = f"{cron(monitor.cron_expression)} {monitor.timezone}"
    elif "expectedIntervalMinutes" in config:
        when = f"every {duration(config['expectedIntervalMinutes'] * 60)}"
    else:
        when = f"every {duration(monitor.interval_seconds)}"
    grace = config.get("gracePeriodMinutes")
    return f"{when}, {duration(grace * 60)} grace" if grace else when


def cron(expression: str) -> str:
    """Return a common cron expression in words, such as `daily at 03:00`; any other one as `by cron 0 3 1 * *`."""
    fields = expression.split()
    if len(fields) == 5 and fields[2:4] == ["*", "*"]:
        minute, hour, _, _, weekday = fields
        if _is_time(hour, 23) and _is_time(minute, 59):
            at = f"at {int(hour):02}:{int(minute):02}"
            if weekday == "*":
                return f"daily {at}"
            if _is_time(weekday, 7):
                return f"{_WEEKDAYS[int(weekday)]} {at}"
            if weekday == "1-5":
                return f"Monday to Friday {at}"
        elif hour == weekday == "*" and _is_time(minute, 59):
            return f"hourly at minute {int(minute)}"
    return f"by cron {expression}"


def _is_time(field: str, highest: int) -> bool:
    """Whether the cron field is one number up to `highest`."""
    return field.isascii() and field.isdigit() and len(field) <= 2 and int(field) <= highest


def init_app(app: Flask) -> None:
    """Give the templates of `app` the filter `schedule`."""
    app.jinja_env.filters["schedule"] = text
