"""Liveness and readiness, for load balancers and supervisors. Both routes are public."""

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
    """Return 200 if this process handles requests."""
    return Response("ok\n", mimetype="text/plain")


@health.get("/readyz")
def ready() -> tuple[Response, int]:
    """Return 200 if database, migrations, broker and all process roles are available, else 503 and the reasons."""
    checks = {"database": _database(), "redis": _redis(), **_roles()}
    is_ready = all(outcome == OK for outcome in checks.values())
    return jsonify(status=OK if is_ready else "unavailable", checks=checks), 200 if is_ready else 503


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
    """Return the state of each process role. A process renews a key in Redis, which expires if the process stops."""
    from actors.runtime import process_registry  # connects at import, which only a process with settings can

    try:
        seen = process_registry.roles_seen(redis_client())
    except redis.RedisError:
        return dict.fromkeys(ROLES, "unknown: the broker is not reachable")
    return {role: OK if seen[role] else "no such process was seen recently" for role in ROLES}


def _failed(check: str, error: Exception) -> str:
    """Log the type of `error` only: its text may name hosts and users."""
    log.warning("not ready", check=check, error=type(error).__name__)
    return "not reachable"


@cache
def newest_migration() -> str:
    """Return the revision that the database should have: the one that no other revision follows.

    It is read from the files, because importing Alembic would cost a web process several megabytes.
    """
    texts = [path.read_text() for path in _MIGRATIONS.glob("*.py")]
    revisions = {match[1] for text in texts if (match := _REVISION.search(text))}
    followed = {match[1] for text in texts if (match := _DOWN_REVISION.search(text))}
    (newest,) = revisions - followed
    return newest


def init_app(app: Flask) -> None:
    """Add the health routes to `app`."""
    app.register_blueprint(health)
