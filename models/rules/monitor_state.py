"""The part of a monitor's state that deciding a round changes. Pure."""

from datetime import datetime
from typing import NamedTuple


class State(NamedTuple):
    """Columns of `monitor_states`, each with its Python type: `models.queries.monitor_states` reads and writes these fields.

    A new column takes three edits: the migration, `models.tables.MonitorState`, and a field here.
    `models.tables.MonitorState` says what each column means. `alerts_sent` may be one above the limit of failure alerts: the
    alert that the limit suppressed is recorded. With `status` up, `alerts_sent` above zero means that the recovery alert is
    pending.
    """

    status: str = "pending"
    last_verdict: str | None = None
    last_check_at: datetime | None = None
    last_status_change_at: datetime | None = None
    last_response_time_ms: float | None = None
    last_error_code: str | None = None
    last_error_message: str | None = None
    consecutive_failures: int = 0
    consecutive_successes: int = 0
    failure_sequence: int = 0
    alerts_sent: int = 0
    #: The reasons recorded for suppressed alerts of this failure sequence, separated by spaces.
    suppressed_by: str = ""
    #: An alert was suppressed by maintenance or a mute, and none was sent since.
    pending_alert: bool = False
    down_since: datetime | None = None
    decided_for: datetime | None = None
    open_scheduled_for: datetime | None = None
