"""One project's slow service holds back its own messages, and those of no other project; verdicts are behind no delivery at all."""

import contextlib
import dataclasses
import importlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import dramatiq
import psycopg
import pytest

import settings
from actors import queues, worker
from actors.alerts.deliver import deliver, send_deliveries
from actors.alerts.delivery_threads import DeliveryThreads
from actors.broker import broker
from actors.runtime.wake_listener import WakeListener
from models.connections.database import transaction
from models.queries import deliveries, delivery_capacity, fallbacks
from notifications import post
from scheduling import sweep
from tests import messages, outside, rows
from tests.waiting import until

Db = psycopg.Connection[Any]
THREADS = 8


@pytest.fixture
def hooks() -> Iterator[Callable[[], outside.Hook]]:
    with contextlib.ExitStack() as stack:
        made: list[outside.Hook] = []

        def new() -> outside.Hook:
            made.append(stack.enter_context(outside.hook()))
            return made[-1]

        yield new
        for one in made:
            one.gate.set()


@pytest.fixture
def pools(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dramatiq.Worker]]:
    """The pools of threads of the process `worker`, at work."""
    module: Any = importlib.import_module("actors.alerts.deliver")
    monkeypatch.setattr(module, "threads", DeliveryThreads(THREADS))
    # Services hang here for as long as the test likes.
    monkeypatch.setattr(post, "READ_SECONDS", 60.0)
    config = dataclasses.replace(settings.get(), delivery_threads=THREADS)
    running = worker.pools("worker", config)
    for one in running:
        one.worker_timeout = 100
        one.start()
    yield running
    broker.stop_taking()
    for one in running:
        one.stop()
    broker.consumers.clear()
    # The next workers of this process need a listener that still runs.
    broker.wake_listener = WakeListener(broker.client, broker.broker_id)
    broker.middleware[:] = [one for one in broker.middleware if type(one).__name__ != "_WorkerMiddleware"]


def _alerts(db: Db, project: UUID, hook: outside.Hook, count: int) -> tuple[UUID, list[UUID]]:
    """A provider for `hook` and so many deliveries to it."""
    monitor = rows.a_monitor(db, project)
    provider = rows.a_provider(db, project, hook.url, monitor)
    planned = {"planned_at": datetime.now(UTC), "alert_number": None}
    made = [rows.a_delivery(db, rows.an_alert(db, project, monitor, **planned), provider) for _ in range(count)]
    return provider, made


def _sent(db: Db, provider: UUID) -> int:
    found = rows.value(db, "SELECT count(*) FROM deliveries WHERE provider_id = %s AND status = 'sent'", provider)
    assert isinstance(found, int)
    return found


def _waiting(db: Db) -> int:
    found = rows.value(db, "SELECT count(*) FROM deliveries WHERE waits_since IS NOT NULL")
    assert isinstance(found, int)
    return found


@pytest.mark.usefixtures("pools")
def test_a_service_that_hangs_delays_no_other_projects_alert(connection: Db, hooks: Callable[[], outside.Hook]) -> None:
    # Given a project with 64 messages for a webhook that does not answer
    slow, quick = hooks(), hooks()
    slow.gate.clear()
    hanging, theirs = _alerts(connection, rows.a_project(connection), slow, 64)
    send_deliveries(theirs)
    until(lambda: _waiting(connection) == 62, within=60, what="all but two wait for a place")
    # When another project has something to tell
    provider, ours = _alerts(connection, rows.a_project(connection), quick, 3)
    send_deliveries(ours)
    # Then it is notified while the webhook still hangs
    until(lambda: _sent(connection, provider) == 3, what="the other project is notified")
    until(lambda: slow.inside == delivery_capacity.PER_PROVIDER, what="two calls hang")
    assert _sent(connection, hanging) == 0
    # And when the webhook answers again, it gets each message once, two at a time
    slow.gate.set()
    until(lambda: _sent(connection, hanging) == 64, within=60, what="the 64 are sent")
    assert sorted(one["deliveryId"] for one in slow.received) == sorted(map(str, theirs))
    assert slow.most_inside == delivery_capacity.PER_PROVIDER
    assert _waiting(connection) == 0


@pytest.mark.usefixtures("pools")
def test_a_project_with_many_hanging_services_leaves_threads_to_the_others(
    connection: Db, hooks: Callable[[], outside.Hook]
) -> None:
    slow, quick = hooks(), hooks()
    slow.gate.clear()
    greedy = rows.a_project(connection)
    for _ in range(THREADS):
        send_deliveries(_alerts(connection, greedy, slow, 4)[1])
    until(lambda: _waiting(connection) + slow.inside == 4 * THREADS, what="every delivery is under way or waits")
    assert slow.most_inside <= THREADS // 2
    provider, ours = _alerts(connection, rows.a_project(connection), quick, 1)
    send_deliveries(ours)
    until(lambda: _sent(connection, provider) == 1, what="the other project is notified")
    slow.gate.set()
    until(
        lambda: rows.value(connection, "SELECT count(*) FROM deliveries WHERE status <> 'sent'") == 0,
        within=60,
        what="everything is sent",
    )


