"""A worker that stands still does not blame its targets."""

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
from actors.checks import standstill
from actors.checks.engine import AGAIN
from actors.checks.standstill import BEAT_SECONDS, TOLERANCE_SECONDS, Standstill, Stood
from actors.probes import PROBES
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Target
from actors.probes.worker_trouble import Trouble
from actors.runtime import trouble_counts
from actors.runtime.trouble_counts import Lack
from scheduling import watch_locations
from tests.actors.batches import Run, a_slot
from tests.waiting import until

Db = psycopg.Connection[Any]
ROOT = Path(__file__).parents[2]
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
    monkeypatch.setattr(standstill, "clocks", made)
    return made


# --- the measure -------------------------------------------------------------------------------------


@given(gaps=st.lists(st.floats(0, 100), max_size=20), clock=st.sampled_from([0, 1, 2]))
def test_a_standstill_is_whatever_a_clock_moved_beyond_the_beat(gaps: list[float], clock: int) -> None:
    # Given a loop whose beats come when one of the three clocks has moved by each of the gaps
    moved, before = Clocks(), standstill.clocks
    loop = asyncio.new_event_loop()
    standstill.clocks = moved
    try:
        measured = Standstill(loop)
        began = measured.begin()
        for gap in gaps:
            moved.now[clock] += gap
            measured._beat()
        # Then the check's standstill is the sum of what was too much
        expected = sum(max(0.0, gap - BEAT_SECONDS - TOLERANCE_SECONDS) for gap in gaps)
        stood = measured.end(began)
        assert stood.seconds == pytest.approx(expected)
        assert stood.length == pytest.approx(sum(gaps))
    finally:
        standstill.clocks = before
        loop.close()


def test_a_standstill_counts_before_the_late_beat_has_run_and_only_for_the_checks_that_it_met(clocks: Clocks) -> None:
    loop = asyncio.new_event_loop()
    measured = Standstill(loop)
    first = measured.begin()
    clocks.now[0] += 4
    assert measured.end(first) == pytest.approx((4 - BEAT_SECONDS - TOLERANCE_SECONDS, 4))
    # What passes while nothing is checked is no standstill
    clocks.now[0] += 100
    second = measured.begin()
    assert measured.end(second) == (0, 0)
    loop.close()


def test_a_clock_that_is_set_back_is_no_standstill(clocks: Clocks) -> None:
    loop = asyncio.new_event_loop()
    measured = Standstill(loop)
    began = measured.begin()
    clocks.now[2] -= 3600
    assert measured.end(began) == (0, 0)
    loop.close()


@pytest.mark.parametrize(
    ("stood_still", "length", "matter"),
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
def test_a_standstill_matters_by_its_share_of_the_check(stood_still: float, length: float, matter: bool) -> None:
    assert Stood(stood_still, length).matters is matter


@given(stood=st.builds(Stood, st.floats(0, 1000), st.floats(0, 1000)))
def test_a_hiccup_never_matters_and_half_of_a_check_always_does(stood: Stood) -> None:
    if stood.seconds < 0.5:
        assert not stood.matters
    elif stood.seconds >= stood.length / 2:
        assert stood.matters


BELIEVED = {
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
    stood=st.builds(Stood, st.floats(0, 20), st.floats(1, 300)),
)
def test_only_failures_that_time_can_bring_about_are_doubted(reason: Reason, status: Status, stood: Stood) -> None:
    found = Outcome(status, 12.0, reason, "It failed.", {"timings": {"connectMs": 1.0}})
    believed = standstill.believe(found, Target(UUID(int=1), "http_request", "a", 5, {}), stood)
    if (not stood.matters and reason is not Reason.RESPONSE_TOO_SLOW) or (
        status is Status.ERROR and reason is not Reason.INTERNAL_ERROR
    ):
        assert believed is found
    elif reason in BELIEVED and stood.matters:
        assert believed == Outcome(status, None, reason, "It failed.")
    elif stood.matters:
        assert believed is None


def test_a_server_that_waited_too_long_for_us_is_asked_again_and_a_lack_of_ours_stays() -> None:
    target = Target(UUID(int=1), "http_request", "a", 30, {})
    timed_out = Outcome(Status.DOWN, 12.0, Reason.UNEXPECTED_STATUS, "408", {"statusCode": 408})
    assert standstill.believe(timed_out, target, Stood(5, 8)) is None
    lacking = Outcome(Status.ERROR, None, Reason.INTERNAL_ERROR, "No port.", trouble=Trouble.PORTS)
    assert standstill.believe(lacking, target, Stood(5, 8)) is lacking


# --- the engine --------------------------------------------------------------------------------------


@pytest.fixture
def held_up(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Outcome]]:
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


