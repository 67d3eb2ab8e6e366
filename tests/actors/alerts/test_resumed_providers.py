"""A provider that was disabled during an outage and is enabled again hears how it ended."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors import queues
from actors.alerts.alert import alert as alert_actor
from actors.alerts.deliver import deliver
from scheduling import sweep
from tests import messages, outside, rows

Db = psycopg.Connection[Any]
LATE = "Recovered. This message is late: this channel was disabled when the outage ended."
UNTOLD = "Recovered. This channel got no alert when the outage began."


class Outage:
    """One outage of a monitor with one provider, alert by alert."""

    def __init__(self, db: Db, project: UUID, hook: outside.Hook, kind: str = "webhook") -> None:
        self.db, self.project, self.hook = db, project, hook
        self.monitor = rows.a_monitor(db, project, state={"status": "down", "failure_sequence": 1})
        self.provider = rows.a_provider(db, project, hook.url, self.monitor, type=kind)

    def tell(self, kind: str) -> UUID:
        """Plan an alert, and make the deliveries that come of it."""
        up = kind == "monitor.up"
        values = {"type": kind, "alert_number": None, "reason": "Recovered."} if up else {"type": kind}
        if up:
            self.db.execute("UPDATE monitor_states SET status = 'up' WHERE monitor_id = %s", [self.monitor])
        made = rows.an_alert(self.db, self.project, self.monitor, **values)
        alert_actor.fn([str(made)])
        self.deliver()
        return made

    def deliver(self) -> None:
        for message in messages.waiting(queues.DELIVERIES):
            deliver.fn(*message.args)

    def switch(self, on: bool) -> None:
        """As saving the provider does."""
        self.db.execute(
            "UPDATE notification_providers SET enabled = %s, resumed_at = CASE WHEN %s THEN now() END WHERE id = %s",
            [on, on, self.provider],
        )

    def heard(self) -> list[tuple[str, str]]:
        return [(one["event"], one["reason"]) for one in self.hook.received]


@pytest.fixture
def outage(connection: Db, project: UUID, hook: outside.Hook) -> Outage:
    return Outage(connection, project, hook)


@pytest.mark.parametrize("another", [False, True])
def test_who_was_told_of_an_outage_and_was_off_at_its_end_is_told_late(outage: Outage, another: bool) -> None:
    with outside.hook() as second:
        if another:
            rows.a_provider(outage.db, outage.project, second.url, outage.monitor)
        outage.tell("monitor.down")
        outage.switch(False)
        up = outage.tell("monitor.up")
        assert [event for event, _ in outage.heard()] == ["monitor.down"]
        # When it is on again
        outage.switch(True)
        for _ in range(2):
            sweep.sweep.fn()
            outage.deliver()
        # Then it hears of the end, once, and that this is late
        assert outage.heard()[1:] == [("monitor.up", LATE)]
        assert rows.value(outage.db, "SELECT status FROM alerts WHERE id = %s", up) == "sent"
        assert rows.value(outage.db, "SELECT suppressed_because FROM alerts WHERE id = %s", up) is None
        assert [one["reason"] for one in second.received if one["event"] == "monitor.up"] == ["Recovered."] * another


def test_who_was_off_when_an_outage_began_is_told_its_end_and_that_it_missed_the_beginning(outage: Outage) -> None:
    outage.switch(False)
    down = outage.tell("monitor.down")
    assert rows.value(outage.db, "SELECT suppressed_because FROM alerts WHERE id = %s", down).startswith("no provider")
    outage.switch(True)
    sweep.sweep.fn()
    outage.deliver()
    assert outage.heard() == []
    outage.tell("monitor.up")
    assert outage.heard() == [("monitor.up", UNTOLD)]


def test_an_ordinary_end_says_nothing_of_the_kind(outage: Outage) -> None:
    outage.tell("monitor.down")
    outage.tell("monitor.up")
    assert outage.heard()[1] == ("monitor.up", "Recovered.")


def never_sent(outage: Outage) -> None:
    outage.db.execute("UPDATE deliveries SET status = 'failed'")


def down_again(outage: Outage) -> None:
    outage.db.execute("UPDATE monitor_states SET status = 'down', failure_sequence = 2")


def recoveries_off(outage: Outage) -> None:
    outage.db.execute("UPDATE alerts SET suppressed_because = 'off: recovery alerts' WHERE type = 'monitor.up'")


def no_longer_ticked(outage: Outage) -> None:
    outage.db.execute("DELETE FROM monitor_notification_settings")


def still_off(outage: Outage) -> None:
    outage.switch(False)
    outage.db.execute("UPDATE notification_providers SET resumed_at = now()")


@pytest.mark.parametrize("reason", [never_sent, down_again, recoveries_off, no_longer_ticked, still_off])
def test_an_end_that_is_not_owed_is_not_told(outage: Outage, reason: Callable[[Outage], None]) -> None:
    outage.tell("monitor.down")
    outage.switch(False)
    outage.tell("monitor.up")
    outage.switch(True)
    reason(outage)
    sweep.sweep.fn()
    outage.deliver()
    assert [event for event, _ in outage.heard()] == ["monitor.down"]


@pytest.mark.parametrize(("kind", "single"), [("slack", 0), ("webhook", 12)])
def test_people_get_many_ends_in_one_summary_and_machines_each(
    connection: Db, project: UUID, hook: outside.Hook, kind: str, single: int
) -> None:
    provider = rows.a_provider(connection, project, hook.url, type=kind, resumed_at=datetime.now(UTC))
    earlier = datetime.now(UTC) - timedelta(minutes=5)
    for _ in range(12):
        monitor = rows.a_monitor(connection, project, state={"status": "up", "failure_sequence": 1})
        connection.execute("INSERT INTO monitor_notification_settings VALUES (%s, %s)", [monitor, provider])
        down = rows.an_alert(connection, project, monitor, planned_at=earlier)
        rows.a_delivery(connection, down, provider, status="sent")
        up: dict[str, Any] = {"type": "monitor.up", "alert_number": None, "context": json.dumps({"status": "up"})}
        rows.an_alert(connection, project, monitor, planned_at=earlier, **up)
    sweep.sweep.fn()
    assert len(messages.waiting(queues.DELIVERIES)) == single
    assert rows.value(connection, "SELECT count(*) FROM storm_changes") == 12 - single
