"""A stalled worker does not report its targets as down."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.broker import broker
from actors.checks import loop_stalls
from actors.checks.engine import STALL_RETRIES
from actors.checks.loop_stalls import BEAT_INTERVAL_SECONDS, BEAT_TOLERANCE_SECONDS, Stall, StallDetector
from actors.probes import PROBES
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Target
from actors.probes.worker_fault import WorkerFault
from actors.runtime import fault_counts
from actors.runtime.fault_counts import FaultKey
from scheduling import watch_locations
from tests.actors.batches import Run, a_check
from tests.waiting import until

Db = psycopg.Connection[Any]
ROOT = Path(__file__).parents[3]
DOWN = Outcome(Status.DOWN, 5000.0, Reason.READ_TIMEOUT, "It did not answer.")
UP = Outcome(Status.UP, 7.0, details={"timings": {"connectMs": 1.0}, "statusCode": 200})
SLOW_SECONDS = 2.5


class Clocks:
    """The three clocks, moved by the test."""

    def __init__(self) -> None:
        self.now = [100.0, 200.0, 300.0]

    def __call__(self) -> tuple[float, float, float]:
        return self.now[0], self.now[1], self.now[2]


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr(loop_stalls, "clocks", made)
    return made


# --- the measure -------------------------------------------------------------------------------------


@given(gaps=st.lists(st.floats(0, 100), max_size=20), clock=st.sampled_from([0, 1, 2]))
def test_a_stall_is_what_a_clock_advanced_beyond_the_interval(gaps: list[float], clock: int) -> None:
    # Given a loop whose beats come when one of the three clocks has moved by each of the gaps
    moved, before = Clocks(), loop_stalls.clocks
    loop = asyncio.new_event_loop()
    loop_stalls.clocks = moved
    try:
        detector = StallDetector(loop)
        start = detector.begin()
        for gap in gaps:
            moved.now[clock] += gap
            detector._beat()
        # Then the check's stall is the sum of all delays
        expected = sum(max(0.0, gap - BEAT_INTERVAL_SECONDS - BEAT_TOLERANCE_SECONDS) for gap in gaps)
        stall = detector.end(start)
        assert stall.seconds == pytest.approx(expected)
        assert stall.length == pytest.approx(sum(gaps))
    finally:
        loop_stalls.clocks = before
        loop.close()


def test_a_stall_counts_before_the_delayed_timer_fires_and_only_for_checks_that_ran(clocks: Clocks) -> None:
    loop = asyncio.new_event_loop()
    detector = StallDetector(loop)
    first = detector.begin()
    clocks.now[0] += 4
    assert detector.end(first) == pytest.approx((4 - BEAT_INTERVAL_SECONDS - BEAT_TOLERANCE_SECONDS, 4))
    # Time during which no check runs is not a stall
    clocks.now[0] += 100
    second = detector.begin()
    assert detector.end(second) == (0, 0)
    loop.close()


def test_a_clock_that_is_set_back_is_not_a_stall(clocks: Clocks) -> None:
    loop = asyncio.new_event_loop()
    detector = StallDetector(loop)
    start = detector.begin()
    clocks.now[2] -= 3600
    assert detector.end(start) == (0, 0)
    loop.close()


@pytest.mark.parametrize(
    ("stalled", "length", "matter"),
    [
        (0.0, 0.1, False),
        (0.4, 0.4, False),
        (0.5, 5, True),
        (0.9, 30, False),
        (7, 7, True),
        (4, 30, True),
        (10, 300, False),
    ],
)
def test_a_stall_matters_by_its_share_of_the_check(stalled: float, length: float, matter: bool) -> None:
    assert Stall(stalled, length).matters is matter


@given(stall=st.builds(Stall, st.floats(0, 1000), st.floats(0, 1000)))
def test_a_short_stall_never_matters_and_half_of_a_check_always_does(stall: Stall) -> None:
    if stall.seconds < 0.5:
        assert not stall.matters
    elif stall.seconds >= stall.length / 2:
        assert stall.matters


ACCEPTED = {
    Reason.CONNECTION_REFUSED,
    Reason.PORT_CLOSED,
    Reason.TLS_ERROR,
    Reason.PROTOCOL_ERROR,
    Reason.UNEXPECTED_STATUS,
    Reason.KEYWORD_MISSING,
    Reason.KEYWORD_PRESENT,
    Reason.RESPONSE_TOO_LARGE,
    Reason.TOO_MANY_REDIRECTS,
}


@given(
    reason=st.sampled_from(Reason),
    status=st.sampled_from([Status.DOWN, Status.ERROR]),
    stall=st.builds(Stall, st.floats(0, 20), st.floats(1, 300)),
)
def test_only_failures_that_a_stall_can_cause_are_repeated(reason: Reason, status: Status, stall: Stall) -> None:
    found = Outcome(status, 12.0, reason, "It failed.", {"timings": {"connectMs": 1.0}})
    accepted = loop_stalls.accept(found, Target(UUID(int=1), "http_request", "a", 5, {}), stall)
    if (not stall.matters and reason is not Reason.RESPONSE_TOO_SLOW) or (
        status is Status.ERROR and reason is not Reason.INTERNAL_ERROR
    ):
        assert accepted is found
    elif reason in ACCEPTED and stall.matters:
        assert accepted == Outcome(status, None, reason, "It failed.")
    elif stall.matters:
        assert accepted is None


def test_a_request_timeout_of_the_server_is_repeated_and_a_fault_of_the_worker_is_kept() -> None:
    target = Target(UUID(int=1), "http_request", "a", 30, {})
    timed_out = Outcome(Status.DOWN, 12.0, Reason.UNEXPECTED_STATUS, "408", {"statusCode": 408})
    assert loop_stalls.accept(timed_out, target, Stall(5, 8)) is None
    lacking = Outcome(Status.ERROR, None, Reason.INTERNAL_ERROR, "No port.", fault=WorkerFault.PORTS)
    assert loop_stalls.accept(lacking, target, Stall(5, 8)) is lacking


# --- the engine --------------------------------------------------------------------------------------


@pytest.fixture
def blocked_loop(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Outcome]]:
    """Call it with outcomes: each comes at the end of a probe that holds up the loop for as long as was asked for."""

    def prepare(*found: tuple[float, Outcome]) -> list[Outcome]:
        left, made = list(found), []

        async def probe(_: Target) -> Outcome:
            await asyncio.sleep(0.01)
            seconds, outcome = left.pop(0)
            time.sleep(seconds)
            made.append(outcome)
            return outcome

        monkeypatch.setitem(PROBES, "port_check", probe)
        return made

    return prepare


def test_a_failure_during_a_stall_is_repeated(run: Run, blocked_loop: Callable[..., list[Outcome]]) -> None:
    made = blocked_loop((1.5, DOWN), (0.0, UP))
    assert run(a_check("a")) == [("a", "up", None)]
    assert made == [DOWN, UP]


def test_a_failure_without_a_stall_counts_at_once(run: Run, blocked_loop: Callable[..., list[Outcome]]) -> None:
    made = blocked_loop((0.0, DOWN), (0.0, UP))
    assert run(a_check("a")) == [("a", "down", "READ_TIMEOUT")]
    assert made == [DOWN]


def test_a_target_that_fails_again_after_a_stall_is_down(run: Run, blocked_loop: Callable[..., list[Outcome]]) -> None:
    blocked_loop((1.5, DOWN), (0.0, DOWN))
    assert run(a_check("a")) == [("a", "down", "READ_TIMEOUT")]


def test_a_worker_that_stalls_every_time_reports_an_error_and_warns_the_operator(
    run: Run,
    blocked_loop: Callable[..., list[Outcome]],
    connection: Db,
) -> None:
    # Given a worker that stalls during each attempt
    blocked_loop(*[(1.5, DOWN)] * (1 + STALL_RETRIES))
    # Then the check has status error
    assert run(a_check("a")) == [("a", "error", "INTERNAL_ERROR")]
    message = connection.execute("SELECT error_message FROM monitor_results").fetchone()
    assert message is not None
    assert message[0].startswith("This worker was stalled for 1.")
    # And the operator is warned until it is over
    until(lambda: fault_counts.recent(broker.client) == {FaultKey("us-east", WorkerFault.STALL): 1})
    open_ones = "SELECT subject, message FROM operator_warnings WHERE kind = 'worker_trouble' AND resolved_at IS NULL"
    watch_locations.watch_locations.fn()
    subject, said = connection.execute(open_ones).fetchall()[0]
    assert subject == "us-east:standstill"
    assert said.startswith("A check worker of location us-east was stalled during checks.")
    broker.client.delete("supercheck:troubles")
    watch_locations.watch_locations.fn()
    assert connection.execute(open_ones).fetchall() == []


def test_a_good_response_during_a_stall_is_up_without_a_response_time(
    run: Run,
    blocked_loop: Callable[..., list[Outcome]],
    connection: Db,
) -> None:
    blocked_loop((1.5, UP))
    assert run(a_check("a")) == [("a", "up", None)]
    assert connection.execute("SELECT response_time_ms, details FROM monitor_results").fetchone() == (
        None,
        {"statusCode": 200},
    )


def test_a_response_is_not_too_slow_because_of_a_stall(
    run: Run,
    blocked_loop: Callable[..., list[Outcome]],
) -> None:
    # Given a response that is too slow by less than a short stall
    slow = Outcome(Status.DOWN, 600.0, Reason.RESPONSE_TOO_SLOW, "Too slow.")
    made = blocked_loop((0.5, slow), (0.0, UP))
    assert run(a_check("a", timeout=60, maxResponseTimeMs=500)) == [("a", "up", None)]
    assert made == [slow, UP]


# --- real stops --------------------------------------------------------------------------------------


@contextmanager
def a_slow_site(seconds: float) -> Iterator[tuple[str, threading.Event]]:
    """A site that answers after so long; its URL, and what is set when the first request is there."""
    asked = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            time.sleep(seconds)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("seconds", [4, 7])
def test_a_stopped_worker_reports_no_slow_target_as_down(connection: Db, seconds: float) -> None:
    # Given checks under way of targets that take half of their timeout
    with a_slow_site(SLOW_SECONDS) as (url, asked):
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.actors.stopped_worker", "5", *[f"{url}{number}" for number in range(5)]],
            cwd=ROOT,
        )
        try:
            assert asked.wait(30)
            # When the worker is stopped a little later, for a while
            time.sleep(1.5)
            worker.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            worker.send_signal(signal.SIGCONT)
            assert worker.wait(60) == 0
        finally:
            worker.kill()
            worker.wait()
    # Then no target is down
    found = connection.execute("SELECT status, error_code FROM monitor_results").fetchall()
    assert found == [("up", None)] * 5
