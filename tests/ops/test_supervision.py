"""The supervisor's configuration, and what `supercheck up` looks at before it starts anything."""

import configparser
import os
import shlex
import socket
import stat
from pathlib import Path

import pytest

import settings
from ops import installation, supervision
from ops.problem import Problem
from ops.up import check_port


def _sections(directory: Path, console: str = "/dev/fd/1") -> configparser.RawConfigParser:
    text = supervision.configuration(supervision.programs(["/bin/pg"], ["/bin/vk"]), directory, console, 4711)
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser


def test_every_process_of_the_procfile_is_a_program_that_waits_for_the_release() -> None:
    parser = _sections(Path("/data"))
    for name in supervision.APP_PROCESSES:
        section = parser[f"program:{name}"]
        assert section["autostart"] == "false"
        assert section["autorestart"] == "true"
        assert f'SUPERCHECK_PROCESS="{name}"' in section["environment"]
    assert parser["group:app"]["programs"].split(",") == list(supervision.APP_PROCESSES)
    procfile = (Path(__file__).parents[2] / "Procfile").read_text()
    assert {line.partition(":")[0] for line in procfile.splitlines()} == {"release", *supervision.APP_PROCESSES}


def test_only_the_check_worker_opens_raw_sockets_and_only_web_binds_a_low_port() -> None:
    for port, powers in ((8000, ()), (80, (supervision.CAP_NET_BIND_SERVICE,))):
        found = {one.name: one for one in supervision.programs(["/pg"], ["/vk"], as_service=True, port=port)}
        assert {name: one.capabilities for name, one in found.items() if one.capabilities} == (
            {"check_worker": (supervision.CAP_NET_RAW,)} | ({"web": powers} if powers else {})
        )
        assert {name for name, one in found.items() if not one.as_service} == {"release"}


def test_with_real_servers_no_embedded_one_is_started() -> None:
    assert {program.name for program in supervision.programs(None, None)} == {"release", *supervision.APP_PROCESSES}


def test_a_percent_sign_in_the_path_is_no_expansion() -> None:
    text = supervision.configuration(supervision.programs(None, None), Path("/data/100%"), "/dev/fd/1", 1)
    assert "directory=/data/100%%\n" in text


def test_a_path_with_spaces_stays_one_argument() -> None:
    text = supervision.configuration(supervision.programs(["/with space/pg"], None), Path("/data"), "/dev/fd/1", 1)
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    assert shlex.split(parser["program:postgres"]["command"])[-1] == "/with space/pg"


def test_a_long_data_directory_gets_a_short_and_private_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    long = tmp_path / ("d" * 120)
    path = supervision.socket_path(long)
    assert len(os.fsencode(path)) <= supervision.LONGEST_SOCKET_PATH
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.parent.rmdir()


def test_somebody_elses_socket_directory_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    long = tmp_path / ("e" * 120)
    private = supervision.socket_path(long).parent
    private.chmod(0o777)
    try:
        with pytest.raises(Problem, match="belongs to another user or is accessible to others"):
            supervision.socket_path(long)
    finally:
        private.rmdir()


def test_a_taken_port_is_one_line_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Problem, match=f"Port {port} is in use .*choose another with PORT"):
            check_port(settings.Settings(host="127.0.0.1", port=port))


def test_a_host_that_is_not_this_machine_is_refused() -> None:
    with pytest.raises(Problem, match="HOST is wrong"):
        check_port(settings.Settings(host="192.0.2.1", port=8000))


def test_a_data_directory_in_use_names_its_process(tmp_path: Path) -> None:
    installation.lock(tmp_path)
    with pytest.raises(Problem, match=f"in use by process {os.getpid()}"):
        installation.lock(tmp_path)


def test_a_data_directory_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match="choose another with SUPERCHECK_DATA_DIR"):
        installation.open_directory(tmp_path / "file" / "var")


def test_what_the_operator_set_wins_over_what_was_found() -> None:
    environment = {"SECRET_KEY": "mine", "REDIS_URL": " "}
    installation.complete(environment, {"SECRET_KEY": "found", "REDIS_URL": "redis://found"})
    assert environment == {"SECRET_KEY": "mine", "REDIS_URL": "redis://found"}
