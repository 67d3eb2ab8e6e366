"""The inputs of a heartbeat monitor. It has no target, because the job sends pings."""

from typing import Any

from web.ui.fields import UNITS, Duration, Exact, Switch, Text

_LONG = {size: word for size, word in UNITS.items() if size != "1"}
FIELDS: dict[str, Any] = {
    "config.expectedIntervalMinutes": Duration("Expected interval", units=UNITS),
    "config.gracePeriodMinutes": Duration(
        "Grace period", units=UNITS, description="How late a ping may arrive before the monitor goes down."
    ),
    "config.cronExpression": Text("Cron expression", description="When the job runs, such as 30 4 * * *."),
    "config.timezone": Text("Time zone", absent="UTC"),
    "config.maxRunMinutes": Duration(
        "Maximum run time", units=_LONG, description="Alert if a run does not end within this time after /start."
    ),
    "config.requireApiKey": Switch("Require an API key for pings"),
    "config.expectKeyword": Exact(
        "Keyword", description="Optional. A ping without this text in its body counts as a failure."
    ),
}
