"""`make dev`: a changed file restarts the processes of the application and leaves the servers alone."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import dev, supervisor_client
from tests import system
from tests.waiting import until


def test_a_changed_file_is_reported_and_compiled_files_are_not(tmp_path: Path) -> None:
    stop, found = threading.Event(), list[Path]()
    (tmp_path / "__pycache__").mkdir()

    def collect() -> None:
        for files in dev.changes([tmp_path], stop):
            found.extend(files)

    watcher = threading.Thread(target=collect)
    watcher.start()
    try:

        def wrote() -> bool:
            # The watcher may not watch yet: write until it sees something.
            (tmp_path / "__pycache__" / "view.pyc").write_bytes(b"x")
            (tmp_path / "view.py").write_text("x")
            return bool(found)

        until(wrote, what="the change is seen")
        assert {file.name for file in found} == {"view.py"}
    finally:
        stop.set()
        watcher.join(10)


@pytest.fixture
def installation() -> Iterator[system.System]:
    with system.running() as running:
        yield running


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_restart_replaces_every_process_and_keeps_the_servers(installation: system.System) -> None:
    before = {role: installation.pid(role) for role in system.ROLES}
    supervisor_client.restart_app(installation.directory)
    until(lambda: all(installation.pid(role) not in (None, before[role]) for role in system.APP_ROLES), within=60)
    servers = set(system.ROLES) - set(system.APP_ROLES)
    assert {role: installation.pid(role) for role in servers} == {role: before[role] for role in servers}
    until(installation._ready, within=60, what="it is ready again")
