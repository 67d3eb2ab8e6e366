"""Whether an alert is sent."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.alerts import policy
from models.queries.outbox import UnplannedAlert

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
TYPES = ("monitor.down", "monitor.up", "heartbeat.missed", "monitor.ssl_expiring")


def an_alert(**values: Any) -> UnplannedAlert:
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
        "failure_was_sent": True,
        "failure_had_no_provider": False,
        "providers": [(uuid4(), "webhook", "Hook")],
    }
    return UnplannedAlert(**{**standard, **values})


@pytest.mark.parametrize("kind", TYPES)
def test_with_every_option_on_every_alert_is_sent(kind: str) -> None:
    assert policy.suppression_reason(an_alert(type=kind), NOW) is None


def test_a_recovery_is_sent_if_its_failure_had_no_recipient() -> None:
    no_recipient = {"failure_was_sent": False, "failure_had_no_provider": True}
    assert policy.suppression_reason(an_alert(type="monitor.up", **no_recipient), NOW) is None
    assert (
        policy.suppression_reason(an_alert(type="monitor.up", alert_on_recovery=False, **no_recipient), NOW) is not None
    )


@pytest.mark.parametrize(
    ("values", "because"),
    [
        ({"providers": []}, "no provider"),
        ({"alerts_enabled": False}, "off: alerts"),
        ({"alert_on_failure": False}, "off: failure alerts"),
        ({"type": "heartbeat.missed", "alert_on_failure": False}, "off: failure alerts"),
        ({"type": "monitor.up", "alert_on_recovery": False}, "off: recovery alerts"),
        ({"type": "monitor.up", "failure_was_sent": False}, "off: no down alert was sent either"),
        ({"type": "monitor.ssl_expiring", "alert_on_ssl_expiration": False}, "off: certificate alerts"),
        (
            {"type": "monitor.ssl_expiring", "muted_until": NOW + timedelta(seconds=1)},
            "mute: alerts are muted until 2026-05-04 12:00 UTC",
        ),
    ],
)
def test_the_suppression_reason_is_a_sentence(values: dict[str, Any], because: str) -> None:
    assert (policy.suppression_reason(an_alert(**values), NOW) or "").startswith(because)


# Mutes are applied where the state changes. An alert that was decided there is sent.
@pytest.mark.parametrize(
    "values",
    [
        {"muted_until": NOW + timedelta(hours=1)},
        {"type": "monitor.up", "muted_until": NOW + timedelta(hours=1)},
        {"type": "monitor.ssl_expiring", "muted_until": NOW},
        {"alert_on_recovery": False},
        {"alert_on_ssl_expiration": False},
        {"type": "monitor.up", "alert_on_failure": False},
        {"type": "monitor.ssl_expiring", "alert_on_failure": False, "failure_was_sent": False},
    ],
)
def test_options_of_other_alert_types_do_not_suppress(values: dict[str, Any]) -> None:
    assert policy.suppression_reason(an_alert(**values), NOW) is None


switches = st.fixed_dictionaries(
    {
        name: st.booleans()
        for name in (
            "alerts_enabled",
            "alert_on_failure",
            "alert_on_recovery",
            "alert_on_ssl_expiration",
            "failure_was_sent",
        )
    }
)


@settings(deadline=None, max_examples=100)
@given(switches, st.sampled_from(TYPES), st.integers(-2, 2))
def test_an_alert_sent_by_hand_needs_only_a_provider(values: dict[str, bool], kind: str, mute_hours: int) -> None:
    muted = NOW + timedelta(hours=mute_hours)
    alert = an_alert(type=kind, manual=True, muted_until=muted, **values)
    assert policy.suppression_reason(alert, NOW) is None
    assert policy.suppression_reason(alert._replace(providers=[]), NOW) is not None


@settings(deadline=None, max_examples=200)
@given(switches, st.sampled_from(TYPES), st.integers(-2, 2))
def test_with_alerts_off_every_alert_is_suppressed(values: dict[str, bool], kind: str, mute_hours: int) -> None:
    alert = an_alert(type=kind, muted_until=NOW + timedelta(hours=mute_hours), **values)
    if not values["alerts_enabled"]:
        assert policy.suppression_reason(alert, NOW) is not None
