"""The time of an evaluation is processor time."""

import threading
import time

import pytest

from actors.probes.time_limit import TooSlow, check_time, within


def test_work_beyond_the_limit_ends() -> None:
    with within(0.02), pytest.raises(TooSlow):
        while True:
            check_time()


def test_a_thread_that_has_to_wait_uses_none_of_its_time() -> None:
    with within(0.02):
        threading.Event().wait(0.1)
        check_time()


def test_an_inner_limit_ends_with_its_block() -> None:
    with within(60):
        with within(-1), pytest.raises(TooSlow):
            look_at_the_clock_later()
        check_time()


def look_at_the_clock_later() -> None:
    """Look until the clock has moved on."""
    end = time.monotonic() + 1
    while time.monotonic() < end:
        check_time()
