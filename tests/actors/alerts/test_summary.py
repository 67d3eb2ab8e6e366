"""Alert grouping: human channels get a summary, event receivers every event; no alert is lost or sent twice."""

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


class Cluster:
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
        notices = self.monitors if monitors is None else monitors
        made = [rows.an_alert(self.db, self.project, one, type=event, alert_number=number) for one in notices]
        alert.fn([str(one) for one in made])
        return made

    def deliveries(self, provider: UUID) -> int:
        return int(rows.value(self.db, "SELECT count(*) FROM deliveries WHERE provider_id = %s", provider))

    def summaries(self) -> list[tuple[str, int]]:
        """(reason, number of changes sent) of each summary, the oldest first."""
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
        """Let the flood be over."""
        self.db.execute("UPDATE alerts SET planned_at = planned_at - %s", [grouping.WINDOW])


@pytest.fixture
def cluster(connection: Db, project: UUID) -> Cluster:
    return Cluster(connection, project, 50)


def test_people_get_ten_messages_and_a_summary_and_machines_every_event(cluster: Cluster) -> None:
    made = cluster.change()
    cluster.calm()
    assert cluster.deliveries(cluster.machine) == 50
    assert cluster.deliveries(cluster.people) == 10 + 1
    assert cluster.summaries() == [("40 alerts in a short time: 40 down.", 40)]
    # And each of the collected alerts says so, while its status is that of the webhook's delivery
    said = cluster.db.execute(
        "SELECT status, suppressed_because FROM alerts WHERE id = ANY(%s) ORDER BY created_at, id", [made]
    ).fetchall()
    assert [row[0] for row in said] == ["pending"] * 50
    assert sorted(row[1] or "" for row in said) == [""] * 10 + [grouping.REASON] * 40


def test_where_only_people_are_told_a_collected_alert_is_suppressed_with_the_reason(
    connection: Db, project: UUID
) -> None:
    cluster = Cluster(connection, project, 12)
    connection.execute("DELETE FROM monitor_notification_settings WHERE provider_id = %s", [cluster.machine])
    cluster.change()
    said = connection.execute("SELECT status, suppressed_because FROM alerts ORDER BY status").fetchall()
    assert said == [("pending", None)] * 10 + [("suppressed", grouping.REASON)] * 2


def test_recoveries_at_the_end_are_summarised_likewise(cluster: Cluster) -> None:
    cluster.change()
    cluster.calm()
    cluster.later()
    cluster.change("monitor.up")
    cluster.calm()
    assert cluster.deliveries(cluster.people) == 2 * (10 + 1)
    assert cluster.deliveries(cluster.machine) == 2 * 50
    assert cluster.summaries()[1] == ("40 alerts in a short time: 40 up again.", 40)


def test_a_flood_that_goes_on_is_sent_in_further_summaries(cluster: Cluster) -> None:
    cluster.change(monitors=cluster.monitors[:30])
    cluster.calm()
    cluster.change(monitors=cluster.monitors[30:])
    cluster.calm()
    assert [count for _, count in cluster.summaries()] == [20, 20]
    cluster.calm()
    assert len(cluster.summaries()) == 2


def test_up_to_the_threshold_nothing_is_collected_however_often_they_change(connection: Db, project: UUID) -> None:
    cluster = Cluster(connection, project, 10)
    for event in ("monitor.down", "monitor.up"):
        cluster.change(event)
    assert cluster.deliveries(cluster.people) == 20
    assert rows.value(connection, "SELECT count(*) FROM storm_changes") == 0


def test_a_threshold_of_zero_turns_it_off(cluster: Cluster, settings_of: SettingsOf) -> None:
    settings_of(storm_threshold=0)
    cluster.change()
    assert cluster.deliveries(cluster.people) == 50


def test_a_manual_alert_is_sent_at_once_in_the_worst_flood(cluster: Cluster) -> None:
    cluster.change()
    by_hand = rows.an_alert(
        cluster.db, cluster.project, cluster.monitors[40], manual=True, failure_sequence=None, alert_number=None
    )
    alert.fn([str(by_hand)])
    assert rows.value(cluster.db, "SELECT count(*) FROM deliveries WHERE alert_id = %s", by_hand) == 2


def test_monitors_without_a_recipient_make_no_flood(cluster: Cluster) -> None:
    cluster.db.execute("UPDATE monitors SET alerts_enabled = false WHERE id = ANY(%s)", [cluster.monitors[:45]])
    cluster.change()
    assert cluster.deliveries(cluster.people) == 5


