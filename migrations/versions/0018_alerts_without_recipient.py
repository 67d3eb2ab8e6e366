"""alerts without recipient

Revision: 0018. Alerts without a recipient no longer count towards the limit of an outage. In the outages that are still
open, their numbers are taken back, so that a channel that is added now gets the next failure alerts and the recovery.
It updates the monitors that are down, usually a few rows, while the system runs.
"""

from alembic import op

revision = "0018"
down_revision = "0015"
branch_labels = None
depends_on = None

_SUPPRESSED = "a.status = 'suppressed' AND a.suppressed_because !~ '^(storm|limit):' AND a.type <> 'monitor.up'"
TAKE_NUMBERS_BACK = f"""
WITH outages AS (
    SELECT monitor_id, failure_sequence FROM monitor_states WHERE status = 'down' AND alerts_sent > 0 FOR UPDATE
)
UPDATE alerts a SET alert_number = NULL FROM outages o
WHERE a.monitor_id = o.monitor_id AND a.failure_sequence = o.failure_sequence AND a.alert_number IS NOT NULL
  AND {_SUPPRESSED}
"""
# The next number follows the highest that is left. An outage whose alerts are no longer stored stays as it is.
COUNT_AGAIN = f"""
UPDATE monitor_states s SET alerts_sent = n.highest
FROM (
    SELECT a.monitor_id, a.failure_sequence, coalesce(max(a.alert_number), 0) AS highest FROM alerts a
    GROUP BY a.monitor_id, a.failure_sequence HAVING bool_or({_SUPPRESSED})
) n
WHERE s.status = 'down' AND s.alerts_sent > n.highest AND n.highest < 3
  AND n.monitor_id = s.monitor_id AND n.failure_sequence = s.failure_sequence
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(TAKE_NUMBERS_BACK)
    op.execute(COUNT_AGAIN)
