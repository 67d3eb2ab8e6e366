"""Identities derived from what they identify."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from models.rules import round_ids

MONITOR = UUID(int=1)
AT = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)


@settings(deadline=None, max_examples=100)
@given(st.timedeltas(timedelta(), timedelta(days=36_500)))
def test_a_time_travels_in_messages_without_loss(passed: timedelta) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + passed
    assert round_ids.from_micros(round_ids.to_micros(moment)) == moment


def test_an_identity_is_the_same_for_ever_and_in_every_time_zone() -> None:
    assert round_ids.round_id(MONITOR, AT) == round_ids.round_id(MONITOR, AT.astimezone(timezone(timedelta(hours=5))))
    assert round_ids.result_id(MONITOR, AT, "us-east") == UUID("7e76acca-a161-5a89-a677-8a5c67a71153")
    assert round_ids.round_id(MONITOR, AT) == UUID("dd066936-e90f-5e02-b24e-bcd3fd0230d9")


def test_another_monitor_time_or_location_has_another_identity() -> None:
    later = AT + timedelta(microseconds=1)
    found = {
        round_ids.round_id(MONITOR, AT),
        round_ids.round_id(UUID(int=2), AT),
        round_ids.round_id(MONITOR, later),
        round_ids.result_id(MONITOR, AT, None),
        round_ids.result_id(MONITOR, AT, "us-east"),
        round_ids.result_id(MONITOR, AT, "eu-central"),
        round_ids.result_id(MONITOR, later, "us-east"),
    }
    assert len(found) == 7
