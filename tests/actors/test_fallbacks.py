"""A provider that stands in for another one, and a limit that makes messages wait."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors import queues
from actors.alerts import grouping, rate_limit
from actors.alerts.deliver import deliver
from actors.broker import broker
from scheduling import sweep
from tests import messages, outside, rows
from tests.waiting import until

Db = psycopg.Connection[Any]


@pytest.fixture
def other() -> Iterator[outside.Hook]:
    with outside.hook() as it:
        yield it


class Pair:
    """An alert on its way to a webhook whose fallback is another one."""

    def __init__(self, db: Db, project: UUID, first: str, second: str) -> None:
        self.db = db
        self.monitor = rows.a_monitor(db, project)
        self.fallback = rows.a_provider(db, project, second, name="Fallback")
        self.provider = rows.a_provider(db, project, first, self.monitor, fallback_provider_id=self.fallback)
        self.alert = rows.an_alert(db, project, self.monitor, planned_at=datetime.now(UTC))
        self.delivery = rows.a_delivery(db, self.alert, self.provider)

    def attempt(self) -> None:
        self.db.execute("UPDATE deliveries SET next_attempt_at = now() WHERE id = %s", [self.delivery])
        deliver.fn(str(self.delivery))

    def drive(self) -> None:
        """Run what waits in the queue."""
        waiting = messages.waiting(queues.DELIVERIES)
        broker.flush(queues.DELIVERIES)
        for message in waiting:
            deliver.fn(*message.args)

    def stand_ins(self) -> list[tuple[Any, ...]]:
        return self.db.execute(
            "SELECT status, provider_name, fallback_for FROM deliveries WHERE provider_id = %s", [self.fallback]
        ).fetchall()


@pytest.fixture
def pair(connection: Db, project: UUID, hook: outside.Hook, other: outside.Hook) -> Pair:
    return Pair(connection, project, hook.url, other.url)


def test_the_fallback_gets_what_the_first_one_refused_for_good(
    pair: Pair, hook: outside.Hook, other: outside.Hook
) -> None:
    hook.status = 404
    pair.attempt()
    assert rows.value(pair.db, "SELECT status FROM alerts") == "pending"
    pair.drive()
    assert [one["alertId"] for one in other.received] == [str(pair.alert)]
    assert other.received[0]["deliveryId"] != str(pair.delivery)
    assert pair.stand_ins() == [("sent", "Fallback", pair.delivery)]
    # One delivery has failed, and the history says so
    assert rows.value(pair.db, "SELECT status FROM alerts") == "failed"


def test_the_fallback_gets_what_a_day_of_retries_could_not_deliver(
    pair: Pair, hook: outside.Hook, other: outside.Hook
) -> None:
    hook.status = 503
    pair.db.execute("UPDATE deliveries SET created_at = now() - interval '1 day'")
    pair.attempt()
    pair.drive()
    assert other.events() == ["monitor.down"]


def test_the_fallback_gets_what_has_been_failing_for_long_once_while_the_retries_go_on(
    pair: Pair, hook: outside.Hook, other: outside.Hook
) -> None:
    hook.status = 503
    pair.attempt()
    sweep.sweep.fn()
    assert pair.stand_ins() == []
    pair.db.execute("UPDATE deliveries SET created_at = now() - interval '16 minutes', next_attempt_at = now()")
    for _ in range(2):
        sweep.sweep.fn()
    assert pair.stand_ins() == [("pending", "Fallback", pair.delivery)]
    pair.db.execute("UPDATE deliveries SET created_at = now() - interval '6 s' WHERE fallback_for IS NOT NULL")
    sweep.sweep.fn()
    pair.drive()
    assert other.events() == ["monitor.down"]
    # And when the first one has recovered, it is notified as well
    hook.status = 200
    pair.attempt()
    assert rows.value(pair.db, "SELECT status FROM alerts") == "sent"
    sweep.sweep.fn()
    assert len(pair.stand_ins()) == 1


@pytest.mark.parametrize("change", ["enabled = false", "fallback_provider_id = NULL"])
def test_without_a_usable_fallback_nobody_stands_in(pair: Pair, hook: outside.Hook, change: str) -> None:
    pair.db.execute(f"UPDATE notification_providers SET {change}")
    hook.status = 404
    pair.attempt()
    assert pair.stand_ins() == []
    assert rows.value(pair.db, "SELECT status FROM alerts") == "failed"


def test_a_fallback_that_is_told_anyway_is_told_once(pair: Pair, hook: outside.Hook) -> None:
    rows.a_delivery(pair.db, pair.alert, pair.fallback, status="sent")
    hook.status = 404
    pair.attempt()
    assert pair.stand_ins() == [("sent", "Hook", None)]


def test_the_fallback_of_a_fallback_is_next(
    connection: Db, project: UUID, hook: outside.Hook, other: outside.Hook
) -> None:
    hook.status = 404
    pair = Pair(connection, project, hook.url, hook.url)
    last = rows.a_provider(connection, project, other.url, name="Last")
    connection.execute(
        "UPDATE notification_providers SET fallback_provider_id = %s WHERE id = %s", [last, pair.fallback]
    )
    pair.attempt()
    pair.drive()
    pair.drive()
    assert other.events() == ["monitor.down"]


def test_in_a_flood_a_fallback_channel_for_people_gets_a_summary(pair: Pair, hook: outside.Hook) -> None:
    pair.db.execute("UPDATE notification_providers SET type = 'slack' WHERE id = %s", [pair.fallback])
    pair.db.execute("UPDATE alerts SET suppressed_because = %s", [grouping.REASON])
    hook.status = 404
    pair.attempt()
    assert pair.stand_ins() == []
    found = pair.db.execute("SELECT alert_id, provider_id FROM storm_changes").fetchall()
    assert found == [(pair.alert, pair.fallback)]


def test_two_workers_keep_a_providers_limit_together_and_drop_nothing(
    connection: Db, project: UUID, hook: outside.Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given ten messages for a provider that may be sent four in a (short) minute
    monkeypatch.setattr(rate_limit, "WINDOW_MS", 2000)
    monitor = rows.a_monitor(connection, project)
    provider = rows.a_provider(connection, project, hook.url, monitor, max_per_minute=4)
    for number in range(1, 11):
        alert = rows.an_alert(connection, project, monitor, alert_number=number, planned_at=datetime.now(UTC))
        rows.a_delivery(connection, alert, provider)
    waiting = [str(row[0]) for row in connection.execute("SELECT id FROM deliveries ORDER BY created_at")]

    # When two workers take them at once
    def work(mine: list[str]) -> None:
        for one in mine:
            deliver.fn(one)

    workers = [threading.Thread(target=work, args=[waiting[start::2]]) for start in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # Then four went out, and the others wait in their rows without having been tried
    rested = connection.execute("SELECT status, attempts, next_attempt_at > created_at FROM deliveries").fetchall()
    assert sorted(rested) == [("pending", 0, True)] * (10 - len(hook.received)) + [("sent", 1, False)] * len(
        hook.received
    )
    assert len(hook.received) >= 4

    # And all of them arrive, as the sweep finds them
    def all_sent() -> bool:
        sweep.sweep.fn()
        for message in messages.waiting(queues.DELIVERIES):
            deliver.fn(*message.args)
        broker.flush(queues.DELIVERIES)
        return rows.value(connection, "SELECT count(*) FROM deliveries WHERE status = 'sent'") == 10

    until(all_sent)
    assert sorted(one["deliveryId"] for one in hook.received) == sorted(waiting)
    # Never more than four within what the limit counts in
    arrivals = sorted(hook.arrivals)
    assert all(later - earlier > 0.5 for earlier, later in zip(arrivals, arrivals[4:], strict=False))


@pytest.mark.parametrize("also_sent", [True, False])
def test_who_stands_in_for_a_failed_summary_gets_one_of_what_it_was_not_told(
    pair: Pair, hook: outside.Hook, also_sent: bool
) -> None:
    # Given a summary of one change, for a provider that refuses it; the fallback may have a summary of its own
    db = pair.db
    project = rows.value(db, "SELECT id FROM projects")
    planned_summary = {
        "type": "summary",
        "planned_at": datetime.now(UTC),
        "failure_sequence": None,
        "alert_number": None,
    }
    mine, theirs = (rows.an_alert(db, project, None, **planned_summary) for _ in range(2))
    note = "INSERT INTO storm_changes (alert_id, provider_id, summary_id) VALUES (%s, %s, %s)"
    db.execute("DELETE FROM deliveries")
    db.execute(note, [pair.alert, pair.provider, mine])
    if also_sent:
        db.execute(note, [pair.alert, pair.fallback, theirs])
        rows.a_delivery(db, theirs, pair.fallback, status="sent")
    pair.delivery = rows.a_delivery(db, mine, pair.provider)
    hook.status = 404
    # When it fails for good
    pair.attempt()
    # Then no channel gets the same again, and the one that got nothing gets its summary
    waiting = db.execute("SELECT alert_id, provider_id FROM storm_changes WHERE summary_id IS NULL").fetchall()
    assert waiting == ([] if also_sent else [(pair.alert, pair.fallback)])
    assert len(pair.stand_ins()) == int(also_sent)
