"""Storms: people are told in a summary, machines of every event, and no alert is lost or told twice."""

import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

import notifications
from actors import queues
from actors.alerts import grouping
from actors.alerts.alert import alert
from actors.alerts.deliver import deliver
from actors.alerts.summary import summary
from actors.broker import broker
from scheduling import sweep
from tests import messages, rows
from tests.conftest import SettingsOf

Db = psycopg.Connection[Any]
summary_module: Any = importlib.import_module("actors.alerts.summary")
NOWHERE = "http://127.0.0.1:9/"


class Town:
    """Monitors of one project that all tell the same people and the same machine."""

    def __init__(self, db: Db, project: UUID, count: int) -> None:
        self.db, self.project = db, project
        self.people = rows.a_provider(db, project, NOWHERE, type="slack")
        self.machine = rows.a_provider(db, project, NOWHERE)
        self.monitors = [rows.a_monitor(db, project, name=f"Shop {number}") for number in range(count)]
        for monitor in self.monitors:
            self.tell(monitor, self.people, self.machine)

    def tell(self, monitor: UUID, *providers: UUID) -> None:
        for provider in providers:
            self.db.execute("INSERT INTO monitor_notification_settings VALUES (%s, %s)", [monitor, provider])

    def change(self, event: str = "monitor.down", monitors: list[UUID] | None = None) -> list[UUID]:
        """An alert of every monitor, planned."""
        number = 1 if event == "monitor.down" else None
        told = self.monitors if monitors is None else monitors
        made = [rows.an_alert(self.db, self.project, one, type=event, alert_number=number) for one in told]
        alert.fn([str(one) for one in made])
        return made

    def deliveries(self, provider: UUID) -> int:
        return int(rows.value(self.db, "SELECT count(*) FROM deliveries WHERE provider_id = %s", provider))

    def summaries(self) -> list[tuple[str, int]]:
        """(reason, number of changes told) of each summary, the oldest first."""
        return self.db.execute(
            "SELECT reason, jsonb_array_length(context -> 'changes') FROM alerts WHERE type = 'summary' ORDER BY created_at"
        ).fetchall()

    def calm(self) -> None:
        """Let the moment pass that a summary waits for, and have the sweep find it."""
        self.db.execute("UPDATE storm_changes SET collected_at = collected_at - %s", [grouping.QUIET_PERIOD])
        sweep.sweep.fn()
        for message in messages.waiting(queues.ALERTS):
            if message.actor_name == "summary":
                summary.fn(*message.args)
        broker.flush(queues.ALERTS)

    def later(self) -> None:
        """Let the storm be over."""
        self.db.execute("UPDATE alerts SET planned_at = planned_at - %s", [grouping.WINDOW])


@pytest.fixture
def town(connection: Db, project: UUID) -> Town:
    return Town(connection, project, 50)


def test_people_get_ten_messages_and_a_summary_and_machines_every_event(town: Town) -> None:
    made = town.change()
    town.calm()
    assert town.deliveries(town.machine) == 50
    assert town.deliveries(town.people) == 10 + 1
    assert town.summaries() == [("40 alerts in a short time: 40 down.", 40)]
    # And each of the collected alerts says so, while its status is that of the webhook's delivery
    said = town.db.execute(
        "SELECT status, suppressed_because FROM alerts WHERE id = ANY(%s) ORDER BY created_at, id", [made]
    ).fetchall()
    assert [row[0] for row in said] == ["pending"] * 50
    assert sorted(row[1] or "" for row in said) == [""] * 10 + [grouping.REASON] * 40


def test_where_only_people_are_told_a_collected_alert_is_suppressed_with_the_reason(
    connection: Db, project: UUID
) -> None:
    town = Town(connection, project, 12)
    connection.execute("DELETE FROM monitor_notification_settings WHERE provider_id = %s", [town.machine])
    town.change()
    said = connection.execute("SELECT status, suppressed_because FROM alerts ORDER BY status").fetchall()
    assert said == [("pending", None)] * 10 + [("suppressed", grouping.REASON)] * 2


def test_recoveries_at_the_end_are_summarised_likewise(town: Town) -> None:
    town.change()
    town.calm()
    town.later()
    town.change("monitor.up")
    town.calm()
    assert town.deliveries(town.people) == 2 * (10 + 1)
    assert town.deliveries(town.machine) == 2 * 50
    assert town.summaries()[1] == ("40 alerts in a short time: 40 up again.", 40)


def test_a_storm_that_goes_on_is_told_in_further_summaries(town: Town) -> None:
    town.change(monitors=town.monitors[:30])
    town.calm()
    town.change(monitors=town.monitors[30:])
    town.calm()
    assert [count for _, count in town.summaries()] == [20, 20]
    town.calm()
    assert len(town.summaries()) == 2


def test_up_to_the_threshold_nothing_is_collected_however_often_they_change(connection: Db, project: UUID) -> None:
    town = Town(connection, project, 10)
    for event in ("monitor.down", "monitor.up"):
        town.change(event)
    assert town.deliveries(town.people) == 20
    assert rows.value(connection, "SELECT count(*) FROM storm_changes") == 0


def test_a_threshold_of_zero_turns_it_off(town: Town, settings_of: SettingsOf) -> None:
    settings_of(storm_threshold=0)
    town.change()
    assert town.deliveries(town.people) == 50


