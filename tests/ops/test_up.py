"""`supercheck up` as a real process: started, started again, stopped, killed."""

import functools
import os
import pwd
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from ops import installation, supervision, supervisor_client
from ops.embedded import place, service_user
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(300)]
START_SECONDS = 90
STOP_SECONDS = 60


class Start:
    """One run of `supercheck up` on a data directory, its output in a file."""

    def __init__(self, directory: Path, port: int, output: Path) -> None:
        self.directory = directory
        self.port = port
        self.output = output
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ops", "up"],
                env=kept | {"SUPERCHECK_DATA_DIR": str(directory), "PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.text
        return "Supercheck is running at" in self.text

    def family(self) -> list[psutil.Process]:
        """The supervisor and every process beneath it."""
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def pid_of(self, name: str) -> int:
        """The process id of one program, 0 where it does not run."""
        with supervisor_client.connect(self.directory) as supervisor:
            found = supervisor.getAllProcessInfo()
        return next(int(one["pid"]) for one in found if one["name"] == name)

    def end(self, number: signal.Signals) -> list[psutil.Process]:
        """Send `number` to the supervisor; return the processes that outlive it for longer than they may."""
        family = self.family()
        os.kill(self.process.pid, number)
        self.process.wait(STOP_SECONDS)
        left: list[psutil.Process] = psutil.wait_procs(family, timeout=STOP_SECONDS)[1]
        return left


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Start]]:
    """Start Supercheck on this test's data directory; whatever still runs at the end is stopped."""
    made: list[Start] = []
    port = place.free_port()

    def one(directory: Path = tmp_path / "var", port: int = port) -> Start:
        made.append(Start(directory, port, tmp_path / f"output-{len(made)}"))
        return made[-1]

    yield one
    for run in made:
        if run.process.poll() is None:
            run.end(signal.SIGINT)


def _password(text: str) -> str:
    found = re.search(r"Password +(\S+)", text)
    return found[1] if found else ""


def test_the_first_start_shows_a_password_the_second_does_not_and_nothing_is_left_behind(
    start: Callable[..., Start],
) -> None:
    first = start()
    until(first.is_up, within=START_SECONDS)
    password = _password(first.text)
    assert password
    assert len(first.family()) > 6
    assert first.end(signal.SIGINT) == []
    assert not (first.directory / "first_account.json").exists()

    second = start()
    until(second.is_up, within=START_SECONDS)
    assert _password(second.text) == ""
    assert password not in second.text
    assert second.end(signal.SIGTERM) == []
    assert "database system is shut down" in second.text, "PostgreSQL stopped cleanly"


def test_no_secret_is_among_the_arguments_or_in_the_supervisors_configuration(start: Callable[..., Start]) -> None:
    run = start()
    until(run.is_up, within=START_SECONDS)
    found = installation.embedded_environment(run.directory)
    secrets = [found["SECRET_KEY"], found["CREDENTIAL_ENCRYPTION_KEY"]]
    secrets += [(run.directory / server / "password").read_text().strip() for server in ("postgres", "valkey")]
    seen = (run.directory / "supervisord.conf").read_text()
    seen += "".join(" ".join(one.cmdline()) for one in run.family())
    assert all(secret not in seen for secret in secrets)
    servers = [one for one in run.family() if one.pid in {run.pid_of("postgres"), run.pid_of("valkey")}]
    assert all("SECRET_KEY" not in one.environ() for one in servers)
    assert len(servers) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs everything as himself")
def test_started_as_root_the_processes_run_as_the_service_user(start: Callable[..., Start]) -> None:
    run = start()
    until(run.is_up, within=START_SECONDS)
    user = pwd.getpwnam(service_user.NAME)
    held = {}
    for name in ("web", "scheduler", "worker", "check_worker", "postgres", "valkey"):
        process = psutil.Process(run.pid_of(name))
        assert set(process.uids()) == {user.pw_uid}, name
        assert set(process.gids()) == {user.pw_gid}, name
        status = Path(f"/proc/{process.pid}/status").read_text()
        held[name] = int(re.findall(r"CapEff:\s+(\w+)", status)[0], 16)
    ours = int(re.findall(r"CapEff:\s+(\w+)", Path("/proc/self/status").read_text())[0], 16)
    raw = ours & 1 << supervision.CAP_NET_RAW
    assert held == dict.fromkeys(held, 0) | {"check_worker": raw}
    # What they must not read: the keys' files and the supervisor's password.
    assert (run.directory / "secret_key").stat().st_uid == 0
    assert run.directory.stat().st_mode & 0o007 in (0, 1)


def _came_back(run: Start, name: str, before: int) -> bool:
    return run.pid_of(name) not in {0, before}


def test_whatever_is_killed_comes_back_and_committed_rows_stay(start: Callable[..., Start]) -> None:
    run = start()
    until(run.is_up, within=START_SECONDS)
    url = installation.embedded_environment(run.directory)["DATABASE_URL"]
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    for name in ("web", "scheduler", "worker", "check_worker", "valkey", "postgres"):
        before = run.pid_of(name)
        os.kill(before, signal.SIGKILL)
        until(functools.partial(_came_back, run, name, before), within=30)

    def rows() -> bool:
        try:
            with psycopg.connect(url, connect_timeout=2) as connection:
                return connection.execute("SELECT n FROM kept").fetchone() == (42,)
        except psycopg.OperationalError:
            return False

    until(rows, within=30)
    assert run.end(signal.SIGINT) == []


def test_a_killed_supervisor_takes_all_with_it_and_the_next_start_works_at_once(start: Callable[..., Start]) -> None:
    first = start()
    until(first.is_up, within=START_SECONDS)
    assert first.end(signal.SIGKILL) == []
    second = start()
    until(second.is_up, within=START_SECONDS)


def test_a_data_directory_in_use_and_a_taken_port_are_one_line_each(
    start: Callable[..., Start], tmp_path: Path
) -> None:
    run = start()
    until(run.is_up, within=START_SECONDS)
    twin = start(port=place.free_port())
    assert twin.process.wait(60) == 1
    assert f"in use by process {run.process.pid}" in twin.text
    assert len(twin.text.splitlines()) == 1
    rival = start(tmp_path / "elsewhere", run.port)
    assert rival.process.wait(60) == 1
    assert f"Port {run.port} is in use" in rival.text
    assert len(rival.text.splitlines()) == 1