def test_a_failure_during_a_standstill_is_measured_again(run: Run, held_up: Callable[..., list[Outcome]]) -> None:
    made = held_up((1.5, DOWN), (0.0, UP))
    assert run(a_slot("a")) == [("a", "up", None)]
    assert made == [DOWN, UP]


def test_a_failure_without_a_standstill_counts_at_once(run: Run, held_up: Callable[..., list[Outcome]]) -> None:
    made = held_up((0.0, DOWN), (0.0, UP))
    assert run(a_slot("a")) == [("a", "down", "READ_TIMEOUT")]
    assert made == [DOWN]


def test_a_target_that_fails_after_a_standstill_too_is_down(run: Run, held_up: Callable[..., list[Outcome]]) -> None:
    held_up((1.5, DOWN), (0.0, DOWN))
    assert run(a_slot("a")) == [("a", "down", "READ_TIMEOUT")]


def test_a_worker_that_stands_still_again_and_again_says_so_and_warns_the_operator(
    run: Run,
    held_up: Callable[..., list[Outcome]],
    connection: Db,
) -> None:
    # Given a worker that stands still during each attempt
    held_up(*[(1.5, DOWN)] * (1 + AGAIN))
    # Then the fault is ours
    assert run(a_slot("a")) == [("a", "error", "INTERNAL_ERROR")]
    message = connection.execute("SELECT error_message FROM monitor_results").fetchone()
    assert message is not None
    assert message[0].startswith("This worker stood still for 1.")
    # And the operator is warned of it, until it is over
    until(lambda: trouble_counts.lately(broker.client) == {Lack("us-east", Trouble.STANDSTILL): 1})
    open_ones = "SELECT subject, message FROM operator_warnings WHERE kind = 'worker_trouble' AND resolved_at IS NULL"
    watch_locations.watch_locations.fn()
    subject, said = connection.execute(open_ones).fetchall()[0]
    assert subject == "us-east:standstill"
    assert said.startswith("A check worker of location us-east stood still during checks.")
    broker.client.delete("supercheck:troubles")
    watch_locations.watch_locations.fn()
    assert connection.execute(open_ones).fetchall() == []


def test_a_good_answer_during_a_standstill_is_up_and_its_time_is_not_told(
    run: Run,
    held_up: Callable[..., list[Outcome]],
    connection: Db,
) -> None:
    held_up((1.5, UP))
    assert run(a_slot("a")) == [("a", "up", None)]
    assert connection.execute("SELECT response_time_ms, details FROM monitor_results").fetchone() == (
        None,
        {"statusCode": 200},
    )


def test_an_answer_is_not_too_slow_by_the_time_that_we_stood_still(
    run: Run,
    held_up: Callable[..., list[Outcome]],
) -> None:
    # Given an answer that is too slow by less than a short standstill
    slow = Outcome(Status.DOWN, 600.0, Reason.RESPONSE_TOO_SLOW, "Too slow.")
    made = held_up((0.5, slow), (0.0, UP))
    assert run(a_slot("a", timeout=60, maxResponseTimeMs=500)) == [("a", "up", None)]
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
def test_a_stopped_worker_calls_no_slow_target_down(connection: Db, seconds: float) -> None:
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
