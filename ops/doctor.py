"""`supercheck doctor`: check this installation and print one line for each finding."""

import os
import resource
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import redis
import sqlalchemy

from models.secrets import encryption
from ops import installation, migrations
from ops.problem import Problem, one_line
from ops.readiness import web_answers
from settings import Settings, SettingsError

OK, WARNING, PROBLEM = "ok", "warning", "problem"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CLOCK_TOLERANCE_SECONDS = 2.0
LEAST_FREE_BYTES = 1024**3
SOON_FULL_FRACTION = 0.05


class Finding(NamedTuple):
    """One finding: its state, and a text that says what to do if it is not ok."""

    state: str
    text: str


def examine() -> int:
    """Print every finding; return the exit code, which is 1 if there is a problem."""
    findings = list(_findings())
    for finding in findings:
        print(f"{finding.state:<8} {finding.text}")
    return int(any(finding.state == PROBLEM for finding in findings))


def _findings() -> Iterator[Finding]:
    try:
        config = installation.enter()
    except (SettingsError, Problem) as error:
        yield Finding(PROBLEM, str(error))
        return
    yield Finding(OK, "The settings are complete.")
    for look in (data_directory, database, broker, web, browser, raw_icmp, open_files):
        yield from look(config)


def data_directory(config: Settings) -> Iterator[Finding]:
    """Check that the data directory is writable and has free space."""
    try:
        directory = installation.open_directory(config.data_dir)
    except Problem as problem:
        yield Finding(PROBLEM, str(problem))
        return
    disk = shutil.disk_usage(directory)
    if disk.free < max(LEAST_FREE_BYTES, disk.total * SOON_FULL_FRACTION):
        yield Finding(WARNING, f"Only {disk.free / 1024**3:.1f} GiB are free at {directory}: free some space.")
    else:
        yield Finding(OK, f"The data directory {directory} can be written; {disk.free / 1024**3:.0f} GiB are free.")


def database(config: Settings) -> Iterator[Finding]:
    """Check that PostgreSQL is reachable, new enough, at the newest schema, and that its clock agrees."""
    try:
        with psycopg.connect(config.database_url, connect_timeout=5) as connection:
            version = connection.info.server_version // 10_000
            row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
            drift = abs(time.time() - float(row[0])) if row else 0.0
    except psycopg.OperationalError as error:
        yield Finding(
            PROBLEM, f"PostgreSQL does not respond: start it, or correct DATABASE_URL ({_why(error, config)})."
        )
        return
    too_old = version < migrations.OLDEST_SERVER
    yield Finding(
        PROBLEM if too_old else OK,
        f"PostgreSQL {version} responds"
        + (f": version {migrations.OLDEST_SERVER} or newer is needed." if too_old else "."),
    )
    if drift > CLOCK_TOLERANCE_SECONDS:
        yield Finding(
            WARNING, f"This machine's clock and the database's differ by {drift:.1f} s: enable time synchronisation."
        )
    else:
        yield Finding(OK, "This machine's clock and the database's agree.")
    schema = _schema(config)
    yield schema
    if schema.state == OK:
        yield from _credentials(config)


def _schema(config: Settings) -> Finding:
    try:
        current = migrations.is_current(config.database_url)
    except sqlalchemy.exc.SQLAlchemyError as error:
        return Finding(PROBLEM, f"The schema cannot be read ({_why(error, config)}).")
    if current:
        return Finding(OK, "The schema is the newest.")
    return Finding(PROBLEM, "The schema is not the newest: run supercheck migrate.")


def _credentials(config: Settings) -> Iterator[Finding]:
    """Check that every stored credential is encrypted with a known key, and with the first one."""
    from ops import rotate_keys  # here, because it reads the environment when it is imported

    with psycopg.connect(config.database_url, connect_timeout=5) as connection:
        counts = rotate_keys.by_key(connection)
    first, *older = [encryption.key_id(key).hex() for key in config.encryption_keys]
    lost = sum(count for key, count in counts.items() if key not in {first, *older})
    old = sum(counts.get(key, 0) for key in older)
    if lost:
        yield Finding(
            PROBLEM,
            f"{lost} stored credentials were encrypted with a key that CREDENTIAL_ENCRYPTION_KEY does not list:"
            " add that key, or enter them again.",
        )
    if old:
        yield Finding(WARNING, f"{old} stored credentials are encrypted with an older key: run supercheck rotate-keys.")
    if not lost and not old:
        yield Finding(OK, "Stored credentials are encrypted with the first key.")


