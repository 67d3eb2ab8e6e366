"""Follows JSON paths in large answers in a process of its own, which can be ended.

An answer of megabytes costs seconds and hundreds of megabytes with some paths, and no look at a clock inside the library
bounds that for certain. The process has a bound on memory, is killed when it takes too long, starts with the first
large answer and ends when it has had nothing to do. Its own side is `json_evaluator_process`.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import settings
from actors.probes.wording import plain

#: Wall time after which the process is killed, twice its own bound: on a loaded machine it gets its time later.
KILL_SECONDS = 5.0
_START_SECONDS = 20.0
_MODULE = "actors.probes.json_evaluator_process"
#: A JSON document takes up to 25 bytes of memory a byte; the interpreter and its libraries need the rest.
_BASE_MEMORY = 256 << 20
_MEMORY_PER_BYTE = 40
#: The answer that is no sentence.
TOO_MUCH_MEMORY = "memory"
#: What the interpreter needs. The passwords in the environment are nothing for the other process.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH")
#: Threads that wait for evaluations, each with a process of its own: a slow path does not hold up all other large answers.
_THREADS = ThreadPoolExecutor(2, thread_name_prefix="json")


class EvaluationFailed(Exception):
    """The path could not be followed; `str()` is a sentence for people. The target is not to blame."""


class _Evaluator:
    """One process and the connection to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", _MODULE, str(theirs.fileno()), str(_memory_limit())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                # A signal to this process's group must not end evaluations that are still wanted.
                start_new_session=True,
            )
            self._connection = Connection(ours.detach())
        with self._deadline(_START_SECONDS):
            self._connection.recv_bytes()

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        """Kill the process after `seconds`: what waits for it then gets an `EOFError` or an `OSError`."""
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def ask(self, path: str, expected: Any, text: str) -> str:
        """`json_path.mismatch`, there. Raises `EOFError` or `OSError` if the process is gone."""
        with self._deadline(KILL_SECONDS):
            self._connection.send_bytes(json.dumps([path, expected]).encode())
            self._connection.send_bytes(text.encode("utf-8", "surrogatepass"))
            return self._connection.recv_bytes().decode()

    def gone(self) -> bool:
        """Whether the process has ended, or is about to because it was idle."""
        return self._process.poll() is not None or self._connection.poll()

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        self._connection.close()


_own = threading.local()


async def mismatch(path: str, expected: Any, text: str) -> str:
    """Why `text` is not as expected, one sentence; empty where it is.

    Raises `EvaluationFailed` if the process does not answer in time or needs too much memory.
    """
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _mismatch, path, expected, text)


def _mismatch(path: str, expected: Any, text: str) -> str:
    evaluator: _Evaluator | None = getattr(_own, "evaluator", None)
    if evaluator is None or evaluator.gone():
        _replace(evaluator)
    shown = plain(path, 80)
    try:
        answer = _own.evaluator.ask(path, expected, text)
    except (EOFError, OSError):
        _replace(_own.evaluator)
        raise EvaluationFailed(f"Following the JSON path {shown} was ended: it took too long on the answer.") from None
    if answer == TOO_MUCH_MEMORY:
        _replace(_own.evaluator)
        raise EvaluationFailed(f"Following the JSON path {shown} needs too much memory on the answer.")
    return str(answer)


def _replace(evaluator: _Evaluator | None) -> None:
    """End `evaluator` and start another one for this thread."""
    _own.evaluator = None
    if evaluator is not None:
        evaluator.end()
    try:
        _own.evaluator = _Evaluator()
    except (EOFError, OSError):
        raise EvaluationFailed("The process that evaluates large JSON answers could not be started.") from None


def _memory_limit() -> int:
    return _BASE_MEMORY + _MEMORY_PER_BYTE * (settings.get().max_response_size_mb << 20)
