"""JSON paths in large answers: a process that can be ended."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actors.probes import http_expectations, json_evaluator
from actors.probes.json_evaluator import EvaluationFailed
from actors.probes.outcome import Status

LARGE = "[" + ",".join(f'{{"id":{number},"name":"x"}}' for number in range(300_000)) + "]"


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """What the module keeps for a thread, one for this test; its process ends with the test."""
    kept = SimpleNamespace(evaluator=None)
    monkeypatch.setattr(json_evaluator, "_own", kept)
    yield kept
    if kept.evaluator is not None:
        kept.evaluator.end()


def mismatch(path: str, expected: Any, text: str = LARGE) -> str:
    return asyncio.run(json_evaluator.mismatch(path, expected, text))


def children() -> set[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


@pytest.mark.parametrize(
    ("path", "expected", "fits"), [("$[0].id", 0, True), ("$[-1].id", 299_999, True), ("$[0]", 1, False)]
)
def test_a_path_in_a_large_answer_is_followed(path: str, expected: Any, fits: bool) -> None:
    assert (mismatch(path, expected) == "") is fits


def test_an_answer_with_a_lone_surrogate_arrives_as_it_is() -> None:
    assert mismatch("$[0]", {"op": "matches", "value": "^a"}, '["a\\ud800"]') == ""
    assert mismatch("$[0]", "\ud800", '["\ud800"]') == ""


@pytest.mark.parametrize("path", ["$[?count($..*) == 1]", "$..*..*[?@.none]", "$[?search(@.name, '(y|yy)+$')].id"])
def test_a_path_that_takes_too_long_ends(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The limit is in processor time; a busy machine must not end the process before it.
    monkeypatch.setattr(json_evaluator, "KILL_SECONDS", 100)
    assert "took longer than 2 seconds" in mismatch(path, None)


def test_a_path_that_needs_too_much_memory_fails_and_the_next_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_evaluator, "_memory_limit", lambda: 128 << 20)
    with pytest.raises(EvaluationFailed, match="memory"):
        mismatch("$[0]", None, "[" + "[]," * 3_000_000 + "1]")
    assert mismatch("$[0]", 7, "[7]") == ""


def test_a_process_that_does_not_answer_is_killed_and_replaced(
    own: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a process that stands still
    monkeypatch.setattr(json_evaluator, "KILL_SECONDS", 0.5)
    assert mismatch("$[0]", 7, "[7]") == ""
    stopped = own.evaluator._process
    os.kill(stopped.pid, signal.SIGSTOP)
    # When a path is to be followed
    with pytest.raises(EvaluationFailed, match="too long"):
        mismatch("$[0].id", 0)
    # Then it is gone, and the next answer comes from another one
    assert stopped.returncode == -signal.SIGKILL
    assert mismatch("$[0]", 7, "[7]") == ""


def test_a_process_that_ended_by_itself_is_replaced(own: SimpleNamespace) -> None:
    assert mismatch("$[0]", 7, "[7]") == ""
    own.evaluator._process.kill()
    own.evaluator._process.wait()
    assert mismatch("$[0]", 7, "[7]") == ""


def test_the_process_knows_no_passwords(own: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@localhost/x")
    assert mismatch("$[0]", 7, "[7]") == ""
    assert b"hunter2" not in Path(f"/proc/{own.evaluator._process.pid}/environ").read_bytes()


def test_a_small_answer_starts_no_process() -> None:
    before = children()
    expected = http_expectations.read({"jsonPath": "$.a", "jsonPathExpected": 1})
    assert asyncio.run(http_expectations.first_mismatch(expected, 200, b'{"a": 1}', "application/json", 1.0)) is None
    assert children() == before


def test_an_evaluation_that_fails_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any) -> str:
        raise EvaluationFailed("It was ended.")

    monkeypatch.setattr(json_evaluator, "mismatch", fails)
    expected = http_expectations.read({"jsonPath": "$[0].id"})
    outcome = asyncio.run(http_expectations.first_mismatch(expected, 200, LARGE.encode(), "application/json", 1.0))
    assert outcome is not None
    assert (outcome.status, outcome.message) == (Status.ERROR, "It was ended.")
