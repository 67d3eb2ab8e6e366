"""The daily partitions of `monitor_results`."""

from datetime import date, timedelta

from models.connections.database import Db

DAYS_AHEAD = 7
#: A round that was due before midnight, or before a standstill, needs a partition in the past.
DAYS_BACK = 1


def name_of(day: date) -> str:
    """Return the name of the partition of `day` (UTC)."""
    return f"monitor_results_{day:%Y%m%d}"


def create_ahead(db: Db, today: date) -> list[str]:
    """Create the missing partitions from yesterday to a week ahead. Return their names."""
    existing = {
        str(row[0])
        for row in db.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'monitor_results'::regclass"
        )
    }
    created = []
    for offset in range(-DAYS_BACK, DAYS_AHEAD + 1):
        day = today + timedelta(days=offset)
        if name_of(day) not in existing:
            # Two schedulers may get here at once: the second one waits for the lock and then finds the partition.
            db.execute("SELECT pg_advisory_xact_lock(hashtext('supercheck partitions'))")
            if db.execute("SELECT to_regclass(%s)", [name_of(day)]).fetchone() == (None,):
                _create(db, day)
                created.append(name_of(day))
    return created


def _create(db: Db, day: date) -> None:
    """Create one day's partition and move its rows there from the default partition.

    The table is created on its own and then attached, so that results of other days can be stored at the same time.
    """
    name, first, end = name_of(day), f"'{day} 00:00+00'", f"'{day + timedelta(days=1)} 00:00+00'"
    db.execute(f"CREATE TABLE {name} (LIKE monitor_results INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    db.execute("LOCK TABLE monitor_results_default IN ACCESS EXCLUSIVE MODE")
    db.execute(
        f"WITH moved AS (DELETE FROM monitor_results_default WHERE scheduled_for >= {first} AND scheduled_for < {end}"
        f" RETURNING *) INSERT INTO {name} SELECT * FROM moved"
    )
    db.execute(f"ALTER TABLE monitor_results ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})")
