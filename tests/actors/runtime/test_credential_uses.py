"""Who opened which stored credentials stands in the audit log, and floods nothing."""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from actors.checks import config_cache
from actors.runtime import credential_uses
from actors.runtime.credential_uses import REPEAT_SECONDS, Ledger
from models.queries.audit import CredentialUse
from models.secrets import encryption
from tests import rows
from tests.conftest import NO_SERVER, SettingsOf
from tests.waiting import until

Db = psycopg.Connection[Any]
CANARY = "hunter2-in-the-clear"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Call it to let so many seconds pass for ledgers."""
    true, passed = credential_uses.time.monotonic, 0.0

    def pass_by(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    monkeypatch.setattr(credential_uses, "time", SimpleNamespace(monotonic=lambda: true() + passed))
    return pass_by


@pytest.fixture
def worker() -> Iterator[Callable[[], Ledger]]:
    """Call it to begin again as a worker process does, with nothing known and an empty ledger."""

    def begin() -> Ledger:
        config_cache._cache.clear()
        credential_uses._ledger = Ledger("check_worker")
        return credential_uses._ledger

    yield begin
    credential_uses._ledger = None
    config_cache._cache.clear()


def sealed_monitor(db: Db, project: UUID) -> UUID:
    monitor = rows.a_monitor(db, project, config={"auth": {"type": "basic", "username": "me", "password": "…"}})
    sealed = encryption.encrypt({"auth.password": CANARY}, "monitors", monitor)
    db.execute("UPDATE monitors SET secrets = %s WHERE id = %s", [sealed, monitor])
    return monitor


def trail(db: Db) -> list[tuple[Any, ...]]:
    """(object, purpose, uses) of each event, the oldest first."""
    return db.execute(
        "SELECT object_id, details->>'purpose', (details->>'uses')::int FROM audit_events"
        " WHERE action = 'credential.used' ORDER BY created_at"
    ).fetchall()


def test_a_worker_tells_once_that_it_has_read_a_monitors_credentials(
    connection: Db, worker: Callable[[], Ledger]
) -> None:
    project = rows.a_project(connection)
    secret, plain = sealed_monitor(connection, project), rows.a_monitor(connection, project)
    ledger = worker()
    # Given a hundred checks of each
    for _ in range(100):
        assert config_cache.load([(secret, 1), (plain, 1)])[secret].target.config["auth"]["password"] == CANARY
    ledger.write()
    ledger.write(everything=True)

    # Then one row says so: of the one that has credentials, with who and where, and without them
    assert trail(connection) == [(secret, "check", 1)]
    event = connection.execute(
        "SELECT project_id, organization_id IS NOT NULL, object_type, user_id, details FROM audit_events"
    ).fetchone()
    assert event is not None
    assert event[:4] == (project, True, "monitor", None)
    assert event[4]["process"] == "check_worker"
    assert event[4]["host"]
    assert CANARY not in json.dumps(event[4])

    # And a restarted worker reads them again, which is recorded as well
    ledger = worker()
    config_cache.load([(secret, 1)])
    ledger.write()
    assert trail(connection) == [(secret, "check", 1)] * 2


def test_a_new_version_is_another_reading(
    connection: Db, worker: Callable[[], Ledger], later: Callable[[float], None]
) -> None:
    monitor = sealed_monitor(connection, rows.a_project(connection))
    ledger = worker()
    config_cache.load([(monitor, 1)])
    connection.execute("UPDATE monitors SET version = 2 WHERE id = %s", [monitor])
    config_cache.load([(monitor, 2)])
    ledger.write()
    assert trail(connection) == [(monitor, "check", 2)]


def test_what_is_used_again_and_again_is_told_once_an_hour_with_its_number(
    connection: Db, later: Callable[[float], None]
) -> None:
    project = rows.a_project(connection)
    use = CredentialUse("provider", rows.a_provider(connection, project, "http://127.0.0.1:9/"), "delivery")
    ledger = Ledger("worker")
    for _ in range(50):
        ledger.add([use])
        ledger.write()
    assert [row[2] for row in trail(connection)] == [1]
    later(REPEAT_SECONDS + 1)
    ledger.write()
    assert [row[2] for row in trail(connection)] == [1, 49]
    # What remains at the end of the process is recorded then
    ledger.add([use, use])
    ledger.write()
    assert len(trail(connection)) == 2
    ledger.write(everything=True)
    assert [row[2] for row in trail(connection)] == [1, 49, 2]


def test_what_cannot_be_written_is_kept(connection: Db, settings_of: SettingsOf) -> None:
    use = CredentialUse("monitor", sealed_monitor(connection, rows.a_project(connection)), "check")
    ledger, url = Ledger("check_worker"), credential_uses.settings.get().database_url
    ledger.add([use])
    settings_of(database_url=NO_SERVER)
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            ledger.write()
        ledger.add([use])
    settings_of(database_url=url)
    ledger.write()
    assert trail(connection) == [(use.object_id, "check", 3)]


def test_the_use_of_what_was_deleted_meanwhile_is_on_record_too(connection: Db) -> None:
    ledger, gone, person = Ledger("web"), uuid4(), uuid4()
    ledger.add([CredentialUse("monitor", gone, "show", user_id=person)])
    ledger.write()
    found = connection.execute("SELECT object_id, project_id, user_id FROM audit_events").fetchall()
    assert found == [(gone, None, person)]


def test_a_process_writes_by_itself_and_once_more_at_its_end(
    connection: Db, monkeypatch: pytest.MonkeyPatch, worker: Callable[[], Ledger]
) -> None:
    monkeypatch.setattr(credential_uses, "WRITE_EVERY_SECONDS", 0.05)
    monitor = sealed_monitor(connection, rows.a_project(connection))
    use = CredentialUse("monitor", monitor, "check")
    credential_uses.start("check_worker")
    try:
        credential_uses.record([use])
        until(lambda: trail(connection) == [(monitor, "check", 1)])
        credential_uses.record([use, use])
        monkeypatch.setattr(credential_uses, "WRITE_EVERY_SECONDS", 20)  # how long the end is waited for
    finally:
        credential_uses.stop()
    assert trail(connection) == [(monitor, "check", 1), (monitor, "check", 2)]
