"""Whether an alert is told."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.alerts import policy
from models.queries.outbox import Unplanned

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
TYPES = ("monitor.down", "monitor.up", "heartbeat.missed", "monitor.ssl_expiring")


def an_alert(**values: Any) -> Unplanned:
    standard: dict[str, Any] = {
        "id": uuid4(),
        "monitor_id": uuid4(),
        "type": "monitor.down",
        "manual": False,
        "alert_number": 1,
        "failure_sequence": 1,
        "alerts_enabled": True,
        "alert_on_failure": True,
        "alert_on_recovery": True,
        "alert_on_ssl_expiration": True,
        "muted_until": None,
        "failure_was_told": True,
        "failure_found_nobody": False,
        "providers": [(uuid4(), "webhook", "Hook")],
    }
    return Unplanned(**{**standard, **values})


@pytest.mark.parametrize("kind", TYPES)
def test_with_everything_on_every_alert_is_told(kind: str) -> None:
    assert policy.suppression_reason(an_alert(type=kind), NOW) is None


def test_an_end_is_told_where_nobody_could_be_told_of_the_beginning() -> None:
    found_nobody = {"failure_was_told": False, "failure_found_nobody": True}
    assert policy.suppression_reason(an_alert(type="monitor.up", **found_nobody), NOW) is None
    assert (
        policy.suppression_reason(an_alert(type="monitor.up", alert_on_recovery=False, **found_nobody), NOW) is not None
    )


@pytest.mark.parametrize(
    ("values", "because"),
    [
        ({"providers": []}, "no provider"),
        ({"alerts_enabled": False}, "off: alerts"),
        ({"alert_on_failure": False}, "off: failure alerts"),
        ({"type": "heartbeat.missed", "alert_on_failure": False}, "off: failure alerts"),
        ({"type": "monitor.up", "alert_on_recovery": False}, "off: recovery alerts"),
        ({"type": "monitor.up", "failure_was_told": False}, "off: no down alert was sent either"),
        ({"type": "monitor.ssl_expiring", "alert_on_ssl_expiration": False}, "off: certificate alerts"),
        (
            {"type": "monitor.ssl_expiring", "muted_until": NOW + timedelta(seconds=1)},
            "mute: alerts are muted until 2026-05-04 12:00 UTC",
        ),
    ],
)
def test_what_holds_an_alert_back_is_said_in_words(values: dict[str, Any], because: str) -> None:
    assert (policy.suppression_reason(an_alert(**values), NOW) or "").startswith(because)


# A mute is judged where the state moves: what was decided there goes out.
@pytest.mark.parametrize(
    "values",
    [
        {"muted_until": NOW + timedelta(hours=1)},
        {"type": "monitor.up", "muted_until": NOW + timedelta(hours=1)},
        {"type": "monitor.ssl_expiring", "muted_until": NOW},
        {"alert_on_recovery": False},
        {"alert_on_ssl_expiration": False},
        {"type": "monitor.up", "alert_on_failure": False},
        {"type": "monitor.ssl_expiring", "alert_on_failure": False, "failure_was_told": False},
    ],
)
def test_a_switch_of_another_kind_holds_nothing_back(values: dict[str, Any]) -> None:
    assert policy.suppression_reason(an_alert(**values), NOW) is None


switches = st.fixed_dictionaries(
    {
        name: st.booleans()
        for name in (
            "alerts_enabled",
            "alert_on_failure",
            "alert_on_recovery",
            "alert_on_ssl_expiration",
            "failure_was_told",
        )
    }
)


@settings(deadline=None, max_examples=100)
@given(switches, st.sampled_from(TYPES), st.integers(-2, 2))
def test_what_somebody_sends_by_hand_needs_only_a_provider(values: dict[str, bool], kind: str, mute_hours: int) -> None:
    muted = NOW + timedelta(hours=mute_hours)
    alert = an_alert(type=kind, manual=True, muted_until=muted, **values)
    assert policy.suppression_reason(alert, NOW) is None
    assert policy.suppression_reason(alert._replace(providers=[]), NOW) is not None


@settings(deadline=None, max_examples=200)
@given(switches, st.sampled_from(TYPES), st.integers(-2, 2))
def test_what_is_switched_off_is_always_held_back(values: dict[str, bool], kind: str, mute_hours: int) -> None:
    alert = an_alert(type=kind, muted_until=NOW + timedelta(hours=mute_hours), **values)
    if not values["alerts_enabled"]:
        assert policy.suppression_reason(alert, NOW) is not None
