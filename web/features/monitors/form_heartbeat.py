"""The inputs of a heartbeat monitor: the job calls us, so there is no target."""

from typing import Any

from web.ui.fields import UNITS, Duration, Exact, Switch, Text

_LONG = {size: word for size, word in UNITS.items() if size != "1"}
FIELDS: dict[str, Any] = {
    "config.expectedIntervalMinutes": Duration("A ping is expected every", units=UNITS),
    "config.gracePeriodMinutes": Duration("Grace period", units=UNITS, description="How late a ping may be."),
    "config.cronExpression": Text("Cron expression", description="When the job runs, such as 30 4 * * *."),
    "config.timezone": Text("Time zone", absent="UTC"),
    "config.maxRunMinutes": Duration(
        "Longest run", units=_LONG, description="Alarm when /start is not followed by an end within this time."
    ),
    "config.requireApiKey": Switch("Pings need an API key as well"),
    "config.expectKeyword": Exact("Keyword", description="A ping whose body lacks it is a failure."),
}
