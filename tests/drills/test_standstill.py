"""A check worker that is stopped for seconds, again and again: no slow target is called down, a broken one is."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.drills.cluster import Cluster, cluster
from tests.drills.test_kills import tell_of_an_outage

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(240)]

#: Half of the monitors' timeout.
THINKS_SECONDS = 2.5
CHECKED_WITHIN = 25


@pytest.fixture(scope="module")
def place() -> Iterator[Cluster]:
    with cluster() as made:
        made.fake_targets.thinks = THINKS_SECONDS
        made.all_checked(datetime.now(UTC), within=CHECKED_WITHIN)
        yield made


def stand_still(place: Cluster, seconds: float) -> None:
    """Stop the check worker for so long."""
    pid = place.system.pid("check_worker")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_slow_targets_are_not_down_because_their_worker_stood_still(place: Cluster) -> None:
    heard, began = len(place.hook.received), datetime.now(UTC)
    # When the worker stands still at different moments of its checks
    for seconds in (4, 7, 4, 7):
        stand_still(place, seconds)
        place.all_checked(datetime.now(UTC), within=CHECKED_WITHIN)
    # Then nothing is down, and no alert is sent
    assert place.falsely_down(began, set()) == []
    assert place.hook.received[heard:] == []


def test_an_outage_during_a_standstill_is_told(place: Cluster) -> None:
    heard, began = len(place.hook.received), datetime.now(UTC)
    breaking = set(sorted(place.names.values())[:4])
    place.fake_targets.breaks(breaking)
    stand_still(place, 7)
    place.all_checked(datetime.now(UTC), within=CHECKED_WITHIN)
    tell_of_an_outage(place, heard, breaking)
    assert place.falsely_down(began, breaking) == []