def test_a_flood_in_another_project_does_not_count(cluster: Cluster) -> None:
    cluster.change()
    elsewhere = Cluster(cluster.db, rows.a_project(cluster.db), 1)
    elsewhere.change()
    assert elsewhere.deliveries(elsewhere.people) == 1


def test_planners_at_the_same_time_let_no_more_through(cluster: Cluster) -> None:
    made = [str(rows.an_alert(cluster.db, cluster.project, one)) for one in cluster.monitors]
    planners = [threading.Thread(target=alert.fn, args=[made[start::5]]) for start in range(5)]
    for one in planners:
        one.start()
    for one in planners:
        one.join()
    assert cluster.deliveries(cluster.people) == 10
    assert cluster.deliveries(cluster.machine) == 50
    assert rows.value(cluster.db, "SELECT count(*) FROM storm_changes") == 40


def test_a_crash_before_or_after_the_summary_loses_nothing_and_tells_nothing_twice(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.change()
    cluster.db.execute("UPDATE storm_changes SET collected_at = collected_at - %s", [grouping.QUIET_PERIOD])
    real = summary_module.transaction

    @contextmanager
    def breaking() -> Iterator[Db]:
        with real() as db:
            yield db
            raise RuntimeError("the power fails before the commit")

    # When the process dies just before it has written the summary
    monkeypatch.setattr(summary_module, "transaction", breaking)
    with pytest.raises(RuntimeError, match="power"):
        summary.fn(str(cluster.people))
    assert cluster.summaries() == []
    # And the next one just after, before its message is sent
    monkeypatch.setattr(summary_module, "transaction", real)
    monkeypatch.setattr(summary_module.deliver, "send", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        summary.fn(str(cluster.people))
    monkeypatch.undo()
    # Then there is one summary, however often it is asked for, and the sweep finds its delivery
    summary.fn(str(cluster.people))
    cluster.calm()
    assert [count for _, count in cluster.summaries()] == [40]
    broker.flush(queues.DELIVERIES)
    cluster.db.execute("UPDATE deliveries SET created_at = created_at - interval '10 s'")
    sweep.sweep.fn()
    found = rows.value(
        cluster.db, "SELECT d.id::text FROM deliveries d JOIN alerts a ON a.id = d.alert_id WHERE a.type = 'summary'"
    )
    assert found in [message.args[0] for message in messages.waiting(queues.DELIVERIES)]


def test_two_at_once_tell_it_once(cluster: Cluster) -> None:
    cluster.change()
    cluster.db.execute("UPDATE storm_changes SET collected_at = collected_at - %s", [grouping.QUIET_PERIOD])
    both = [threading.Thread(target=summary.fn, args=[str(cluster.people)]) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [count for _, count in cluster.summaries()] == [40]


def test_a_summary_that_is_too_early_waits(cluster: Cluster) -> None:
    cluster.change()
    summary.fn(str(cluster.people))
    sweep.sweep.fn()
    assert cluster.summaries() == []
    assert messages.waiting(queues.ALERTS) == []


def test_a_recovery_is_told_where_its_failure_was_told_in_a_summary(connection: Db, project: UUID) -> None:
    cluster = Cluster(connection, project, 11)
    connection.execute("DELETE FROM monitor_notification_settings WHERE provider_id = %s", [cluster.machine])
    cluster.change()
    (collected,) = connection.execute("SELECT monitor_id FROM alerts WHERE status = 'suppressed'").fetchone() or ()
    cluster.later()
    (recovery,) = cluster.change("monitor.up", [collected])
    assert rows.value(connection, "SELECT status FROM alerts WHERE id = %s", recovery) == "pending"


def test_the_summary_tells_every_change(connection: Db, project: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(connection, project, 12)
    cluster.change()
    cluster.calm()
    notices: list[Any] = []
    monkeypatch.setitem(notifications.SENDERS, "slack", lambda notice, _: notices.append(notice))
    query = "SELECT d.id::text FROM deliveries d JOIN alerts a ON a.id = d.alert_id WHERE a.type = 'summary'"
    deliver.fn(rows.value(connection, query))
    (notice,) = notices
    assert (notice.event, notice.status, notice.monitor.name) == ("summary", "down", "2 monitors")
    assert notice.monitor.url.endswith("/alerts")
    assert notice.reason == "2 alerts in a short time: 2 down."
    assert [one.event for one in notice.changes] == ["monitor.down"] * 2
    assert {UUID(one.url.rpartition("/")[2]) for one in notice.changes} <= set(cluster.monitors)
    assert notice.changes[0].at <= notice.changes[1].at <= datetime.now(UTC)
    assert rows.value(connection, "SELECT status FROM alerts WHERE type = 'summary'") == "sent"
