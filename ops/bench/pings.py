"""Compare pings with a bare Flask route under the same server: pings per second, latency, CPU of all processes."""

import hashlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import click
import psutil
import psycopg
import requests

from ops.bench.system import System, free_port, running

CONNECTIONS = 32
#: Many monitors, so that the pings do not all wait for the lock of one row.
MONITORS = 400
_OURS = ("web", "worker", "scheduler", "postgres", "valkey")


class Load(NamedTuple):
    """The result of one run of the pinger. `cost` is milliseconds of CPU for each response, `parts` the same by process."""

    answers: int
    seconds: float
    #: Including those of the warm-up.
    all_answers: int
    p50: float
    p99: float
    parts: dict[str, float]

    @property
    def cost(self) -> float:
        return sum(self.parts.values())


def pings(seconds: int) -> None:
    """Ping a running system, then the bare Flask route, and print the figures of both."""
    with running(LOG_LEVEL="WARNING") as system, psycopg.connect(system.database_url, autocommit=True) as db:
        paths = _paths_of_up_heartbeats(system, db)
        load = _load(system.url, paths, seconds, system.cpu_seconds)
        recorded = _rows(db) - len(paths)
    with _bare() as (url, process):
        bare = _load(url, paths, seconds, lambda: {"web": sum(process.cpu_times()[:2])})
    click.echo(f"Heartbeat pings from {CONNECTIONS} connections for {seconds} s, {MONITORS} monitors")
    click.echo(
        f"  pings per second       {load.answers / load.seconds:8.0f}   recorded {recorded} of {load.all_answers}"
    )
    click.echo(f"  latency                p50 {load.p50:.1f} ms, p99 {load.p99:.1f} ms")
    click.echo(f"  CPU per ping           {load.cost:8.3f} ms, all processes, database and broker included")
    for role, value in sorted(load.parts.items()):
        click.echo(f"    {role:<16} {value:8.3f} ms a ping")
    click.echo(
        f"  a bare Flask route     {bare.cost:8.3f} ms, {bare.answers / bare.seconds:.0f} a second, p99 {bare.p99:.1f} ms"
    )
    click.echo(f"  ratio                  {load.cost / bare.cost:8.2f}")
    if recorded != load.all_answers:
        raise SystemExit("Some pings with a response were not recorded.")


def _paths_of_up_heartbeats(system: System, db: psycopg.Connection[Any]) -> list[str]:
    """Create heartbeats that are up, so that further pings do not change their state; return the paths for pings."""
    (project,) = db.execute("SELECT id FROM projects LIMIT 1").fetchone() or (None,)
    assert isinstance(project, UUID)
    tokens = [secrets.token_urlsafe(32) for _ in range(MONITORS)]
    ids = [uuid4() for _ in tokens]
    db.execute(
        "INSERT INTO monitors (id, project_id, name, type, interval_seconds, config, heartbeat_token_hash)"
        " SELECT id, %s, 'Job ' || id, 'heartbeat', 4200, %s, hash"
        " FROM unnest(%s::uuid[], %s::bytea[]) AS v(id, hash)",
        [
            project,
            json.dumps({"expectedIntervalMinutes": 60, "gracePeriodMinutes": 10}),
            ids,
            [hashlib.sha256(token.encode()).digest() for token in tokens],
        ],
    )
    db.execute(
        "INSERT INTO monitor_states (monitor_id, next_run_at, status, last_verdict, decided_for, last_ping_at)"
        " SELECT id, now() + interval '1 hour', 'up', 'up', now() - interval '1 minute', now() - interval '1 minute'"
        " FROM unnest(%s::uuid[]) AS v(id)",
        [ids],
    )
    paths = [f"/api/heartbeat/{token}" for token in tokens]
    for path in paths:
        requests.get(system.url + path, timeout=10).raise_for_status()
    return paths


def _rows(db: psycopg.Connection[Any]) -> int:
    row = db.execute("SELECT count(*) FROM heartbeat_pings").fetchone()
    assert row is not None
    return int(row[0])


def _load(url: str, paths: Sequence[str], seconds: int, used: Callable[[], dict[str, float]]) -> Load:
    """Ping `url` for `seconds`, after a warm-up; `used` returns CPU seconds by process."""
    warm = _pinger(url, paths, 2)
    before = used()
    seen = _pinger(url, paths, seconds)
    after = used()
    if set(seen["answers"]) != {"200"}:
        raise SystemExit(f"Some pings got another status than 200: {seen['answers']}")
    ranked = seen["latencies"]
    parts = {
        role: (value - before.get(role, 0.0)) / len(ranked) * 1000 for role, value in after.items() if role in _OURS
    }
    everything = len(ranked) + len(warm["latencies"])
    return Load(len(ranked), seconds, everything, ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.99)], parts)


def _pinger(url: str, paths: Sequence[str], seconds: int) -> dict[str, Any]:
    parts = urlsplit(url)
    command = [sys.executable, "-m", "ops.bench.pinger", str(parts.hostname), str(parts.port)]
    done = subprocess.run(
        [*command, str(CONNECTIONS), str(seconds)],
        input="\n".join(paths),
        capture_output=True,
        text=True,
        check=True,
    )
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@contextmanager
def _bare() -> Iterator[tuple[str, psutil.Process]]:
    """Serve the bare route; yield its URL and its process."""
    port = free_port()
    child = subprocess.Popen(
        [sys.executable, "-m", "ops.bench.bare_flask"],
        env={**os.environ, "HOST": "127.0.0.1", "PORT": str(port)},
        stdout=subprocess.DEVNULL,
    )
    try:
        _until_answered(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}", psutil.Process(child.pid)
    finally:
        child.kill()  # an orderly stop would import Supercheck's application to end its streams
        child.wait(10)


def _until_answered(url: str) -> None:
    # The root path returns 404, which is enough.
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=requests.adapters.Retry(8, backoff_factor=0.2)))
    session.get(url, timeout=5)
