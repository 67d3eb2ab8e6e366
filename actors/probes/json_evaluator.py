"""Evaluates JSON paths in large responses in a separate process, which can be killed.

Some paths need seconds and hundreds of megabytes for a response of megabytes, and a time limit inside the library is not
reliable. The process has a memory limit, is killed after a timeout, starts at the first large response and ends when idle.
Its code is in `json_evaluator_process`.
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

#: Wall time after which the process is killed. More than its own limit of processor time, for loaded machines.
KILL_SECONDS = 5.0
_START_SECONDS = 20.0
_MODULE = "actors.probes.json_evaluator_process"
#: A JSON document takes up to 25 bytes of memory a byte; the interpreter and its libraries need the rest.
_BASE_MEMORY = 256 << 20
_MEMORY_PER_BYTE = 40
#: The response of the process if it ran out of memory, instead of a sentence.
TOO_MUCH_MEMORY = "memory"
#: Variables that the interpreter needs. The process does not get the secrets in the environment.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH")
#: Threads that wait for evaluations, each with its own process, so that a slow path does not delay all others.
_THREADS = ThreadPoolExecutor(2, thread_name_prefix="json")


class EvaluationFailed(Exception):
    """The path could not be evaluated. `str()` is a sentence for users. The target is not at fault."""


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
                # A signal to this process's group must not end running evaluations.
                start_new_session=True,
            )
            self._connection = Connection(ours.detach())
        with self._deadline(_START_SECONDS):
            self._connection.recv_bytes()

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        """Kill the process after `seconds`. Reads from it then raise `EOFError` or `OSError`."""
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def ask(self, path: str, expected: Any, text: str) -> str:
        """Call `json_path.mismatch` in the process. Raise `EOFError` or `OSError` if it has ended."""
        with self._deadline(KILL_SECONDS):
            self._connection.send_bytes(json.dumps([path, expected]).encode())
            self._connection.send_bytes(text.encode("utf-8", "surrogatepass"))
            return self._connection.recv_bytes().decode()

    def gone(self) -> bool:
        """Return whether the process has ended, or ends because it is idle."""
        return self._process.poll() is not None or self._connection.poll()

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        self._connection.close()


_own = threading.local()


async def mismatch(path: str, expected: Any, text: str) -> str:
    """Return why `text` is not as expected, as one sentence, or "".

    Raise `EvaluationFailed` if the process needs too much time or memory.
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
        raise EvaluationFailed(f"Evaluation of the JSON path {shown} took too long and was stopped.") from None
    if answer == TOO_MUCH_MEMORY:
        _replace(_own.evaluator)
        raise EvaluationFailed(f"Evaluation of the JSON path {shown} needs too much memory.")
    return str(answer)


def _replace(evaluator: _Evaluator | None) -> None:
    """End `evaluator` and start another one for this thread."""
    _own.evaluator = None
    if evaluator is not None:
        evaluator.end()
    try:
        _own.evaluator = _Evaluator()
    except (EOFError, OSError):
        raise EvaluationFailed("Could not start the process that evaluates large JSON responses.") from None


def _memory_limit() -> int:
    return _BASE_MEMORY + _MEMORY_PER_BYTE * (settings.get().max_response_size_mb << 20)
