"""Processes that say that they live."""

from collections.abc import Iterator

import pytest

from actors.broker import Broker, connect
from actors.runtime import process_registry
from actors.runtime.process_registry import ProcessRegistry
from models.connections import dependencies
from models.secrets import encryption
from tests.conftest import SettingsOf
from tests.waiting import until


@pytest.fixture
def broker(redis_url: str) -> Iterator[Broker]:
    made = Broker(connect(redis_url))
    yield made
    made.client.flushall()
    made.client.close()


def test_a_check_worker_appears_in_each_of_its_locations_and_vanishes_when_it_stops(
    broker: Broker, settings_of: SettingsOf
) -> None:
    settings_of(worker_location="")
    one = ProcessRegistry(broker, "check_worker")
    one.start()
    until(lambda: process_registry.roles_seen(broker.client) == {"check_worker": 1})
    assert process_registry.workers_online(broker.client) == {"us-east": 1, "eu-central": 1, "asia-pacific": 1}
    one.stop()
    assert process_registry.workers_online(broker.client) == {}
    assert process_registry.roles_seen(broker.client) == {}


def test_a_worker_with_a_location_appears_there_only(broker: Broker, settings_of: SettingsOf) -> None:
    settings_of(worker_location="eu-central")
    one = ProcessRegistry(broker, "check_worker")
    one.start()
    until(lambda: process_registry.workers_online(broker.client) == {"eu-central": 1})
    one.stop()


def test_other_processes_are_no_check_workers(broker: Broker) -> None:
    one = ProcessRegistry(broker, "worker")
    one.start()
    until(lambda: process_registry.roles_seen(broker.client) == {"worker": 1})
    assert process_registry.workers_online(broker.client) == {}
    one.stop()


def test_a_process_tells_which_keys_it_knows_and_which_servers_it_finds_away(
    broker: Broker, settings_of: SettingsOf
) -> None:
    keys = (b"the new key here", b"the old key here")
    settings_of(encryption_keys=keys)
    one = ProcessRegistry(broker, "worker")
    one._renew()
    announced = tuple(encryption.key_id(key).hex() for key in keys)
    assert process_registry.processes(broker.client) == [process_registry.Process("worker", announced, ())]
    for _ in range(dependencies.FAILURES):
        with pytest.raises(ZeroDivisionError), dependencies.DATABASE.attempt():
            raise ZeroDivisionError
    one._renew()
    assert process_registry.processes(broker.client) == [process_registry.Process("worker", announced, ("database",))]
    # One of an older version tells nothing
    broker.client.set("supercheck:process:web:x", 1)
    assert process_registry.Process("web", (), ()) in process_registry.processes(broker.client)


def test_a_killed_process_vanishes_by_itself(broker: Broker) -> None:
    one = ProcessRegistry(broker, "check_worker")
    one._renew()
    lifetimes = {broker.client.ttl(key) for key in broker.client.scan_iter("supercheck:*")}
    assert lifetimes
    assert all(0 < seconds <= process_registry.LIFETIME_SECONDS for seconds in lifetimes)
    assert process_registry.INTERVAL_SECONDS * 3 < process_registry.LIFETIME_SECONDS, (
        "one lost renewal makes no process dead"
    )
    assert broker.client.zscore(f"{broker.namespace}:__heartbeats__", broker.broker_id) is not None
    assert broker.heartbeat_timeout > process_registry.INTERVAL_SECONDS * 3000


def test_a_worker_without_a_location_serves_what_is_added_while_it_runs(
    broker: Broker, settings_of: SettingsOf
) -> None:
    settings_of(worker_location="")
    process_registry.announce_locations(broker.client, ["us-east", "moon", "not a code", "mars"])
    served: list[str] = []
    one = ProcessRegistry(broker, "check_worker", served.append)
    one._renew()
    one._renew()
    assert served == ["moon", "mars"], "once each, and nothing that is no queue's name"
    assert set(process_registry.workers_online(broker.client)) == {
        "us-east",
        "eu-central",
        "asia-pacific",
        "moon",
        "mars",
    }


@pytest.mark.parametrize(("role", "own"), [("check_worker", "eu-central"), ("worker", "")])
def test_other_processes_stay_with_what_they_have(broker: Broker, settings_of: SettingsOf, role: str, own: str) -> None:
    settings_of(worker_location=own)
    process_registry.announce_locations(broker.client, ["us-east", "moon"])
    served: list[str] = []
    ProcessRegistry(broker, role, served.append)._renew()
    assert served == []
    assert set(process_registry.workers_online(broker.client)) == ({own} if own else set())


def test_what_nobody_announced_is_what_the_settings_say(broker: Broker) -> None:
    assert process_registry.known_locations(broker.client) == ("us-east", "eu-central", "asia-pacific")
    process_registry.announce_locations(broker.client, ["moon"])
    assert process_registry.known_locations(broker.client) == ("moon",)
