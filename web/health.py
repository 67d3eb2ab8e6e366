"""Is the process alive, and is the installation fit to serve? For load balancers and supervisors; no login."""

import re
from functools import cache
from pathlib import Path

import redis
import structlog
from flask import Blueprint, Flask, Response, jsonify
from sqlalchemy import text as sql
from sqlalchemy.exc import SQLAlchemyError

from web.http.extensions import db, redis_client

log = structlog.get_logger(__name__)

health = Blueprint("health", __name__)

OK = "ok"
ROLES = ("web", "scheduler", "worker", "check_worker")
_MIGRATIONS = Path(__file__).parents[1] / "migrations" / "versions"
_REVISION = re.compile(r'^revision(?:: str)? = "(.+)"', re.M)
_DOWN_REVISION = re.compile(r'^down_revision(?:: [^=]+)? = "(.+)"', re.M)


@health.get("/healthz")
def alive() -> Response:
    """This process answers; nothing else is asked."""
    return Response("ok\n", mimetype="text/plain")


@health.get("/readyz")
def ready() -> tuple[Response, int]:
    """Whether database, migrations, broker and every process role are there: 200, or 503 and what is missing."""
    checks = {"database": _database(), "redis": _redis(), **_roles()}
    fit = all(answer == OK for answer in checks.values())
    return jsonify(status=OK if fit else "unavailable", checks=checks), 200 if fit else 503


def _database() -> str:
    try:
        applied = db.session.scalar(sql("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError as error:
        return _failed("database", error)
    if applied != newest_migration():
        return "not at the newest migration: run supercheck migrate"
    return OK


def _redis() -> str:
    try:
        redis_client().ping()
    except redis.RedisError as error:
        return _failed("redis", error)
    return OK


def _roles() -> dict[str, str]:
    """A word on each process role: they renew a key in Redis that expires when they do not."""
    from actors.runtime import process_registry  # connects at import, which only a process with settings can

    try:
        seen = process_registry.roles_seen(redis_client())
    except redis.RedisError:
        return dict.fromkeys(ROLES, "unknown: the broker is not reachable")
    return {role: OK if seen[role] else "no such process was seen lately" for role in ROLES}


def _failed(what: str, error: Exception) -> str:
    """The text of `error` may name hosts and users, so it goes nowhere but its type."""
    log.warning("not ready", check=what, error=type(error).__name__)
    return "not reachable"


@cache
def newest_migration() -> str:
    """The revision that the database should be at: the one that no other follows.

    Read from the files: Alembic itself would cost a web process several megabytes for good.
    """
    texts = [path.read_text() for path in _MIGRATIONS.glob("*.py")]
    revisions = {found[1] for text in texts if (found := _REVISION.search(text))}
    followed = {found[1] for text in texts if (found := _DOWN_REVISION.search(text))}
    (newest,) = revisions - followed
    return newest


def init_app(app: Flask) -> None:
    """Give `app` its health routes."""
    app.register_blueprint(health)
