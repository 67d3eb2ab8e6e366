"""A process that has grown too large leaves, and comes back."""

import gc
import threading

import pytest

from actors.runtime import memory


def test_a_process_within_its_memory_goes_on() -> None:
    stopping = threading.Event()
    memory.watch(stopping, 100_000, every=0.01)
    assert not stopping.wait(0.1)
    stopping.set()
    memory.leave()


def test_a_process_above_its_memory_stops_and_says_so_with_its_exit_code() -> None:
    # What earlier tests left must not be freed in the middle of this one.
    gc.collect()
    stopping = threading.Event()
    memory.watch(stopping, int(memory.used_megabytes()) + 40, every=0.01)
    ballast = bytearray(b"x" * (200 * 1024 * 1024))
    assert stopping.wait(30)
    assert ballast
    with pytest.raises(SystemExit) as left:
        memory.leave()
    assert left.value.code == memory.EXIT_CODE
