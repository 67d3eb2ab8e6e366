"""Daily rollups, summed from the hourly ones."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from models.connections.database import Db

_DAY = """
INSERT INTO monitor_rollups_daily (monitor_id, day, location, up, down, error, response_count, response_sum,
                                   response_min, response_max, histogram)
SELECT monitor_id, %(day)s, location, sum(up), sum(down), sum(error), sum(response_count), sum(response_sum),
       min(response_min), max(response_max), histogram_sum(histogram)
FROM monitor_rollups_hourly
WHERE monitor_id = ANY(%(monitors)s)
  AND hour >= %(day)s::date::timestamp AT TIME ZONE 'UTC' AND hour < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
GROUP BY monitor_id, location
ON CONFLICT (monitor_id, day, location) DO UPDATE SET
    up = EXCLUDED.up, down = EXCLUDED.down, error = EXCLUDED.error, response_count = EXCLUDED.response_count,
    response_sum = EXCLUDED.response_sum, response_min = EXCLUDED.response_min, response_max = EXCLUDED.response_max,
    histogram = EXCLUDED.histogram
"""


def monitor_ids(db: Db) -> list[UUID]:
    """Return the ids of all monitors, in the order of the rollups' key."""
    return [row[0] for row in db.execute("SELECT id FROM monitors ORDER BY id")]


def sum_day(db: Db, day: date, monitor_ids: Sequence[UUID]) -> int:
    """Sum the hours of one UTC day into one row per monitor and location. Return the number of rows. Idempotent."""
    return db.execute(_DAY, {"day": day, "monitors": list(monitor_ids)}).rowcount
