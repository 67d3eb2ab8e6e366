"""Every stored credential comes under the new key, whatever happens during the rotation."""

import base64
import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import redis

import settings
from models.secrets import encryption
from ops import doctor, installation, rotate_keys
from ops.problem import Problem
from tests import rows
from tests.conftest import SettingsOf

Db = psycopg.Connection[Any]
OLD, NEW = b"the old key here", b"the new key here"
SECRET = {"auth.password": "hunter2"}


@pytest.fixture
def keys(settings_of: SettingsOf) -> Callable[..., settings.Settings]:
    """Call it with the keys that are listed from now on."""
    return lambda *listed: settings_of(encryption_keys=listed)


@pytest.fixture
def project(connection: Db) -> Iterator[UUID]:
    yield rows.a_project(connection)


def encrypted_monitor(connection: Db, project: UUID) -> UUID:
    monitor = rows.a_monitor(connection, project)
    connection.execute(
        "UPDATE monitors SET secrets = %s WHERE id = %s", [encryption.encrypt(SECRET, "monitors", monitor), monitor]
    )
    return monitor


def secrets_of(connection: Db, table: str, row_id: UUID) -> Any:
    row = connection.execute(f"SELECT secrets FROM {table} WHERE id = %s", [row_id]).fetchone()
    assert row is not None
    return encryption.decrypt(row[0], table, row_id)


def rotations(connection: Db) -> list[Any]:
    """What the audit log tells of each run."""
    return [row[0] for row in connection.execute("SELECT details FROM audit_events WHERE action = 'keys.rotated'")]


