"""The system under test: everything that `supercheck up` starts, in a temporary data directory, and its CPU and memory."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

START_SECONDS = 120
STOP_SECONDS = 60
_SERVERS = ("postgres", "valkey-server", "redis-server")


@dataclass(frozen=True, slots=True)
class System:
    """A running system. `database_url` is that of its embedded server."""

    url: str
    api_key: str
    process: psutil.Process
    database_url: str
    log: Path

    def processes(self) -> list[psutil.Process]:
        """Return the supervisor and all its descendants."""
        return [self.process, *self.process.children(recursive=True)]

    def cpu_seconds(self) -> dict[str, float]:
        """Return the CPU time used so far by each role. The roles of the database and the broker are `postgres` and `valkey`."""
        used: dict[str, float] = {}
        for process in self.processes():
            try:
                times, role = process.cpu_times(), _role(process)
            except psutil.NoSuchProcess:
                continue
            used[role] = used.get(role, 0.0) + times.user + times.system + times.children_user + times.children_system
        return used

    def pss_mib(self) -> dict[str, float]:
        """Return the proportional memory of each role, without the database and the broker."""
        used: dict[str, float] = {}
        for process in self.processes():
            try:
                role, full = _role(process), process.memory_full_info()
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
            if role not in ("postgres", "valkey"):
                used[role] = used.get(role, 0.0) + full.pss / 2**20
        return used


def _role(process: psutil.Process) -> str:
    name = process.name()
    if name.startswith("postgres"):
        return "postgres"
    if name.startswith(("valkey", "redis")):
        return "valkey"
    return process.environ().get("SUPERCHECK_PROCESS", "supervisor")


def free_port() -> int:
    """Return a TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(**environment: str) -> Iterator[System]:
    """Start everything, wait until it is ready, yield it, stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="supercheck-bench-") as folder:
        port, api_key = free_port(), "bench-key-" + "k" * 40
        log = Path(folder) / "log"
        environ = {
            **os.environ,
            "SUPERCHECK_DATA_DIR": f"{folder}/data",
            "PORT": str(port),
            "SUPERCHECK_ADMIN_EMAIL": "bench@example.com",
            "SUPERCHECK_ADMIN_PASSWORD": "a password for the benchmark",
            "SUPERCHECK_API_KEY": api_key,
            "ALLOW_INTERNAL_TARGETS": "true",
            "MIN_CHECK_INTERVAL_SECONDS": "5",
            **environment,
        }
        with log.open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "ops", "up"], env=environ, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            system = _ready(child, f"http://127.0.0.1:{port}", api_key, log)
            yield system
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(STOP_SECONDS)


def _ready(child: "subprocess.Popen[bytes]", url: str, api_key: str, log: Path) -> System:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if child.poll() is not None:
            break
        try:
            if requests.get(f"{url}/readyz", timeout=2).status_code == 200:
                process = psutil.Process(child.pid)
                return System(url, api_key, process, _database_url(process), log)
        except requests.RequestException:
            pass  # not yet
        time.sleep(0.1)
    raise SystemExit(f"The system did not become ready:\n{log.read_text(errors='replace')[-4000:]}")


def _database_url(process: psutil.Process) -> str:
    for child in process.children(recursive=True):
        url = child.environ().get("DATABASE_URL")
        if url:
            return url
    raise SystemExit("No process of the system has DATABASE_URL in its environment.")
