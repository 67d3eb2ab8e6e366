"""An outage without a recipient when it began: a channel that is added later is notified of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors.verdicts import aggregate
from tests import rows

Db = psycopg.Connection[Any]
MINUTE = timedelta(minutes=1)
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
NO_PROVIDER = "no provider: this monitor has no active channel. Choose one"


class Watched:
    """A monitor whose rounds are decided one by one."""

    def __init__(self, db: Db, project: UUID) -> None:
        self.db, self.project, self.minute = db, project, 0
        self.monitor = rows.a_monitor(db, project, state={"status": "up", "decided_for": AT})

    def decide(self, *words: str) -> None:
        for word in words:
            self.minute += 1
            at = AT + self.minute * MINUTE
            rows.a_result(self.db, self.monitor, at, word, None)
            aggregate.settle([(self.monitor, at)], at)

    def alerts(self) -> list[tuple[Any, ...]]:
        """Type, number and reason on record of every alert, and how many deliveries it has."""
        return self.db.execute(
            "SELECT type, alert_number, suppressed_because, (SELECT count(*) FROM deliveries d WHERE d.alert_id = a.id)"
            " FROM alerts a ORDER BY a.created_at, a.type, alert_number"
        ).fetchall()


@pytest.fixture
def watched(connection: Db, project: UUID) -> Watched:
    return Watched(connection, project)


def test_what_nobody_could_be_told_is_on_record_once_and_uses_up_no_number(watched: Watched) -> None:
    watched.decide(*["down"] * 6)
    assert watched.alerts() == [("monitor.down", None, NO_PROVIDER, 0)]
    # When a channel is chosen during the outage, it is notified like any other
    rows.a_provider(watched.db, watched.project, "http://127.0.0.1:9/", watched.monitor)
    watched.decide(*["down"] * 4, "up")
    assert [one[1:] for one in watched.alerts()[1:4]] == [(number, None, 1) for number in (1, 2, 3)]
    assert watched.alerts()[-1] == ("monitor.up", None, None, 1)


def test_alerts_that_are_switched_on_during_an_outage_tell_it(watched: Watched) -> None:
    rows.a_provider(watched.db, watched.project, "http://127.0.0.1:9/", watched.monitor)
    watched.db.execute("UPDATE monitors SET alert_on_failure = false")
    watched.decide("down", "down", "down", "down")
    assert [one[1] for one in watched.alerts()] == [None]
    watched.db.execute("UPDATE monitors SET alert_on_failure = true")
    watched.decide("down")
    assert watched.alerts()[-1] == ("monitor.down", 1, None, 1)


def test_a_channel_that_is_there_only_at_the_end_is_told_the_end(watched: Watched) -> None:
    watched.decide("down", "down")
    rows.a_provider(watched.db, watched.project, "http://127.0.0.1:9/", watched.monitor)
    watched.decide("up", "up")
    assert watched.alerts() == [("monitor.down", None, NO_PROVIDER, 0), ("monitor.up", None, None, 1)]


def test_an_outage_that_ends_with_nobody_to_tell_is_over(watched: Watched) -> None:
    watched.decide("down", "up", "up", "down")
    kinds = [(kind, number) for kind, number, _, _ in watched.alerts()]
    assert kinds == [("monitor.down", None), ("monitor.up", None), ("monitor.down", None)]
    assert rows.state(watched.db, watched.monitor)["failure_sequence"] == 2


def test_a_channel_that_is_switched_off_after_the_first_alert_uses_up_no_further_number(watched: Watched) -> None:
    provider = rows.a_provider(watched.db, watched.project, "http://127.0.0.1:9/", watched.monitor)
    watched.decide("down")
    watched.db.execute("UPDATE notification_providers SET enabled = false WHERE id = %s", [provider])
    watched.decide("down", "down", "down")
    watched.db.execute("UPDATE notification_providers SET enabled = true WHERE id = %s", [provider])
    watched.decide("down", "down", "down")
    assert [one[1] for one in watched.alerts() if one[3]] == [1, 2, 3]