def test_all_tables_open_with_the_new_key_alone_afterwards(
    connection: Db, project: UUID, keys: Callable[..., settings.Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given more monitors than fit one batch, a provider and a variable, all under the old key
    monkeypatch.setattr(rotate_keys, "BATCH", 3)
    keys(OLD)
    monitors = [encrypted_monitor(connection, project) for _ in range(7)]
    rows.a_monitor(connection, project)  # one without secrets
    provider, variable = uuid4(), uuid4()
    for table, row_id, extra in (("notification_providers", provider, "webhook"), ("variables", variable, None)):
        columns = "id, project_id, name, secrets" + (", type" if extra else "")
        values = [
            row_id,
            project,
            "One",
            encryption.encrypt({"value": "v"}, table, row_id),
            *([extra] if extra else []),
        ]
        marks = ", ".join(["%s"] * len(values))
        connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)

    # When the keys are rotated
    done = rotate_keys.rotate(keys(NEW, OLD))

    # Then the new key alone opens everything, the time is kept, and the trail tells of it without a key
    assert done.reencrypted == {"monitors": 7, "notification_providers": 1, "variables": 1}
    assert not done.unreadable
    keys(NEW)
    assert all(secrets_of(connection, "monitors", one) == SECRET for one in monitors)
    assert secrets_of(connection, "notification_providers", provider) == {"value": "v"}
    assert secrets_of(connection, "variables", variable) == {"value": "v"}
    found = connection.execute(
        "SELECT count(*) FROM monitors WHERE secrets_encrypted_at IS NOT NULL AND secrets_changed_at IS NULL"
    ).fetchone()
    assert found == (7,)
    [details] = rotations(connection)
    assert details["resealed"] == done.reencrypted
    assert base64.b64encode(NEW).decode() not in str(details)

    # And a second run finds nothing to do, and says nothing
    again = rotate_keys.rotate(keys(NEW, OLD))
    assert not again.reencrypted
    assert len(rotations(connection)) == 1

    # And whose credentials were opened for it stands in each one's own trail
    read = connection.execute(
        "SELECT object_type, object_id, details->>'purpose' FROM audit_events"
        " WHERE action = 'credential.used' AND project_id = %s",
        [project],
    ).fetchall()
    assert sorted(read, key=str) == sorted(
        [("monitor", one, "rotation") for one in monitors]
        + [("provider", provider, "rotation"), ("variable", variable, "rotation")],
        key=str,
    )


def test_an_interrupted_rotation_is_finished_by_the_next(
    connection: Db, project: UUID, keys: Callable[..., settings.Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate_keys, "BATCH", 2)
    keys(OLD)
    monitors = [encrypted_monitor(connection, project) for _ in range(6)]
    config = keys(NEW, OLD)
    real, calls = encryption.encrypt, 0

    def breaks(*arguments: Any, **more: Any) -> bytes | None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return real(*arguments, **more)

    monkeypatch.setattr(encryption, "encrypt", breaks)
    with pytest.raises(KeyboardInterrupt):
        rotate_keys.rotate(config)
    # Every row opens at any time, with one key or the other
    assert all(secrets_of(connection, "monitors", one) == SECRET for one in monitors)
    done = rotate_keys.rotate(config)
    assert done.reencrypted["monitors"] == 4
    keys(NEW)
    assert all(secrets_of(connection, "monitors", one) == SECRET for one in monitors)


def test_a_change_made_meanwhile_is_kept(
    connection: Db, project: UUID, keys: Callable[..., settings.Settings], database_url: str
) -> None:
    keys(OLD)
    monitor = encrypted_monitor(connection, project)
    other = {"auth.password": "changed during that"}
    config = keys(NEW, OLD)
    # Given a session that holds the row and is about to change it, under the old key
    with psycopg.connect(database_url) as other_session:
        other_session.execute("SELECT 1 FROM monitors WHERE id = %s FOR NO KEY UPDATE", [monitor])
        thread = threading.Thread(target=rotate_keys.rotate, args=[config])
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "the rotation waits for the row"
        keys(OLD)
        sealed = encryption.encrypt(other, "monitors", monitor)
        keys(NEW, OLD)
        other_session.execute("UPDATE monitors SET secrets = %s WHERE id = %s", [sealed, monitor])
        other_session.commit()
        thread.join(10)
    keys(NEW)
    assert secrets_of(connection, "monitors", monitor) == other


def test_what_no_key_opens_is_named_and_left_as_it_is(
    connection: Db, project: UUID, keys: Callable[..., settings.Settings]
) -> None:
    keys(b"a forgotten key!")
    lost = encrypted_monitor(connection, project)
    keys(OLD)
    kept = encrypted_monitor(connection, project)
    done = rotate_keys.rotate(keys(NEW, OLD))
    assert done.unreadable == [f"monitors {lost}"]
    assert done.reencrypted == {"monitors": 1}
    assert secrets_of(connection, "monitors", kept) == SECRET
    assert any("could not be decrypted" in line for line in rotate_keys.report(done))
    keys(b"a forgotten key!")
    assert secrets_of(connection, "monitors", lost) == SECRET


def test_doctor_tells_of_old_keys_and_of_lost_ones(
    connection: Db, project: UUID, keys: Callable[..., settings.Settings]
) -> None:
    keys(OLD)
    encrypted_monitor(connection, project)
    assert "with the first key" in str(list(doctor.database(keys(OLD))))
    old = list(doctor.database(keys(NEW, OLD)))
    assert [one.text for one in old if one.state == doctor.WARNING] == [
        "1 stored credentials are encrypted with an older key: run supercheck rotate-keys."
    ]
    lost = list(doctor.database(keys(NEW)))
    assert any(one.state == doctor.PROBLEM and "does not list" in one.text for one in lost)


def test_a_new_key_goes_before_the_others_in_the_data_directory(tmp_path: Path, settings_of: SettingsOf) -> None:
    file = tmp_path / installation.ENCRYPTION_KEY
    file.write_text(base64.b64encode(OLD).decode() + "\n")
    config = settings_of(data_dir=tmp_path, encryption_keys=(OLD,))
    assert "Restart" in rotate_keys.new_key(config)
    parsed = settings.parse({"CREDENTIAL_ENCRYPTION_KEY": file.read_text().strip()})
    assert parsed.encryption_keys[1:] == (OLD,)
    assert file.stat().st_mode & 0o077 == 0
    # Where the operator sets the keys, it is the operator's to do
    with pytest.raises(Problem, match="environment"):
        rotate_keys.new_key(dataclasses.replace(config, encryption_keys=(NEW,)))


def test_a_rotation_waits_until_every_running_process_knows_the_new_key(
    redis_url: str, keys: Callable[..., settings.Settings], database_url: str
) -> None:
    config = keys(NEW, OLD)
    both, old = [[encryption.key_id(key).hex() for key in listed] for listed in ((NEW, OLD), (OLD,))]
    with redis.Redis.from_url(redis_url) as client:
        rotate_keys.require_ready(config)  # no process runs
        client.set("supercheck:process:web:a", json.dumps({"keys": both, "away": []}))
        rotate_keys.require_ready(config)
        for name, value in (("b", json.dumps({"keys": old, "away": []})), ("c", "1")):
            client.set(f"supercheck:process:check_worker:{name}", value)
        with pytest.raises(Problem, match=r"2 check_worker.*Restart them"):
            rotate_keys.require_ready(config)


def test_without_a_broker_nobody_can_tell_who_knows_the_new_key(settings_of: SettingsOf) -> None:
    with pytest.raises(Problem, match="--force"):
        rotate_keys.require_ready(settings_of(redis_url="redis://:hunter2@127.0.0.1:1/0"))
