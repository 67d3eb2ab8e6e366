"""The results that an outage began with are kept with its incident."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors.verdicts import aggregate
from models.connections.database import transaction
from models.queries import incidents
from tests import rows

Db = psycopg.Connection[Any]
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
MINUTE = timedelta(minutes=1)
ANSWER = {"statusCode": 503, "resolvedIp": "192.0.2.7", "evidence": {"bodyExcerpt": "out of order"}}


@pytest.fixture
def monitor(connection: Db) -> UUID:
    rows.a_location(connection)
    return rows.a_monitor(connection, rows.a_project(connection), state={"status": "up"})


def kept(db: Db) -> dict[str, Any]:
    evidence: dict[str, Any] = rows.value(db, "SELECT evidence FROM incidents")
    return evidence


def test_the_first_failed_round_is_kept_and_not_the_one_that_reached_the_threshold(
    connection: Db, monitor: UUID
) -> None:
    connection.execute("UPDATE monitors SET failure_threshold = 2")
    rows.a_result(connection, monitor, AT, "down", details=ANSWER, error_code="UNEXPECTED_STATUS")
    rows.a_result(connection, monitor, AT + MINUTE, "down", details={"statusCode": 500})
    aggregate.settle([(monitor, AT), (monitor, AT + MINUTE)], datetime.now(UTC))
    assert kept(connection)["scheduledFor"] == AT.isoformat().replace("+00:00", "Z")
    (location,) = kept(connection)["locations"]
    assert location["details"] == ANSWER
    assert (location["location"], location["status"], location["errorCode"]) == ("us-east", "down", "UNEXPECTED_STATUS")
    assert (location["responseTimeMs"], location["errorMessage"]) == (20.0, "No one answers.")


def test_the_result_of_every_location_is_kept_failed_ones_first(connection: Db, monitor: UUID) -> None:
    codes = ["asia-pacific", "eu-central", "us-east"]
    config = {"locationConfig": {"enabled": True, "strategy": "all"}}
    connection.execute("UPDATE monitors SET config = %s", [psycopg.types.json.Jsonb(config)])
    for code, status in zip(codes, ("up", "down", "down"), strict=True):
        rows.a_result(connection, monitor, AT, status, code, codes)
    aggregate.settle([(monitor, AT)], datetime.now(UTC))
    kept_results = [(location["location"], location["status"]) for location in kept(connection)["locations"]]
    assert kept_results == [("eu-central", "down"), ("us-east", "down"), ("asia-pacific", "up")]


def test_kept_results_stay_when_the_round_is_decided_again(connection: Db, monitor: UUID) -> None:
    rows.a_result(connection, monitor, AT, "down", details=ANSWER)
    aggregate.settle([(monitor, AT)], datetime.now(UTC))
    before = kept(connection)
    connection.execute("DELETE FROM monitor_results")
    rows.a_result(connection, monitor, AT, "down", details={})
    with transaction() as db:
        incidents.keep_evidence(db, monitor, 1, AT)
    assert kept(connection) == before


def test_an_outage_whose_first_round_is_not_stored_keeps_the_round_that_was_decided(
    connection: Db, monitor: UUID
) -> None:
    connection.execute("UPDATE monitor_states SET down_since = %s", [AT - timedelta(hours=3)])
    rows.a_result(connection, monitor, AT, "down", details=ANSWER)
    aggregate.settle([(monitor, AT)], datetime.now(UTC))
    assert kept(connection)["locations"][0]["details"] == ANSWER


def test_only_some_results_of_many_locations_are_kept_with_their_evidence(connection: Db, monitor: UUID) -> None:
    codes = [f"location-{number}" for number in range(incidents.KEPT_WHOLE + 2)]
    for code in codes:
        rows.a_location(connection, code)
        rows.a_result(connection, monitor, AT, "down", code, codes, details=ANSWER)
    aggregate.settle([(monitor, AT)], datetime.now(UTC))
    details = [location["details"] for location in kept(connection)["locations"]]
    assert ["evidence" in detail for detail in details] == [True] * incidents.KEPT_WHOLE + [False] * 2
    assert {detail["statusCode"] for detail in details} == {503}


def test_an_incident_and_its_evidence_are_stored_together_or_not_at_all(connection: Db, monitor: UUID) -> None:
    rows.a_result(connection, monitor, AT, "down", details=ANSWER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aggregate, "plan", fails)
        rows.a_provider(connection, rows.value(connection, "SELECT id FROM projects"), "http://127.0.0.1:9/", monitor)
        with pytest.raises(RuntimeError, match="planning fails"):
            aggregate.settle([(monitor, AT)], datetime.now(UTC))
    assert connection.execute("SELECT FROM incidents").fetchall() == []
    aggregate.settle([(monitor, AT)], datetime.now(UTC))
    assert kept(connection)["locations"][0]["details"] == ANSWER


def fails(*_: object) -> list[UUID]:
    raise RuntimeError("planning fails")
