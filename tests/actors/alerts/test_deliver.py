"""Deliveries to a real HTTP service on loopback."""

import importlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from actors import queues
from actors.alerts import circuit_breakers
from actors.alerts.deliver import deliver
from actors.broker import broker
from actors.runtime import credential_uses, process_registry
from models.queries import deliveries
from scheduling import sweep
from tests import messages, outside, rows

Db = psycopg.Connection[Any]
#: The module, which its actor's name hides.
deliver_module: Any = importlib.import_module("actors.alerts.deliver")


class Planned:
    """One alert on its way to one webhook."""

    def __init__(self, db: Db, project: UUID, url: str) -> None:
        self.db = db
        self.monitor = rows.a_monitor(db, project)
        self.provider = rows.a_provider(db, project, url, self.monitor)
        self.alert = rows.an_alert(db, project, self.monitor, planned_at=datetime.now(UTC))
        self.delivery = rows.a_delivery(db, self.alert, self.provider)

    def attempt(self) -> None:
        deliver.fn(str(self.delivery))

    def row(self) -> tuple[Any, ...]:
        return (
            self.db.execute("SELECT status, attempts, error FROM deliveries WHERE id = %s", [self.delivery]).fetchone()
            or ()
        )

    def next_attempt_at(self) -> datetime:
        moment = rows.value(self.db, "SELECT next_attempt_at FROM deliveries WHERE id = %s", self.delivery)
        assert isinstance(moment, datetime)
        return moment

    def alert_status(self) -> str:
        return str(rows.value(self.db, "SELECT status FROM alerts WHERE id = %s", self.alert))

    def broken(self) -> bool:
        return bool(rows.value(self.db, "SELECT broken FROM notification_providers WHERE id = %s", self.provider))


@pytest.fixture
def planned(connection: Db, project: UUID, hook: outside.Hook) -> Planned:
    return Planned(connection, project, hook.url)


def test_a_delivery_carries_its_id_and_is_sent_once_however_often_it_is_asked_for(
    planned: Planned, hook: outside.Hook
) -> None:
    for _ in range(3):
        planned.attempt()
    assert [one["deliveryId"] for one in hook.received] == [str(planned.delivery)]
    assert hook.received[0]["alertId"] == str(planned.alert)
    assert planned.row() == ("sent", 1, None)
    assert planned.alert_status() == "sent"


@pytest.mark.parametrize("error", [psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction])
def test_a_database_that_is_away_after_the_call_does_not_have_it_made_twice(
    planned: Planned, hook: outside.Hook, monkeypatch: pytest.MonkeyPatch, error: type[psycopg.Error]
) -> None:
    # Given a database that is there for the claim, and away when the service has answered
    real, turns = deliver_module.transaction, iter([False, True, True, False, False])

    @contextmanager
    def shaky(**options: bool) -> Iterator[Db]:
        if next(turns):
            raise error("the server closed the connection")
        with real(**options) as db:
            yield db

    monkeypatch.setattr(deliver_module, "transaction", shaky)
    monkeypatch.setattr(deliver_module, "RETRY_SECONDS", 0.01)
    # When one attempt is made
    planned.attempt()
    # Then it is recorded once the database is back
    assert len(hook.received) == 1
    assert planned.row() == ("sent", 1, None)