def test_verdicts_have_threads_of_their_own() -> None:
    central, sending = worker.pools(
        "worker", dataclasses.replace(settings.get(), parallel_threads=3, delivery_threads=7)
    )
    assert sending.consumer_whitelist == {queues.DELIVERIES}
    assert central.consumer_whitelist == queues.of_process("worker", ()) - {queues.DELIVERIES}
    assert (central.worker_threads, sending.worker_threads) == (3, 7)
    for role in ("scheduler", "check_worker"):
        (only,) = worker.pools(role, settings.get())
        assert only.consumer_whitelist == queues.of_process(role, settings.get().served_locations)


@pytest.mark.parametrize("projects", range(1, 8))
def test_there_is_always_a_thread_for_one_more_project(projects: int) -> None:
    # Given projects that take every place that they may
    threads, taken = DeliveryThreads(24), [0] * projects
    with contextlib.ExitStack() as busy:
        grown = True
        while grown:
            grown = False
            for number in range(projects):
                with threads.busy():
                    more = taken[number] < threads.share()
                if more:
                    busy.enter_context(threads.busy())
                    taken[number] += 1
                    grown = True
    # Then each has one at least, and the next one finds one, too
    assert min(taken) >= 1
    assert max(taken) <= delivery_capacity.PER_PROJECT
    assert sum(taken) < 24


def test_two_claims_at_once_do_not_both_take_the_last_place(connection: Db, hooks: Callable[[], outside.Hook]) -> None:
    _, made = _alerts(connection, rows.a_project(connection), hooks(), 12)
    together = threading.Barrier(len(made))
    claimed: list[object] = []

    def claim(delivery: UUID) -> None:
        together.wait(10)
        with transaction(durable=False, pipelined=True) as db:
            claimed.append(deliveries.claim(db, delivery, "test"))

    asking = [threading.Thread(target=claim, args=(one,)) for one in made]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert len(claimed) == 12
    assert sum(one is not None for one in claimed) == delivery_capacity.PER_PROVIDER


def test_who_waits_is_sent_on_by_the_sweep_when_its_message_was_lost(
    connection: Db, hooks: Callable[[], outside.Hook]
) -> None:
    # Given a delivery that waits, and no process that will end another one
    hook = hooks()
    provider, made = _alerts(connection, rows.a_project(connection), hook, 3)
    for one in made[:2]:
        with transaction() as db:
            assert deliveries.claim(db, one, "dead") is not None
    deliver.fn(str(made[2]))
    assert _waiting(connection) == 1
    assert (
        rows.value(connection, "SELECT error FROM deliveries WHERE id = %s", made[2]) == deliveries.WAITS_FOR_CAPACITY
    )
    # While the places are taken it is left alone
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    connection.execute(
        "UPDATE deliveries SET created_at = %s, waits_since = %s WHERE id = %s", [long_ago] * 2 + [made[2]]
    )
    sweep.sweep.fn()
    assert messages.waiting(queues.DELIVERIES) == []
    # When they are free
    connection.execute(
        "UPDATE deliveries SET claimed_until = NULL, claimed_by = NULL, status = 'sent' WHERE id = ANY(%s)", [made[:2]]
    )
    sweep.sweep.fn()
    # Then it goes out
    assert [one.args for one in messages.waiting(queues.DELIVERIES)] == [(str(made[2]),)]
    deliver.fn(str(made[2]))
    assert _sent(connection, provider) == 3
    assert _waiting(connection) == 0


def test_who_waits_for_a_provider_that_is_deleted_is_closed(connection: Db, hooks: Callable[[], outside.Hook]) -> None:
    provider, (one,) = _alerts(connection, rows.a_project(connection), hooks(), 1)
    connection.execute("UPDATE deliveries SET waits_since = now(), created_at = now() - interval '1 minute'")
    connection.execute("DELETE FROM notification_providers WHERE id = %s", [provider])
    sweep.sweep.fn()
    assert [message.args for message in messages.waiting(queues.DELIVERIES)] == [(str(one),)]
    deliver.fn(str(one))
    assert rows.value(connection, "SELECT status FROM deliveries") == "failed"


def test_a_fallback_stands_in_for_who_waits_too_long(connection: Db, hooks: Callable[[], outside.Hook]) -> None:
    project = rows.a_project(connection)
    provider, (one,) = _alerts(connection, project, hooks(), 1)
    fallback = rows.a_provider(connection, project, hooks().url)
    connection.execute(
        "UPDATE notification_providers SET fallback_provider_id = %s WHERE id = %s", [fallback, provider]
    )
    connection.execute(
        "UPDATE deliveries SET waits_since = now(), error = 'waits', created_at = now() - interval '16 minutes'"
    )
    with transaction() as db:
        assert len(fallbacks.for_late(db, 15)) == 1
        assert fallbacks.for_late(db, 15) == []
    assert rows.value(connection, "SELECT fallback_for FROM deliveries WHERE provider_id = %s", fallback) == one
