"""`make bench`: CPU cost and lateness of checks, memory of the processes, time from an outage to its alert.

Everything is measured in one run on one machine, and compared with a bare `requests.get` loop of that run: quote the
ratios. Options choose the parts and durations; the defaults are those of ops/bench/RESULTS.md.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import psycopg
import requests

from ops.bench import monitors
from ops.bench.pings import pings
from ops.bench.system import System, running
from ops.bench.target import KEYWORD


@contextmanager
def target() -> Iterator[str]:
    """Run the target server in a separate process; yield its URL."""
    child = subprocess.Popen([sys.executable, "-m", "ops.bench.target"], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(child.stdout.readline())}"
    finally:
        child.terminate()
        child.wait(10)


def bare_requests(url: str, count: int = 1500) -> float:
    """Return the CPU milliseconds of one bare `requests.get` with a search for a keyword, in this process."""
    began = time.process_time()
    for _ in range(count):
        assert KEYWORD in requests.get(url, timeout=5).text
    return (time.process_time() - began) / count * 1000


def throughput(url: str, count: int, interval: int, seconds: int) -> None:
    """Measure many monitors at a short interval: checks per second, cost, lateness, missed rounds, memory."""
    with running(LOG_LEVEL="WARNING") as system, psycopg.connect(system.database_url, autocommit=True) as db:
        monitors.create(db, count, interval, f"{url}/")
        _wait(lambda: monitors.checked(db) == count, 60)
        time.sleep(interval)
        began_at, skipped = monitors.now(db), monitors.skipped(db, f"{url}/")
        before, began = system.cpu_seconds(), time.monotonic()
        bare = [bare_requests(url)]
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        used = {role: value - before.get(role, 0) for role, value in system.cpu_seconds().items()}
        took = time.monotonic() - began
        figures = monitors.figures(db, began_at, took, skipped, f"{url}/")
        bare.append(bare_requests(url))
        cost = sum(used.values()) / figures.checks * 1000
        click.echo(f"{count} HTTP monitors at {interval} s, keyword, a new connection each, for {took:.0f} s")
        click.echo(f"  checks per second      {figures.checks / took:8.1f}   (wanted {count / interval:.1f})")
        click.echo(f"  missed rounds          {figures.missed:8d}   not up: {figures.not_up}")
        click.echo(f"  lateness               p50 {figures.late_p50:.1f} ms, p99 {figures.late_p99:.1f} ms")
        click.echo(f"  CPU per check          {cost:8.3f} ms, all processes, database and broker included")
        click.echo(f"  a bare requests.get    {statistics.mean(bare):8.3f} ms")
        click.echo(f"  ratio                  {cost / statistics.mean(bare):8.2f}")
        for role, value in sorted(used.items()):
            click.echo(f"    {role:<16} {value / figures.checks * 1000:8.3f} ms a check")
        _memory(system)


def latency(url: str, rounds: int) -> None:
    """Measure the time from the failing probe's response to the webhook's arrival in an idle system."""
    with running(LOG_LEVEL="WARNING") as system, psycopg.connect(system.database_url, autocommit=True) as db:
        monitors.create(db, 1, 600, f"{url}/", hook=f"{url}/hook")
        _wait(lambda: monitors.checked(db) == 1, 30)
        monitor = requests.get(f"{system.url}/api/monitors", headers=_bearer(system), timeout=5).json()["data"][0]["id"]
        took = []
        for _ in range(rounds):
            requests.get(f"{url}/bad", timeout=5)
            _check_now(system, monitor)
            took.append(_wait(lambda: _alert_seconds(url), 20) * 1000)
            requests.get(f"{url}/good", timeout=5)
            _check_now(system, monitor)
            _wait(lambda: bool(requests.get(f"{url}/hooks", timeout=5).json()["hooks"]), 20)
        ranked = sorted(took)
        click.echo(f"Failing probe to webhook, idle system, {rounds} outages")
        click.echo(f"  p50 {statistics.median(ranked):.1f} ms, slowest {ranked[-1]:.1f} ms")


def _bearer(system: System) -> dict[str, str]:
    return {"Authorization": f"Bearer {system.api_key}"}


def _check_now(system: System, monitor: str) -> None:
    requests.post(f"{system.url}/api/monitors/{monitor}/run", headers=_bearer(system), timeout=5).raise_for_status()


def _alert_seconds(url: str) -> float | None:
    seen = requests.get(f"{url}/hooks", timeout=5).json()
    return float(seen["hooks"][0] - seen["firstBadAnswer"]) if seen["hooks"] and seen["firstBadAnswer"] else None


def hanging(url: str, good: int, bad: int, interval: int, seconds: int) -> None:
    """Measure whether targets that hang until their timeout of 30 s delay the checks of the others."""
    with running(LOG_LEVEL="WARNING") as system, psycopg.connect(system.database_url, autocommit=True) as db:
        monitors.create(db, bad, interval, f"{url}/hang", timeout=30, spread=True)
        monitors.create(db, good, interval, f"{url}/", timeout=30, spread=True)
        time.sleep(interval * 2)
        began_at, skipped = monitors.now(db), monitors.skipped(db, f"{url}/")
        time.sleep(seconds)
        figures = monitors.figures(db, began_at, seconds - 1, skipped, f"{url}/")
        click.echo(f"{good + bad} monitors at {interval} s, {bad} of them hang for 30 s; the other {good}:")
        click.echo(f"  lateness               p50 {figures.late_p50:.1f} ms, p99 {figures.late_p99:.1f} ms")
        click.echo(f"  missed rounds          {figures.missed:8d}   not up: {figures.not_up}")


def footprint(url: str, count: int, interval: int, idle_seconds: int) -> None:
    """Measure idle CPU without monitors, then memory and the time of the first round with many monitors."""
    with running(LOG_LEVEL="WARNING") as system, psycopg.connect(system.database_url, autocommit=True) as db:
        time.sleep(5)
        before = system.cpu_seconds()
        time.sleep(idle_seconds)
        used = {role: value - before.get(role, 0) for role, value in system.cpu_seconds().items()}
        click.echo(f"No monitors, {idle_seconds} s")
        click.echo(f"  CPU at rest            {sum(used.values()) / idle_seconds * 100:8.2f} % of a core")
        for role, value in sorted(used.items()):
            click.echo(f"    {role:<16} {value / idle_seconds * 100:8.2f} %")
        began = time.monotonic()
        monitors.create(db, count, interval, f"{url}/", spread=True)
        _wait(lambda: monitors.checked(db) == count, interval * 3)
        click.echo(f"{count} HTTP monitors at {interval} s")
        click.echo(f"  all checked after      {time.monotonic() - began:8.1f} s (interval {interval} s)")
        time.sleep(interval * 2)
        _memory(system)


def _memory(system: System) -> None:
    used = system.pss_mib()
    click.echo(f"  memory (PSS)           {sum(used.values()):8.1f} MiB, database and broker apart")
    for role, value in sorted(used.items()):
        click.echo(f"    {role:<16} {value:8.1f} MiB")


def _wait(condition: Callable[[], float | bool | None], seconds: float) -> float:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return float(value)
        time.sleep(0.02)
    raise SystemExit("The benchmark waited too long for a condition.")


@click.command()
@click.option(
    "--part", "parts", multiple=True, type=click.Choice(["throughput", "latency", "hanging", "footprint", "pings"])
)
@click.option("--monitors", "count", default=2500, show_default=True)
@click.option("--interval", default=5, show_default=True)
@click.option("--seconds", default=40, show_default=True)
def main(parts: tuple[str, ...], count: int, interval: int, seconds: int) -> None:
    """Measure the system on this machine."""
    with target() as url:
        if not parts or "throughput" in parts:
            throughput(url, count, interval, seconds)
        if not parts or "latency" in parts:
            latency(url, 40)
        if not parts or "hanging" in parts:
            hanging(url, 700, 300, 10, 45)
        if not parts or "footprint" in parts:
            footprint(url, 1000, 20, 30)
    if not parts or "pings" in parts:
        pings(10)


if __name__ == "__main__":
    main()