def test_two_workers_at_once_send_once(planned: Planned, hook: outside.Hook) -> None:
    both = [threading.Thread(target=planned.attempt) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(hook.received) == 1


def test_a_failing_service_is_tried_again_within_five_seconds_and_then_within_twenty(
    planned: Planned, hook: outside.Hook
) -> None:
    hook.status = 500
    for number, most in ((1, 5), (2, 20)):
        began = datetime.now(UTC)
        planned.attempt()
        status, attempts, error = planned.row()
        assert (status, attempts) == ("retrying", number)
        assert "500" in error
        wait = planned.next_attempt_at() - began
        assert timedelta(seconds=1) < wait <= timedelta(seconds=most) - sweep.INTERVAL
        # Until then no process may try
        planned.attempt()
        assert len(hook.received) == number
        planned.db.execute("UPDATE deliveries SET next_attempt_at = now()")
    assert planned.alert_status() == "pending"
    assert not planned.broken()
    # When the service has recovered, the sweep's next message brings it through, with the same id
    hook.status = 200
    planned.attempt()
    assert planned.row() == ("sent", 3, None)
    assert {one["deliveryId"] for one in hook.received} == {str(planned.delivery)}


def test_a_service_that_says_never_is_not_asked_again_and_marks_the_channel(
    planned: Planned, hook: outside.Hook
) -> None:
    hook.status = 404
    planned.attempt()
    planned.attempt()
    status, attempts, error = planned.row()
    assert (status, attempts) == ("failed", 1)
    assert "404" in error
    assert planned.alert_status() == "failed"
    assert planned.broken()
    assert len(hook.received) == 1


def test_a_channel_that_works_again_is_no_longer_broken(planned: Planned) -> None:
    planned.db.execute("UPDATE notification_providers SET broken = true")
    planned.attempt()
    assert not planned.broken()


def test_the_wait_that_a_service_asks_for_is_obeyed(planned: Planned, hook: outside.Hook) -> None:
    hook.status, hook.headers = 429, {"Retry-After": "120"}
    began = datetime.now(UTC)
    planned.attempt()
    assert planned.row()[0] == "retrying"
    assert timedelta(seconds=119) < planned.next_attempt_at() - began < timedelta(seconds=140)


def test_after_a_day_it_is_given_up(planned: Planned, hook: outside.Hook) -> None:
    hook.status = 503
    planned.db.execute("UPDATE deliveries SET created_at = now() - interval '1 day'")
    planned.attempt()
    assert planned.row()[:2] == ("failed", 1)
    assert planned.alert_status() == "failed"
    assert not planned.broken(), "a service that is away is not a channel that is wrong"


def test_a_deleted_provider_ends_its_deliveries(planned: Planned, hook: outside.Hook) -> None:
    planned.db.execute("DELETE FROM notification_providers")
    planned.attempt()
    assert planned.row() == ("failed", 1, "The provider was deleted.")
    assert planned.alert_status() == "failed"
    assert hook.received == []


def test_a_deleted_monitors_alert_still_goes_out(planned: Planned, hook: outside.Hook) -> None:
    planned.db.execute("DELETE FROM monitors")
    planned.attempt()
    assert planned.row()[0] == "sent"
    assert hook.received[0]["monitor"]["name"] == "Shop"


def test_one_failed_channel_of_two_makes_the_alert_failed_once_both_have_ended(
    planned: Planned, project: UUID, hook: outside.Hook
) -> None:
    with outside.hook() as other:
        provider = rows.a_provider(planned.db, project, other.url, planned.monitor)
        second = rows.a_delivery(planned.db, planned.alert, provider)
        hook.status = 404
        planned.attempt()
        assert planned.alert_status() == "pending"
        deliver.fn(str(second))
        assert planned.alert_status() == "failed"


def test_credentials_that_do_not_open_fail_for_good_without_a_word_of_them(
    planned: Planned, hook: outside.Hook
) -> None:
    sealed = rows.value(planned.db, "SELECT secrets FROM notification_providers")
    planned.db.execute("UPDATE notification_providers SET secrets = %s", [sealed[:-1] + bytes([sealed[-1] ^ 1])])
    planned.attempt()
    assert planned.row() == ("failed", 1, "The stored credentials cannot be decrypted. Enter them again.")
    assert hook.received == []


def test_a_fault_of_our_own_is_retried_in_growing_steps_and_shows_no_secret(planned: Planned) -> None:
    planned.db.execute("UPDATE deliveries SET provider_type = 'pigeon'")
    planned.attempt()
    status, attempts, error = planned.row()
    assert (status, attempts) == ("retrying", 1)
    assert error == "The message could not be created (KeyError)."


def test_a_worker_that_died_while_sending_is_replaced_when_its_claim_has_run_out(
    planned: Planned, hook: outside.Hook
) -> None:
    # Given a delivery claimed by a worker that never came back
    planned.db.execute("UPDATE deliveries SET attempts = 1, claimed_until = now() + interval '1 minute'")
    planned.attempt()
    assert hook.received == []
    planned.db.execute("UPDATE deliveries SET claimed_until = now(), created_at = now() - interval '1 minute'")
    sweep.sweep.fn()
    assert [message.args[0] for message in messages.waiting(queues.DELIVERIES)] == [str(planned.delivery)]
    planned.attempt()
    assert planned.row()[:2] == ("sent", 2)


def test_deliveries_after_a_service_hangs_are_held_back_and_lose_no_attempt(
    connection: Db, project: UUID, hook: outside.Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breakers, "SLOW_SECONDS", 0.0)
    circuit_breakers.reset()
    hook.status = 503
    for _ in range(circuit_breakers.FAILURES):
        Planned(connection, project, hook.url).attempt()
    assert len(hook.received) == circuit_breakers.FAILURES

    # When one more is to be delivered, it waits in its row, without a call
    held_back = Planned(connection, project, hook.url)
    held_back.attempt()
    assert len(hook.received) == circuit_breakers.FAILURES
    status, attempts, error = held_back.row()
    assert (status, attempts) == ("pending", 0)
    assert "Paused for a few seconds" in error
    wait = (held_back.next_attempt_at() - datetime.now(UTC)).total_seconds()
    assert 0 < wait <= circuit_breakers.OPEN_SECONDS + 1
    # And goes out by the sweep, once the pause is over
    circuit_breakers.reset()
    hook.status = 200
    held_back.db.execute("UPDATE deliveries SET next_attempt_at = now() WHERE id = %s", [held_back.delivery])
    sweep.sweep.fn()
    assert str(held_back.delivery) in {message.args[0] for message in messages.waiting(queues.DELIVERIES)}
    held_back.attempt()
    assert held_back.row() == ("sent", 1, None)


def test_many_quick_failures_postpone_nobodys_first_retry(connection: Db, project: UUID, hook: outside.Hook) -> None:
    hook.status = 503
    all_planned = [Planned(connection, project, hook.url) for _ in range(2 * circuit_breakers.FAILURES)]
    for one in all_planned:
        began = datetime.now(UTC)
        one.attempt()
        assert one.row()[:2] == ("retrying", 1)
        assert one.next_attempt_at() - began < timedelta(seconds=5) - sweep.INTERVAL


def test_every_attempt_is_kept_with_what_came_of_it(planned: Planned, hook: outside.Hook) -> None:
    hook.status = 500
    planned.attempt()
    hook.status = 200
    planned.db.execute("UPDATE deliveries SET next_attempt_at = now()")
    planned.attempt()
    first, second = rows.value(planned.db, "SELECT attempt_log FROM deliveries")
    assert (first["outcome"], second["outcome"]) == ("retrying", "sent")
    assert "500" in first["error"]
    assert second["error"] is None
    assert 0 < first["durationMs"] < 60_000
    assert datetime.fromisoformat(first["at"]) < datetime.fromisoformat(second["at"]) <= datetime.now(UTC)


def test_the_log_keeps_the_newest_attempts(planned: Planned, hook: outside.Hook) -> None:
    hook.status = 500
    for _ in range(deliveries.MAX_LOGGED + 2):
        planned.db.execute("UPDATE deliveries SET next_attempt_at = now()")
        planned.attempt()
    log = rows.value(planned.db, "SELECT attempt_log FROM deliveries")
    assert len(log) == deliveries.MAX_LOGGED


def test_what_a_dead_worker_had_claimed_is_taken_over_before_its_lease_ends(
    planned: Planned, hook: outside.Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a delivery claimed by a process that gives no sign of life, and one by a process that does
    monkeypatch.setattr(process_registry, "SURE_AFTER_SECONDS", 0.0)
    planned.db.execute(
        "UPDATE deliveries SET attempts = 1, claimed_by = 'alive', claimed_until = now() + interval '1 min'"
    )
    signs = f"{broker.namespace}:__heartbeats__"
    broker.client.zadd(signs, {"alive": int(time.time() * 1000)})
    sweep.sweep.fn()
    assert messages.waiting(queues.DELIVERIES) == []
    # When it has been silent for long enough
    broker.client.zadd(signs, {"alive": 1})
    planned.db.execute("UPDATE deliveries SET created_at = now() - interval '6 s'")
    sweep.sweep.fn()
    # Then another worker sends the message, with the same id, and the lost attempt is on record
    assert [message.args[0] for message in messages.waiting(queues.DELIVERIES)] == [str(planned.delivery)]
    planned.attempt()
    assert planned.row() == ("sent", 2, None)
    log = rows.value(planned.db, "SELECT attempt_log FROM deliveries")
    assert [one["outcome"] for one in log] == ["lost", "sent"]


def test_a_process_silent_for_a_moment_keeps_what_it_claimed(planned: Planned) -> None:
    planned.db.execute(
        "UPDATE deliveries SET attempts = 1, claimed_by = 'away', claimed_until = now() + interval '1 min'"
    )
    planned.db.execute("UPDATE deliveries SET created_at = now() - interval '6 s'")
    sweep.sweep.fn()
    sweep.sweep.fn()
    assert messages.waiting(queues.DELIVERIES) == []


def test_the_use_of_a_channels_credentials_is_on_record(
    planned: Planned, connection: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = credential_uses.Ledger("worker")
    monkeypatch.setattr(credential_uses, "_ledger", ledger)
    planned.attempt()
    ledger.write()
    found = connection.execute("SELECT action, object_id, details->>'purpose' FROM audit_events").fetchall()
    assert found == [("credential.used", planned.provider, "delivery")]


def test_people_find_the_outage_by_a_link_in_the_message(connection: Db, project: UUID, hook: outside.Hook) -> None:
    # Given an outage that is sent to a channel for people
    monitor = rows.a_monitor(connection, project)
    provider = rows.a_provider(connection, project, hook.url, monitor, type="teams")
    alert = rows.an_alert(connection, project, monitor, planned_at=datetime.now(UTC))
    delivery = rows.a_delivery(connection, alert, provider, provider_type="teams")
    sequence = rows.value(connection, "SELECT failure_sequence FROM alerts WHERE id = %s", alert)
    incident = uuid4()
    connection.execute(
        "INSERT INTO incidents (id, monitor_id, failure_sequence, started_at) VALUES (%s, %s, %s, now())",
        [incident, monitor, sequence],
    )
    deliver.fn(str(delivery))
    assert f"/incidents/{incident}" in json.dumps(hook.received[0])


def test_a_failure_that_could_be_told_only_when_it_was_over_says_so(planned: Planned, hook: outside.Hook) -> None:
    # Given an outage whose first message did not get through
    began = datetime.now(UTC) - timedelta(minutes=5)
    hook.status = 500
    planned.attempt()
    # When it ends before the next attempt
    planned.db.execute(
        "INSERT INTO incidents (id, monitor_id, failure_sequence, started_at, ended_at, reason) VALUES (%s, %s, 1, %s, %s, '')",
        [uuid4(), planned.monitor, began, began + timedelta(minutes=2)],
    )
    hook.status = 200
    planned.db.execute("UPDATE deliveries SET next_attempt_at = now()")
    planned.attempt()
    # Then both messages are the same, but for the end
    first, second = hook.received
    assert "endedAt" not in first
    assert datetime.fromisoformat(second["endedAt"]) == began + timedelta(minutes=2)
    assert (first["deliveryId"], first["event"]) == (second["deliveryId"], second["event"])
