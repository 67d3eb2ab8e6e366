"""The embedded servers keep what was committed, whatever kills them."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from ops import embedded
from ops.embedded import foreground, place, postgres_server, service_user, valkey_server


def _gone(pid: int, timeout_seconds: float = 20) -> bool:
    """Whether the process `pid` ends in time; a zombie has ended."""
    give_up = time.monotonic() + timeout_seconds
    status = Path(f"/proc/{pid}/status")
    while time.monotonic() < give_up:
        try:
            if "\nState:\tZ" in status.read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


@contextmanager
def _postgres(directory: Path) -> Iterator[tuple[str, int]]:
    server = postgres_server.prepare(directory)
    answers = lambda: embedded.postgres_answers(server.url)  # noqa: E731
    with foreground.running(server.command, server.data, signal.SIGINT, answers) as pid:
        yield server.url, pid


@contextmanager
def _valkey(directory: Path) -> Iterator[tuple[str, int]]:
    server = valkey_server.prepare(directory)
    answers = lambda: embedded.valkey_answers(server.url)  # noqa: E731
    with foreground.running(server.command, server.data, signal.SIGTERM, answers) as pid:
        yield server.url, pid


def test_postgres_keeps_committed_rows_over_kill_9(tmp_path: Path) -> None:
    with _postgres(tmp_path / "postgres") as (url, pid):
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (42)")
        os.kill(pid, signal.SIGKILL)
    with _postgres(tmp_path / "postgres") as (again, _), psycopg.connect(again) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
    assert again == url, "port and password are kept"


def test_valkey_keeps_what_reached_the_disk_over_kill_9(tmp_path: Path) -> None:
    with _valkey(tmp_path / "valkey") as (url, pid):
        with redis.Redis.from_url(url) as client:
            client.set("kept", "42")
            assert client.execute_command("WAITAOF", 1, 0, 5000)[0] == 1
        os.kill(pid, signal.SIGKILL)
    with _valkey(tmp_path / "valkey") as (again, _), redis.Redis.from_url(again) as client:
        assert client.get("kept") == b"42"


def test_the_servers_want_a_password() -> None:
    with (
        embedded.valkey() as url,
        redis.Redis.from_url(url.replace("redis://:", "redis://:x")) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_a_lock_file_left_by_a_crash_does_not_stop_the_next_start(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    server = postgres_server.prepare(directory, durable=False)
    # The number now belongs to a living process that is no server: this one.
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")
    with embedded.postgres(directory) as url:
        assert embedded.postgres_answers(url)


def test_a_taken_port_is_chosen_anew(tmp_path: Path) -> None:
    first = place.kept_port(tmp_path / "port")
    with socket.socket() as thief:
        thief.bind((place.LOOPBACK, first))
        thief.listen()
        second = place.kept_port(tmp_path / "port")
    assert second != first
    assert place.kept_port(tmp_path / "port") == second


def test_secrets_are_for_the_owner_only(tmp_path: Path) -> None:
    postgres_server.prepare(tmp_path / "postgres", durable=False)
    valkey_server.prepare(tmp_path / "valkey", durable=False)
    for path in ("postgres/password", "valkey/password", "valkey/valkey.conf"):
        assert stat.S_IMODE((tmp_path / path).stat().st_mode) == 0o600
    assert not (tmp_path / "postgres/password.once").exists()


def test_no_password_shows_among_the_arguments(tmp_path: Path) -> None:
    for prepare in (postgres_server.prepare, valkey_server.prepare):
        server = prepare(tmp_path / prepare.__module__, durable=False)
        password = (tmp_path / prepare.__module__ / "password").read_text().strip()
        assert password in server.url
        assert password not in " ".join(server.command)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has others' way to open")
def test_only_the_search_bit_is_added_on_the_way(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    service_user.private_directory(closed / "var")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o701
    assert stat.S_IMODE((closed / "var").stat().st_mode) == 0o700


def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from ops.embedded import foreground, valkey_server, valkey_answers\n"
        "import signal\n"
        "s = valkey_server.prepare(pathlib.Path(sys.argv[1]), durable=False)\n"
        "with foreground.running(s.command, s.data, signal.SIGTERM, lambda: valkey_answers(s.url)) as pid:\n"
        "    print(pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "valkey")], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        parent.kill()
    assert _gone(server)
