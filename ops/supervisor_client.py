"""Control the running supervisor over its socket in the data directory."""

from collections.abc import Iterator
from configparser import RawConfigParser
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import Faults, SupervisorTransport

from ops.supervision import CONFIGURATION


@contextmanager
def connect(directory: Path) -> Iterator[Any]:
    """Yield the supervisor's remote functions, such as `getAllProcessInfo()`. Calls raise `OSError` if it is not running."""
    parser = RawConfigParser(inline_comment_prefixes=None)
    parser.read_string((directory / CONFIGURATION).read_text())
    section = parser["unix_http_server"]
    url = "unix://" + section["file"].replace("%%", "%")
    transport = SupervisorTransport(section["username"], section["password"], url)
    try:
        yield ServerProxy("http://127.0.0.1", transport=transport).supervisor
    finally:
        transport.close()


def start_app(directory: Path) -> None:
    """Start the processes of the group `app` that are not running."""
    with connect(directory) as supervisor:
        for process in supervisor.getAllProcessInfo():
            if process["group"] == "app":
                _start(supervisor, f"app:{process['name']}")


def _start(supervisor: Any, name: str) -> None:
    try:
        supervisor.startProcess(name, False)
    except Fault as fault:
        if fault.faultCode != Faults.ALREADY_STARTED:
            raise


def restart_app(directory: Path) -> None:
    """Stop the processes of the group `app` and start them again; return when they have started."""
    with connect(directory) as supervisor:
        supervisor.stopProcessGroup("app")
        supervisor.startProcessGroup("app")


def stop_all(directory: Path) -> None:
    """Stop every program, then the supervisor."""
    with connect(directory) as supervisor:
        supervisor.shutdown()