def test_an_alert_by_hand_is_told_at_once_in_the_worst_storm(town: Town) -> None:
    town.change()
    by_hand = rows.an_alert(
        town.db, town.project, town.monitors[40], manual=True, failure_sequence=None, alert_number=None
    )
    alert.fn([str(by_hand)])
    assert rows.value(town.db, "SELECT count(*) FROM deliveries WHERE alert_id = %s", by_hand) == 2


def test_monitors_that_tell_nobody_make_no_storm(town: Town) -> None:
    town.db.execute("UPDATE monitors SET alerts_enabled = false WHERE id = ANY(%s)", [town.monitors[:45]])
    town.change()
    assert town.deliveries(town.people) == 5


def test_another_projects_storm_is_not_ours(town: Town) -> None:
    town.change()
    elsewhere = Town(town.db, rows.a_project(town.db), 1)
    elsewhere.change()
    assert elsewhere.deliveries(elsewhere.people) == 1


def test_planners_at_the_same_time_let_no_more_through(town: Town) -> None:
    made = [str(rows.an_alert(town.db, town.project, one)) for one in town.monitors]
    planners = [threading.Thread(target=alert.fn, args=[made[start::5]]) for start in range(5)]
    for one in planners:
        one.start()
    for one in planners:
        one.join()
    assert town.deliveries(town.people) == 10
    assert town.deliveries(town.machine) == 50
    assert rows.value(town.db, "SELECT count(*) FROM storm_changes") == 40


def test_a_crash_before_or_after_the_summary_loses_nothing_and_tells_nothing_twice(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.change()
    town.db.execute("UPDATE storm_changes SET collected_at = collected_at - %s", [grouping.QUIET_PERIOD])
    real = summary_module.transaction

    @contextmanager
    def breaking() -> Iterator[Db]:
        with real() as db:
            yield db
            raise RuntimeError("the power fails before the commit")

    # When the process dies just before it has written the summary
    monkeypatch.setattr(summary_module, "transaction", breaking)
    with pytest.raises(RuntimeError, match="power"):
        summary.fn(str(town.people))
    assert town.summaries() == []
    # And the next one just after, before its message is sent
    monkeypatch.setattr(summary_module, "transaction", real)
    monkeypatch.setattr(summary_module.deliver, "send", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        summary.fn(str(town.people))
    monkeypatch.undo()
    # Then there is one summary, whoever asks again, and the sweep finds its delivery
    summary.fn(str(town.people))
    town.calm()
    assert [count for _, count in town.summaries()] == [40]
    broker.flush(queues.DELIVERIES)
    town.db.execute("UPDATE deliveries SET created_at = created_at - interval '10 s'")
    sweep.sweep.fn()
    found = rows.value(
        town.db, "SELECT d.id::text FROM deliveries d JOIN alerts a ON a.id = d.alert_id WHERE a.type = 'summary'"
    )
    assert found in [message.args[0] for message in messages.waiting(queues.DELIVERIES)]


def test_two_at_once_tell_it_once(town: Town) -> None:
    town.change()
    town.db.execute("UPDATE storm_changes SET collected_at = collected_at - %s", [grouping.QUIET_PERIOD])
    both = [threading.Thread(target=summary.fn, args=[str(town.people)]) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [count for _, count in town.summaries()] == [40]


def test_a_summary_that_is_too_early_waits(town: Town) -> None:
    town.change()
    summary.fn(str(town.people))
    sweep.sweep.fn()
    assert town.summaries() == []
    assert messages.waiting(queues.ALERTS) == []


def test_a_recovery_is_told_where_its_failure_was_told_in_a_summary(connection: Db, project: UUID) -> None:
    town = Town(connection, project, 11)
    connection.execute("DELETE FROM monitor_notification_settings WHERE provider_id = %s", [town.machine])
    town.change()
    (collected,) = connection.execute("SELECT monitor_id FROM alerts WHERE status = 'suppressed'").fetchone() or ()
    town.later()
    (recovery,) = town.change("monitor.up", [collected])
    assert rows.value(connection, "SELECT status FROM alerts WHERE id = %s", recovery) == "pending"


def test_the_summary_tells_every_change(connection: Db, project: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(connection, project, 12)
    town.change()
    town.calm()
    told: list[Any] = []
    monkeypatch.setitem(notifications.SENDERS, "slack", lambda notice, _: told.append(notice))
    query = "SELECT d.id::text FROM deliveries d JOIN alerts a ON a.id = d.alert_id WHERE a.type = 'summary'"
    deliver.fn(rows.value(connection, query))
    (notice,) = told
    assert (notice.event, notice.status, notice.monitor.name) == ("summary", "down", "2 monitors")
    assert notice.monitor.url.endswith("/alerts")
    assert notice.reason == "2 alerts in a short time: 2 down."
    assert [one.event for one in notice.changes] == ["monitor.down"] * 2
    assert {UUID(one.url.rpartition("/")[2]) for one in notice.changes} <= set(town.monitors)
    assert notice.changes[0].at <= notice.changes[1].at <= datetime.now(UTC)
    assert rows.value(connection, "SELECT status FROM alerts WHERE type = 'summary'") == "sent"
