"""Execution messages."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors import queues
from actors.runtime import process_registry
from models.rules.round_ids import to_micros
from models.secrets import encryption, fields
from scheduling import dispatch, tick
from scheduling.dispatch import BATCH, RoundDispatch
from tests import messages, rows
from tests.scheduling.conftest import Alive

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
codes = st.sampled_from(["us-east", "eu-central", "asia-pacific"])
dispatches = st.lists(
    st.builds(
        RoundDispatch,
        monitor_id=st.uuids(),
        version=st.integers(1, 5),
        kind=st.sampled_from(["http_request", "port_check", "heartbeat"]),
        scheduled_for=st.integers(0, 1000).map(lambda ms: NOW + timedelta(milliseconds=ms)),
        locations=st.lists(codes, unique=True, max_size=3).map(sorted),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=30)
@given(dispatches, st.integers(1, 5))
def test_every_dispatch_reaches_each_of_its_locations_once_in_batches_of_one_kind(
    given: list[RoundDispatch], times: int
) -> None:
    given = [dispatched._replace(monitor_id=uuid4()) for dispatched in given for _ in range(times * 5)]
    sent: Counter[tuple[str, str, int]] = Counter()
    for message in dispatch.messages(given, anywhere="us-east"):
        batch = message.kwargs["items"]
        assert 1 <= len(batch) <= BATCH
        assert [micros for _, micros, _ in batch] == sorted(micros for _, micros, _ in batch)
        for monitor, micros, version in batch:
            sent[message.queue_name, monitor, micros] += 1
            (dispatched,) = [dispatched for dispatched in given if str(dispatched.monitor_id) == monitor]
            assert (dispatched.kind, dispatched.version) == (message.kwargs["kind"], version)
            assert message.kwargs["location"] == (
                message.queue_name.partition(".")[2] if dispatched.locations else None
            )
            assert message.kwargs["expected"] == (dispatched.locations if len(dispatched.locations) != 1 else None)
    wanted = Counter(
        (queues.execution(code), str(dispatched.monitor_id), to_micros(dispatched.scheduled_for))
        for dispatched in given
        for code in dispatched.locations or ["us-east"]
    )
    assert sent == wanted


def test_a_burst_of_one_kind_is_cut_into_batches_that_several_workers_share() -> None:
    given = [RoundDispatch(uuid4(), 1, "http_request", NOW, ["us-east"]) for _ in range(2 * BATCH + 20)]
    assert [len(message.kwargs["items"]) for message in dispatch.messages(given, "us-east")] == [BATCH, BATCH, 20]
    assert 20 < BATCH <= 100


def test_a_message_holds_ids_and_times_and_nothing_secret(
    connection: psycopg.Connection[Any], project: UUID, alive: Alive
) -> None:
    # Given a monitor with every kind of secret
    config = {"auth": {"type": "basic", "username": "me", "password": "correct horse battery"}}
    config["headers"] = {"X-Api-Key": "0123456789abcdef", "Accept": "text/plain"}
    public, hidden = fields.split("monitor", config)
    monitor = rows.a_monitor(connection, project, "https://target.example/private", config=public)
    encrypted = encryption.encrypt(hidden, "monitors", monitor)
    connection.execute("UPDATE monitors SET secrets = %s WHERE id = %s", [encrypted, monitor])
    # When it is dispatched
    tick.claim_and_dispatch(datetime.now(UTC))
    # Then its message holds monitor, time and version, and nothing else
    (message,) = messages.waiting(queues.execution("us-east"))
    body = message.encode().decode()
    for piece in ("horse", "0123456789", "target.example", "Shop", "headers", "auth"):
        assert piece not in body
    assert set(message.kwargs) == {"kind", "location", "expected", "items"}
    assert [len(item) for item in message.kwargs["items"]] == [3]


@pytest.mark.parametrize("code", ["", "US-EAST", "us east", "a.b", "-a", "a" * 33, "us-east\n", "*"])
def test_an_invalid_location_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="not a location code"):
        queues.execution(code)


def test_only_locations_with_a_live_worker_are_online(connection: psycopg.Connection[Any], alive: Alive) -> None:
    from actors.broker import broker

    alive("us-east", "mars")
    assert dispatch._OnlineLocations().codes() == ["mars", "us-east"]
    assert process_registry.workers_online(broker.client) == {"us-east": 1, "mars": 1}
