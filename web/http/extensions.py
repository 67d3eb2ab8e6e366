"""The Flask extensions. They are created once and bound to the application in `init_app`."""

from typing import TYPE_CHECKING, Any, cast

import redis
from flask import Flask, current_app
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import event

import settings
from actors.runtime.redis_connection import pooled, watched
from models.connections.dependencies import DATABASE
from models.tables import Base

if TYPE_CHECKING:
    from flask_migrate import Migrate

#: Database sessions for the tables of `models.tables`, which have their own base class: `db.Model` is not used.
#: Rows stay readable after a commit, because a response is rendered from what was just saved.
db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})
login_manager = LoginManager()
csrf = CSRFProtect()
#: The threads of a web process share these connections. A command takes about a millisecond.
_REDIS_CONNECTIONS = 64


def init_app(app: Flask) -> None:
    """Bind every extension to `app`. This opens no connection."""
    db.init_app(app)
    # Flask-Login's context processor would load the person for every template, including error pages.
    login_manager.init_app(app, add_context_processor=False)
    login_manager.login_view = "public.sign_in.login"
    login_manager.session_protection = None  # the address of a phone changes often
    csrf.init_app(app)
    app.extensions["redis"] = watched(
        pooled(
            settings.get().redis_url,
            _REDIS_CONNECTIONS,
            decode_responses=True,
            socket_timeout=3,
            socket_connect_timeout=2,
            health_check_interval=30,
        )
    )
    with app.app_context():
        event.listen(db.engine, "do_connect", _connect)


def _connect(dialect: Any, _record: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Open a connection for pages and API. Raise an error at once while the circuit breaker of the database is open."""
    if DATABASE.unavailable:
        raise dialect.dbapi.OperationalError("the database did not answer several times in a row")
    with DATABASE.attempt():
        return dialect.connect(*arguments, **keywords)


def redis_client() -> "redis.Redis":
    """Return the application's Redis client. It is pooled and decodes text. Its calls raise `redis.RedisError`."""
    return cast("redis.Redis", current_app.extensions["redis"])


def migrate(app: Flask) -> "Migrate":
    """Return Flask-Migrate for `app`. Only the command line uses it: a web process does not load Alembic."""
    from flask_migrate import Migrate

    return Migrate(app, db, directory="migrations")
