"""Start a prepared server: the command line for a supervisor, and a context manager for tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.embedded import service_user
from ops.embedded.errors import EmbeddedError

CHILD = Path(__file__).parents[1] / "child.py"
KEPT_VARIABLES = "PATH,HOME,LANG,LC_ALL,TZ"
START_SECONDS = 60
STOP_SECONDS = 30


def bound_command(
    command: list[str],
    *,
    parent: int,
    death_signal: signal.Signals,
    as_service: bool,
    keeps_environment: bool = False,
    capabilities: tuple[int, ...] = (),
) -> list[str]:
    """Return `command` wrapped in `ops/child.py`: the kernel sends it `death_signal` when the process `parent` dies.

    With `as_service`, root runs it as the service user, with only the listed `capabilities`, and without this process's
    environment unless it `keeps_environment`.
    """
    bound = [sys.executable, "-I", "-S", str(CHILD), "--parent", str(parent), "--signal", str(int(death_signal))]
    user = service_user.owner() if as_service else None
    if user:
        bound += ["--user", f"{user.uid}:{user.gid}"]
    if user and capabilities:
        bound += ["--capabilities", ",".join(map(str, capabilities))]
    if as_service and not keeps_environment:
        bound += ["--keep", KEPT_VARIABLES]
    return [*bound, "--", *command]


@contextmanager
def running(command: list[str], cwd: Path, stop: signal.Signals, answers: Callable[[], bool]) -> Iterator[int]:
    """Run a server for the duration of the block; yield the process id of the server.

    `answers` returns whether it is ready. Raise `EmbeddedError` with the end of its output if it dies before that.
    Enter it from a thread that outlives the block: when that thread ends, the kernel treats the parent as dead.
    """
    log = cwd.parent / "console.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            bound_command(command, parent=os.getpid(), death_signal=signal.SIGKILL, as_service=True),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(server, log, answers)
        yield server.pid
    finally:
        server.send_signal(stop)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(server: subprocess.Popen[bytes], log: Path, answers: Callable[[], bool]) -> None:
    give_up = time.monotonic() + START_SECONDS
    while not answers():
        if server.poll() is not None or time.monotonic() > give_up:
            tail = " ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
            raise EmbeddedError(
                f"{server.args[-1] if isinstance(server.args, list) else 'server'} did not start: {tail}"
            )
        time.sleep(0.02)
