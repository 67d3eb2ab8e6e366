"""The daily partitions of `monitor_results`."""

from datetime import date, timedelta

from models.connections.database import Db

DAYS_AHEAD = 7
#: So many days back as well: a round that was due before midnight, or before a long sleep, has its place.
DAYS_BACK = 1


def name_of(day: date) -> str:
    """The partition that holds `day` (UTC)."""
    return f"monitor_results_{day:%Y%m%d}"


def make_ahead(db: Db, today: date) -> list[str]:
    """Make the missing partitions from yesterday to a week ahead; answers the names of those it made."""
    existing = {
        str(row[0])
        for row in db.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'monitor_results'::regclass"
        )
    }
    made = []
    for offset in range(-DAYS_BACK, DAYS_AHEAD + 1):
        day = today + timedelta(days=offset)
        if name_of(day) not in existing:
            # Two schedulers may do this at once: the second waits here and then finds it made.
            db.execute("SELECT pg_advisory_xact_lock(hashtext('supercheck partitions'))")
            if db.execute("SELECT to_regclass(%s)", [name_of(day)]).fetchone() == (None,):
                _make(db, day)
                made.append(name_of(day))
    return made


def _make(db: Db, day: date) -> None:
    """Make one day's partition, with the rows in it that came before it and went to the default one.

    Made apart and then attached: checks go on storing into all other days meanwhile.
    """
    name, first, end = name_of(day), f"'{day} 00:00+00'", f"'{day + timedelta(days=1)} 00:00+00'"
    db.execute(f"CREATE TABLE {name} (LIKE monitor_results INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    db.execute("LOCK TABLE monitor_results_default IN ACCESS EXCLUSIVE MODE")
    db.execute(
        f"WITH moved AS (DELETE FROM monitor_results_default WHERE scheduled_for >= {first} AND scheduled_for < {end}"
        f" RETURNING *) INSERT INTO {name} SELECT * FROM moved"
    )
    db.execute(f"ALTER TABLE monitor_results ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})")
