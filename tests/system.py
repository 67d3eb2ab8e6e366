"""The whole system for a test: `supercheck up` as a user types it, real processes, real servers, a place of its own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests

import settings
from ops.embedded import foreground, postgres_server
from tests.waiting import until

API_KEY = "drill_0123456789abcdef0123456789abcdef"
APP_ROLES = ("web", "scheduler", "worker", "check_worker")
ROLES = (*APP_ROLES, "valkey", "postgres")
START_SECONDS = 60
STOP_SECONDS = 40
TAIL_LINES = 60

ENVIRONMENT = {
    "SUPERCHECK_ADMIN_EMAIL": "drill@example.com",
    "SUPERCHECK_ADMIN_PASSWORD": "a password for drills",
    "SUPERCHECK_API_KEY": API_KEY,
    "MIN_CHECK_INTERVAL_SECONDS": "5",
    "ALLOW_INTERNAL_TARGETS": "true",
}


class Api(requests.Session):
    """A client of the JSON API with the first key. Raises `AssertionError` with the answer where it is an error."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.trust_env = False
        self.headers["Authorization"] = f"Bearer {API_KEY}"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        """The decoded answer of one call; None if it has no body."""
        answer = self.request(method, self.url + path, json=body, params=query, timeout=20)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def make(self, path: str, body: dict[str, Any]) -> str:
        """The id of what a POST of `body` to `path` made."""
        return str(self.call("POST", path, body)["id"])


@dataclass
class System:
    """One installation, running or not. `directory` is its data directory; `log` is everything it said."""

    directory: Path
    environment: dict[str, str]
    port: int
    log: Path
    supervisor: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        return postgres_server.kept_url(self.directory / "postgres")

    def start(self) -> None:
        """Start it, and come back when it is ready."""
        command = [sys.executable, "-P", "-m", "ops", "up"]
        # A test run that dies takes its systems along.
        bound = foreground.bound_command(command, parent=os.getpid(), death_signal=signal.SIGINT, as_service=False)
        with self.log.open("ab") as output:
            self.supervisor = subprocess.Popen(
                bound,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(self._ready, within=START_SECONDS, what=f"/readyz of {self.url}")

    def _ready(self) -> bool:
        assert self.supervisor is not None
        assert self.supervisor.poll() is None, "supercheck up has ended"
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def stop(self) -> None:
        """Ctrl-C; afterwards no process of it is left."""
        assert self.supervisor is not None
        self.supervisor.send_signal(signal.SIGINT)
        self.supervisor.wait(STOP_SECONDS)
        assert not self.processes(), f"left behind: {self.processes()}"

    def kill_supervisor(self) -> None:
        """SIGKILL to the supervisor alone."""
        assert self.supervisor is not None
        self.supervisor.kill()
        self.supervisor.wait(5)

    def processes(self) -> list[psutil.Process]:
        """Every living process of this installation, whatever its parent is by now."""
        return [one for one in psutil.process_iter() if self._is_of_it(one)]

    def _is_of_it(self, process: psutil.Process) -> bool:
        mine = str(self.directory)
        try:
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                return False
            in_command = any(mine in part for part in process.cmdline())
            return in_command or process.cwd().startswith(mine) or process.environ().get("SUPERCHECK_DATA_DIR") == mine
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def pid(self, role: str) -> int | None:
        """The process id of one of `ROLES`; None while it is away."""
        assert self.supervisor is not None
        for child in _children(self.supervisor.pid):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, IndexError):
                if child.status() != psutil.STATUS_ZOMBIE and _role(child) == role:
                    return int(child.pid)
        return None

    def kill(self, role: str) -> int:
        """SIGKILL to the process of `role`; return its id."""
        pid = self.pid(role)
        assert pid is not None, f"{role} does not run"
        os.kill(pid, signal.SIGKILL)
        return pid

    def restarted(self, role: str, old: int, within: float = 20) -> int:
        """The id of the process that took the place of `old`."""
        return until(
            lambda: next((pid for pid in [self.pid(role)] if pid not in (None, old)), None) or 0,
            within=within,
            what=f"{role} is started again",
        )

    @contextlib.contextmanager
    def api(self) -> Iterator[Api]:
        with Api(self.url) as client:
            yield client

    @contextlib.contextmanager
    def database(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of its own that commits at once."""
        with psycopg.connect(self.database_url, autocommit=True, connect_timeout=5) as made:
            yield made

    def said(self) -> str:
        """Everything that its processes wrote so far."""
        return self.log.read_text(errors="replace")

    def tail(self) -> str:
        return "\n".join(self.said().splitlines()[-TAIL_LINES:])


def _children(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children())
    except psutil.NoSuchProcess:
        return []


def _role(process: psutil.Process) -> str:
    """Which of `ROLES` a child of the supervisor is; empty for any other, and before it has become its program."""
    command = process.cmdline()
    program = Path(command[0]).name
    if program == "postgres":
        return "postgres"
    if "valkey" in program or "redis" in program:
        return "valkey"
    starting = str(foreground.CHILD) in command
    return "" if starting else str(process.environ().get("SUPERCHECK_PROCESS", ""))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(**environment: str) -> Iterator[System]:
    """A fresh system for the length of the block, ready; `environment` adds to `ENVIRONMENT`. What it said is shown on failure."""
    place = Path(tempfile.mkdtemp(prefix="supercheck-drill-"))
    clean = {name: value for name, value in os.environ.items() if name not in settings.variable_names()}
    port = free_port()
    own = {"SUPERCHECK_DATA_DIR": str(place / "var"), "PORT": str(port)}
    system = System(place / "var", clean | ENVIRONMENT | own | environment, port, place / "console.log")
    try:
        system.start()
        yield system
        system.stop()
    except BaseException:
        print(f"--- the end of what the system said ---\n{system.tail()}")
        raise
    finally:
        _clear(system)
        shutil.rmtree(place, ignore_errors=True)


def _clear(system: System) -> None:
    """End what a failed test left running."""
    if system.supervisor is not None and system.supervisor.poll() is None:
        system.supervisor.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            system.supervisor.wait(STOP_SECONDS)
            return
        system.supervisor.kill()
        system.supervisor.wait()
    give_up = time.monotonic() + 10
    while (left := system.processes()) and time.monotonic() < give_up:
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=1)
