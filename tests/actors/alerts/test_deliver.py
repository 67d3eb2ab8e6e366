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


class Told:
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
def told(connection: Db, project: UUID, hook: outside.Hook) -> Told:
    return Told(connection, project, hook.url)


def test_a_delivery_carries_its_id_and_is_sent_once_however_often_it_is_asked_for(
    told: Told, hook: outside.Hook
) -> None:
    for _ in range(3):
        told.attempt()
    assert [one["deliveryId"] for one in hook.received] == [str(told.delivery)]
    assert hook.received[0]["alertId"] == str(told.alert)
    assert told.row() == ("sent", 1, None)
    assert told.alert_status() == "sent"


@pytest.mark.parametrize("error", [psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction])
def test_a_database_that_is_away_after_the_call_does_not_have_it_made_twice(
    told: Told, hook: outside.Hook, monkeypatch: pytest.MonkeyPatch, error: type[psycopg.Error]
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
    told.attempt()
    # Then it is recorded once the database is back
    assert len(hook.received) == 1
    assert told.row() == ("sent", 1, None)


def test_two_workers_at_once_send_once(told: Told, hook: outside.Hook) -> None:
    both = [threading.Thread(target=told.attempt) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(hook.received) == 1


def test_a_failing_service_is_tried_again_within_five_seconds_and_then_within_twenty(
    told: Told, hook: outside.Hook
) -> None:
    hook.status = 500
    for number, most in ((1, 5), (2, 20)):
        began = datetime.now(UTC)
        told.attempt()
        status, attempts, error = told.row()
        assert (status, attempts) == ("retrying", number)
        assert "500" in error
        wait = told.next_attempt_at() - began
        assert timedelta(seconds=1) < wait <= timedelta(seconds=most) - sweep.INTERVAL
        # Until then nobody may try
        told.attempt()
        assert len(hook.received) == number
        told.db.execute("UPDATE deliveries SET next_attempt_at = now()")
    assert told.alert_status() == "pending"
    assert not told.broken()
    # When the service is well again, the sweep's next message brings it through, with the same id
    hook.status = 200
    told.attempt()
    assert told.row() == ("sent", 3, None)
    assert {one["deliveryId"] for one in hook.received} == {str(told.delivery)}


def test_a_service_that_says_never_is_not_asked_again_and_marks_the_channel(told: Told, hook: outside.Hook) -> None:
    hook.status = 404
    told.attempt()
    told.attempt()
    status, attempts, error = told.row()
    assert (status, attempts) == ("failed", 1)
    assert "404" in error
    assert told.alert_status() == "failed"
    assert told.broken()
    assert len(hook.received) == 1


def test_a_channel_that_works_again_is_no_longer_broken(told: Told) -> None:
    told.db.execute("UPDATE notification_providers SET broken = true")
    told.attempt()
    assert not told.broken()


def test_the_wait_that_a_service_asks_for_is_obeyed(told: Told, hook: outside.Hook) -> None:
    hook.status, hook.headers = 429, {"Retry-After": "120"}
    began = datetime.now(UTC)
    told.attempt()
    assert told.row()[0] == "retrying"
    assert timedelta(seconds=119) < told.next_attempt_at() - began < timedelta(seconds=140)


def test_after_a_day_it_is_given_up(told: Told, hook: outside.Hook) -> None:
    hook.status = 503
    told.db.execute("UPDATE deliveries SET created_at = now() - interval '1 day'")
    told.attempt()
    assert told.row()[:2] == ("failed", 1)
    assert told.alert_status() == "failed"
    assert not told.broken(), "a service that is away is not a channel that is wrong"


def test_a_deleted_provider_ends_its_deliveries(told: Told, hook: outside.Hook) -> None:
    told.db.execute("DELETE FROM notification_providers")
    told.attempt()
    assert told.row() == ("failed", 1, "The provider was deleted.")
    assert told.alert_status() == "failed"
    assert hook.received == []


def test_a_deleted_monitors_alert_still_goes_out(told: Told, hook: outside.Hook) -> None:
    told.db.execute("DELETE FROM monitors")
    told.attempt()
    assert told.row()[0] == "sent"
    assert hook.received[0]["monitor"]["name"] == "Shop"


def test_one_failed_channel_of_two_makes_the_alert_failed_once_both_have_ended(
    told: Told, project: UUID, hook: outside.Hook
) -> None:
    with outside.hook() as other:
        provider = rows.a_provider(told.db, project, other.url, told.monitor)
        second = rows.a_delivery(told.db, told.alert, provider)
        hook.status = 404
        told.attempt()
        assert told.alert_status() == "pending"
        deliver.fn(str(second))
        assert told.alert_status() == "failed"


def test_credentials_that_do_not_open_fail_for_good_without_a_word_of_them(told: Told, hook: outside.Hook) -> None:
    sealed = rows.value(told.db, "SELECT secrets FROM notification_providers")
    told.db.execute("UPDATE notification_providers SET secrets = %s", [sealed[:-1] + bytes([sealed[-1] ^ 1])])
    told.attempt()
    assert told.row() == ("failed", 1, "The stored credentials cannot be decrypted. Enter them again.")
    assert hook.received == []


def test_a_fault_of_our_own_is_retried_in_growing_steps_and_shows_no_secret(told: Told) -> None:
    told.db.execute("UPDATE deliveries SET provider_type = 'pigeon'")
    told.attempt()
    status, attempts, error = told.row()
    assert (status, attempts) == ("retrying", 1)
    assert error == "The message could not be created (KeyError)."


def test_a_worker_that_died_while_sending_is_replaced_when_its_claim_has_run_out(
    told: Told, hook: outside.Hook
) -> None:
    # Given a delivery claimed by a worker that never came back
    told.db.execute("UPDATE deliveries SET attempts = 1, claimed_until = now() + interval '1 minute'")
    told.attempt()
    assert hook.received == []
    told.db.execute("UPDATE deliveries SET claimed_until = now(), created_at = now() - interval '1 minute'")
    sweep.sweep.fn()
    assert [message.args[0] for message in messages.waiting(queues.DELIVERIES)] == [str(told.delivery)]
    told.attempt()
    assert told.row()[:2] == ("sent", 2)


def test_a_service_that_hangs_is_spared_the_deliveries_that_follow_and_they_lose_no_attempt(
    connection: Db, project: UUID, hook: outside.Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breakers, "SLOW_SECONDS", 0.0)
    circuit_breakers.reset()
    hook.status = 503
    for _ in range(circuit_breakers.FAILURES):
        Told(connection, project, hook.url).attempt()
    assert len(hook.received) == circuit_breakers.FAILURES

    # When one more is to be delivered, it waits in its row, without a call
    spared = Told(connection, project, hook.url)
    spared.attempt()
    assert len(hook.received) == circuit_breakers.FAILURES
    status, attempts, error = spared.row()
    assert (status, attempts) == ("pending", 0)
    assert "Paused for a few seconds" in error
    wait = (spared.next_attempt_at() - datetime.now(UTC)).total_seconds()
    assert 0 < wait <= circuit_breakers.OPEN_SECONDS + 1
    # And goes out by the sweep, once the pause is over
    circuit_breakers.reset()
    hook.status = 200
    spared.db.execute("UPDATE deliveries SET next_attempt_at = now() WHERE id = %s", [spared.delivery])
    sweep.sweep.fn()
    assert str(spared.delivery) in {message.args[0] for message in messages.waiting(queues.DELIVERIES)}
    spared.attempt()
    assert spared.row() == ("sent", 1, None)


def test_many_quick_failures_postpone_nobodys_first_retry(connection: Db, project: UUID, hook: outside.Hook) -> None:
    hook.status = 503
    all_told = [Told(connection, project, hook.url) for _ in range(2 * circuit_breakers.FAILURES)]
    for one in all_told:
        began = datetime.now(UTC)
        one.attempt()
        assert one.row()[:2] == ("retrying", 1)
        assert one.next_attempt_at() - began < timedelta(seconds=5) - sweep.INTERVAL


def test_every_attempt_is_kept_with_what_came_of_it(told: Told, hook: outside.Hook) -> None:
    hook.status = 500
    told.attempt()
    hook.status = 200
    told.db.execute("UPDATE deliveries SET next_attempt_at = now()")
    told.attempt()
    first, second = rows.value(told.db, "SELECT attempt_log FROM deliveries")
    assert (first["outcome"], second["outcome"]) == ("retrying", "sent")
    assert "500" in first["error"]
    assert second["error"] is None
    assert 0 < first["durationMs"] < 60_000
    assert datetime.fromisoformat(first["at"]) < datetime.fromisoformat(second["at"]) <= datetime.now(UTC)


def test_the_log_keeps_the_newest_attempts(told: Told, hook: outside.Hook) -> None:
    hook.status = 500
    for _ in range(deliveries.MAX_LOGGED + 2):
        told.db.execute("UPDATE deliveries SET next_attempt_at = now()")
        told.attempt()
    log = rows.value(told.db, "SELECT attempt_log FROM deliveries")
    assert len(log) == deliveries.MAX_LOGGED


def test_what_a_dead_worker_had_claimed_is_taken_over_before_its_lease_ends(
    told: Told, hook: outside.Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a delivery claimed by a process that gives no sign of life, and one by a process that does
    monkeypatch.setattr(process_registry, "SURE_AFTER_SECONDS", 0.0)
    told.db.execute(
        "UPDATE deliveries SET attempts = 1, claimed_by = 'alive', claimed_until = now() + interval '1 min'"
    )
    signs = f"{broker.namespace}:__heartbeats__"
    broker.client.zadd(signs, {"alive": int(time.time() * 1000)})
    sweep.sweep.fn()
    assert messages.waiting(queues.DELIVERIES) == []
    # When it has been silent for long enough
    broker.client.zadd(signs, {"alive": 1})
    told.db.execute("UPDATE deliveries SET created_at = now() - interval '6 s'")
    sweep.sweep.fn()
    # Then another worker sends the message, with the same id, and the lost attempt is on record
    assert [message.args[0] for message in messages.waiting(queues.DELIVERIES)] == [str(told.delivery)]
    told.attempt()
    assert told.row() == ("sent", 2, None)
    log = rows.value(told.db, "SELECT attempt_log FROM deliveries")
    assert [one["outcome"] for one in log] == ["lost", "sent"]


def test_a_process_silent_for_a_moment_keeps_what_it_claimed(told: Told) -> None:
    told.db.execute("UPDATE deliveries SET attempts = 1, claimed_by = 'away', claimed_until = now() + interval '1 min'")
    told.db.execute("UPDATE deliveries SET created_at = now() - interval '6 s'")
    sweep.sweep.fn()
    sweep.sweep.fn()
    assert messages.waiting(queues.DELIVERIES) == []


def test_the_use_of_a_channels_credentials_is_on_record(
    told: Told, connection: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = credential_uses.Ledger("worker")
    monkeypatch.setattr(credential_uses, "_ledger", ledger)
    told.attempt()
    ledger.write()
    found = connection.execute("SELECT action, object_id, details->>'purpose' FROM audit_events").fetchall()
    assert found == [("credential.used", told.provider, "delivery")]


def test_people_find_the_outage_by_a_link_in_the_message(connection: Db, project: UUID, hook: outside.Hook) -> None:
    # Given an outage that is told by a channel for people
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


def test_a_failure_that_could_be_told_only_when_it_was_over_says_so(told: Told, hook: outside.Hook) -> None:
    # Given an outage whose first message did not get through
    began = datetime.now(UTC) - timedelta(minutes=5)
    hook.status = 500
    told.attempt()
    # When it ends before the next attempt
    told.db.execute(
        "INSERT INTO incidents (id, monitor_id, failure_sequence, started_at, ended_at, reason) VALUES (%s, %s, 1, %s, %s, '')",
        [uuid4(), told.monitor, began, began + timedelta(minutes=2)],
    )
    hook.status = 200
    told.db.execute("UPDATE deliveries SET next_attempt_at = now()")
    told.attempt()
    # Then both messages are the same, but for the end
    first, second = hook.received
    assert "endedAt" not in first
    assert datetime.fromisoformat(second["endedAt"]) == began + timedelta(minutes=2)
    assert (first["deliveryId"], first["event"]) == (second["deliveryId"], second["event"])
