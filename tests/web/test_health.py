"""Health routes."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redis
from flask import Flask

from actors.runtime import process_registry
from models.connections.dependencies import DATABASE, FAILURES
from ops import migrations
from tests.conftest import SettingsOf
from tests.waiting import until
from tests.web.serving import an_app
from web import health
from web.http.extensions import db


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    with an_app() as made:
        yield made


@pytest.fixture
def everybody(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        for role in health.ROLES:
            client.set(f"supercheck:process:{role}:x", 1, ex=process_registry.LIFETIME_SECONDS)


def test_healthz_answers_without_database_and_broker(settings_of: SettingsOf) -> None:
    nowhere = settings_of(database_url="postgresql://nobody@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1/0")
    with an_app(nowhere) as app:
        assert app.test_client().get("/healthz").status_code == 200


@pytest.mark.usefixtures("everybody")
def test_readyz_is_ok_when_everything_is_there(app: Flask) -> None:
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json()["status"] == "ok"
    assert set(answer.get_json()["checks"].values()) == {"ok"}


@pytest.mark.usefixtures("everybody")
@pytest.mark.parametrize("role", health.ROLES)
def test_readyz_misses_each_process_role(app: Flask, redis_url: str, role: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.delete(f"supercheck:process:{role}:x")
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["status"] == "unavailable"
    assert [name for name, word in answer.get_json()["checks"].items() if word != "ok"] == [role]


@pytest.mark.usefixtures("everybody")
def test_readyz_misses_a_migration(app: Flask, connection: psycopg.Connection[Any]) -> None:
    connection.execute("UPDATE alembic_version SET version_num = '0000'")
    try:
        answer = app.test_client().get("/readyz")
    finally:
        connection.execute("UPDATE alembic_version SET version_num = %s", [health.newest_migration()])
    assert answer.status_code == 503
    assert "supercheck migrate" in answer.get_json()["checks"]["database"]


def test_readyz_names_dead_servers_and_none_of_their_secrets(settings_of: SettingsOf) -> None:
    nowhere = settings_of(
        database_url="postgresql://me:hunter2@127.0.0.1:1/none", redis_url="redis://:hunter2@127.0.0.1:1"
    )
    with an_app(nowhere) as app:
        answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["database"] == answer.get_json()["checks"]["redis"] == "not reachable"
    assert "hunter2" not in answer.text


def test_a_database_that_counts_as_away_is_not_waited_for_and_one_that_is_back_is_used(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DATABASE._breaker, "_recovery_timeout", 60)
    for _ in range(FAILURES):
        with pytest.raises(ZeroDivisionError), DATABASE.attempt():
            raise ZeroDivisionError
    db.engine.dispose()
    assert app.test_client().get("/readyz").get_json()["checks"]["database"] == "not reachable"
    monkeypatch.setattr(DATABASE._breaker, "_recovery_timeout", 0.001)
    until(lambda: app.test_client().get("/readyz").get_json()["checks"]["database"] == "ok")
    assert DATABASE.healthy


def test_the_newest_migration_is_the_one_that_alembic_means() -> None:
    from alembic.script import ScriptDirectory

    assert health.newest_migration() == ScriptDirectory.from_config(migrations.alembic_config()).get_current_head()
