"""Check workers of single locations, and a target that answers each location as the test wants."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil
import redis

from ops.embedded import foreground, valkey_server
from tests.system import System

STOP_SECONDS = 20


@dataclass
class Region:
    """Locations and their check workers. `bad` names what each location finds broken: (target's name, location)."""

    system: System
    url: str = ""
    workers: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    bad: set[tuple[str, str]] = field(default_factory=set)

    def start(self, location: str) -> None:
        """Start a check worker of `location`, as the system's own one was started."""
        pid = self.system.pid("check_worker")
        assert pid is not None, "the system's own check worker shows how"
        model = psutil.Process(pid)
        environment = model.environ() | {"WORKER_LOCATION": location}
        bound = foreground.bound_command(
            model.cmdline(), parent=os.getpid(), death_signal=signal.SIGKILL, as_service=False
        )
        with self.system.log.open("ab") as output:
            self.workers[location] = subprocess.Popen(
                bound, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def kill(self, location: str) -> None:
        """SIGKILL to the location's worker; nothing starts it again."""
        worker = self.workers.pop(location)
        worker.kill()
        worker.wait()

    def pause(self, location: str) -> None:
        """Stop the location's worker where it stands, while something goes on saying that it lives."""
        self.workers[location].send_signal(signal.SIGSTOP)
        with self._broker() as client:
            client.set(self._alive(location), 1, ex=120)

    def admit(self, location: str) -> None:
        """Let the paused worker's silence be noticed."""
        with self._broker() as client:
            client.delete(self._alive(location))

    def resume(self, location: str) -> None:
        """Let the paused worker go on with what it was at."""
        self.admit(location)
        self.workers[location].send_signal(signal.SIGCONT)

    def _broker(self) -> redis.Redis:
        return redis.Redis.from_url(valkey_server.kept_url(self.system.directory / "valkey"))

    def _alive(self, location: str) -> str:
        return f"supercheck:worker:{location}:paused"

    def location_of(self, port: int) -> str:
        """Whose worker's connection comes from `port`; the system's own where it is none of the others."""
        for location, worker in list(self.workers.items()):
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(one.laddr.port == port for one in psutil.Process(worker.pid).net_connections("tcp")):
                    return location
        return self.system.environment["WORKER_LOCATION"]

    def stop(self) -> None:
        for worker in self.workers.values():
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
        for worker in self.workers.values():
            worker.wait(STOP_SECONDS)


@contextlib.contextmanager
def region(system: System) -> Iterator[Region]:
    """The target's server beside `system`, whose own worker serves its `WORKER_LOCATION`; further ones are started by the test."""
    it = Region(system)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            broken = (self.path.removeprefix("/"), it.location_of(self.client_address[1])) in it.bad
            self.send_response(500 if broken else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        it.url = f"http://127.0.0.1:{server.server_address[1]}/"
        yield it
    finally:
        it.stop()
        server.shutdown()
        server.server_close()