def broker(config: Settings) -> Iterator[Finding]:
    """Check that Redis is reachable and persistent, and that each process runs."""
    client = redis.Redis.from_url(config.redis_url, socket_connect_timeout=5, socket_timeout=5)
    try:
        client.ping()
        yield Finding(OK, "Redis responds.")
        yield _persistence(client)
        yield from _processes(client, config)
    except redis.RedisError as error:
        yield Finding(PROBLEM, f"Redis does not respond: start it, or correct REDIS_URL ({_why(error, config)}).")
    finally:
        client.close()


def _persistence(client: redis.Redis) -> Finding:
    state: dict[str, Any] = client.info("persistence")
    if state.get("aof_enabled"):
        return Finding(OK, "Redis stores its data on disk.")
    return Finding(WARNING, "Redis stores nothing on disk: if it restarts, queued work is delayed. Set appendonly yes.")


def _processes(client: redis.Redis, config: Settings) -> Iterator[Finding]:
    from actors.runtime import (
        process_registry,  # here, because the broker reads the environment when it is imported
    )
    from ops import rotate_keys

    seen = process_registry.roles_seen(client)
    for role in ("scheduler", "worker", "check_worker"):
        if seen[role]:
            yield Finding(OK, f"{role}: {seen[role]} running.")
        else:
            yield Finding(
                PROBLEM, f"{role}: none seen. Start it with: supercheck run {role} (or everything: supercheck up)"
            )
    if names := rotate_keys.unaware(process_registry.processes(client)):
        yield Finding(WARNING, f"Some processes do not know the first encryption key: restart them ({names}).")
    online = process_registry.workers_online(client)
    known = process_registry.known_locations(client)
    silent = [code for code in known if not online[code]]
    if silent and len(silent) < len(known):
        yield Finding(WARNING, f"No check worker serves {', '.join(silent)}: monitors are not checked from there.")
    if config.worker_location and config.worker_location not in known:
        yield Finding(
            WARNING,
            f"WORKER_LOCATION is {config.worker_location}, which does not exist: add it with supercheck locations add.",
        )


def web(config: Settings) -> Iterator[Finding]:
    """Check that the web process responds on this machine. A warning only, because it may run on another one."""
    if web_answers(config):
        yield Finding(OK, f"The web process responds at {config.public_url}.")
    else:
        yield Finding(WARNING, f"No web process responds on port {config.port} of this machine.")


def browser(_config: Settings) -> Iterator[Finding]:
    """Check that there is a Chromium, which synthetic tests need."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        yield Finding(OK, f"Browser for synthetic tests: {found}.")
    elif any((Path.home() / ".cache/ms-playwright").glob("chromium*")):
        yield Finding(OK, "Browser for synthetic tests: Playwright's Chromium.")
    else:
        yield Finding(WARNING, "No Chromium: synthetic tests cannot run here. Install Debian's package chromium.")


def raw_icmp(_config: Settings) -> Iterator[Finding]:
    """Check that one of the two kinds of ICMP socket can be opened, which ping checks need."""
    kinds: list[Callable[[], socket.socket]] = [
        lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
    ]
    for make in kinds:
        try:
            make().close()
        except PermissionError:
            continue
        except OSError as error:
            yield Finding(WARNING, f"Ping checks cannot work here: {error.strerror}.")
            return
        yield Finding(OK, "Ping checks may send ICMP.")
        return
    group = os.getegid()
    yield Finding(
        WARNING,
        f'Ping checks may not send ICMP: allow it with sysctl -w net.ipv4.ping_group_range="{group} {group}",'
        " or give the check worker CAP_NET_RAW.",
    )


def open_files(config: Settings) -> Iterator[Finding]:
    """Check the limit on open files: a check worker needs a file descriptor for each connection."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = config.max_concurrent_connections + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        yield Finding(
            WARNING,
            f"At most {hard} open files, {wanted} may be needed: raise ulimit -n, or lower MAX_CONCURRENT_CONNECTIONS.",
        )


def _why(error: Exception, config: Settings) -> str:
    """Return the first line of `error` without URLs and their passwords."""
    text = one_line(error)
    for url in (config.database_url, config.redis_url):
        text = text.replace(url, "…")
        password = _password(url)
        if password:
            text = text.replace(password, "…")
    return text


def _password(url: str) -> str:
    """Return the password in `url`, or an empty string if there is none."""
    return urlsplit(url).password or ""
