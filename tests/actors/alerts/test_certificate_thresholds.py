"""When a certificate's end is worth a warning, and what the warning says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.alerts import certificate_thresholds
from actors.alerts.certificate_thresholds import EXPIRED

firsts = st.integers(1, 3650)
days = st.integers(-400, 4000)


def a_certificate(days_left: int, **values: Any) -> dict[str, Any]:
    """API.md's `sslCertificate`."""
    return {
        "validFrom": "2026-03-01T00:00:00Z",
        "validTo": "2026-06-01T09:30:00Z",
        "daysRemaining": days_left,
        "issuer": "CN=R12,O=Good Authority",
        "subject": "CN=shop.example",
        "fingerprintSha256": "ab" * 32,
        **values,
    }


@pytest.mark.parametrize(
    ("first", "warned"),
    [
        (30, {30: 30, 14: 14, 7: 7, 3: 3, 1: 1, -1: EXPIRED}),
        (60, {60: 60, 14: 14, 7: 7, 3: 3, 1: 1, -1: EXPIRED}),
        (10, {10: 10, 7: 7, 3: 3, 1: 1, -1: EXPIRED}),
        (7, {7: 7, 3: 3, 1: 1, -1: EXPIRED}),
        (1, {1: 1, -1: EXPIRED}),
    ],
)
def test_over_its_life_a_certificate_is_told_of_at_each_threshold(first: int, warned: dict[int, int]) -> None:
    seen: dict[int, int] = {}
    for left in range(100, -10, -1):
        mark = certificate_thresholds.threshold(left, first)
        if mark is not None and mark not in seen.values():
            seen[left] = mark
    assert seen == warned


@given(days, firsts)
def test_nothing_is_crossed_before_the_first_threshold_and_something_always_after(left: int, first: int) -> None:
    assert (certificate_thresholds.threshold(left, first) is None) == (left > first)


@given(days, firsts)
def test_a_crossed_threshold_lies_between_what_is_left_and_the_first(left: int, first: int) -> None:
    mark = certificate_thresholds.threshold(left, first)
    assert mark is None or max(left, EXPIRED) <= mark <= first


@given(days, days, firsts)
def test_less_time_never_means_an_earlier_threshold(left: int, other: int, first: int) -> None:
    sooner, later = (certificate_thresholds.threshold(one, first) for one in sorted((left, other)))
    if later is not None:
        assert sooner is not None
        assert sooner <= later


@given(days, firsts)
def test_expired_is_what_has_less_than_nothing_left(left: int, first: int) -> None:
    assert (certificate_thresholds.threshold(left, first) == EXPIRED) == (left < 0)


@pytest.mark.parametrize(
    ("left", "begins"),
    [
        (13, "The certificate expires in 13 days, on 2026-06-01 at 09:30 UTC."),
        (1, "The certificate expires in 1 day, on 2026-06-01 at 09:30 UTC."),
        (0, "The certificate expires within a day, on 2026-06-01 at 09:30 UTC."),
        (-1, "The certificate expired on 2026-06-01 at 09:30 UTC."),
        (-90, "The certificate expired on 2026-06-01 at 09:30 UTC."),
    ],
)
def test_the_warning_says_how_long_until_when_and_whose(left: int, begins: str) -> None:
    said = certificate_thresholds.sentence(a_certificate(left))
    assert said == begins + " Issued to CN=shop.example by CN=R12,O=Good Authority."


def test_endless_names_leave_room_for_what_matters() -> None:
    said = certificate_thresholds.sentence(a_certificate(3, subject="s" * 256, issuer=""))
    assert len(said) < 400
    assert said.startswith("The certificate expires in 3 days")
    assert said.endswith("by (no name).")


def test_the_warning_names_the_host_and_says_if_it_is_not_the_hosts_own_certificate() -> None:
    own = certificate_thresholds.sentence(a_certificate(3, host="shop.example"))
    assert own.startswith("The certificate of shop.example expires in 3 days, on 2026-06-01")
    between = certificate_thresholds.sentence(a_certificate(3, host="shop.example", isIntermediate=True))
    assert between.startswith("An intermediate certificate that shop.example sends expires in 3 days, on 2026-06-01")
