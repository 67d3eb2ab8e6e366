"""The Flask extensions, made once and bound to the application in `init_app`."""

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

#: Sessions and pagination over the tables of `models.tables`, which have a base of their own: `db.Model` is not used.
#: Rows stay readable after a commit: an answer is rendered from what was just saved.
db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})
login_manager = LoginManager()
csrf = CSRFProtect()
#: Each command takes a millisecond: the threads of a web process share them.
_REDIS_CONNECTIONS = 64


def init_app(app: Flask) -> None:
    """Bind every extension to `app`; opens no connection yet."""
    db.init_app(app)
    # Its context processor would load the person for every template, error pages included.
    login_manager.init_app(app, add_context_processor=False)
    login_manager.login_view = "public.sign_in.login"
    login_manager.session_protection = None  # a phone changes its address all day long
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
    """A new connection for pages and API; refused at once while the database counts as away."""
    if DATABASE.away:
        raise dialect.dbapi.OperationalError("the database did not answer several times in a row")
    with DATABASE.attempt():
        return dialect.connect(*arguments, **keywords)


def redis_client() -> "redis.Redis":
    """The application's Redis client: pooled, text in and out. Calls raise `redis.RedisError`."""
    return cast("redis.Redis", current_app.extensions["redis"])


def migrate(app: Flask) -> "Migrate":
    """Flask-Migrate on `app`, for the command line only: Alembic's memory is not wanted in a web process."""
    from flask_migrate import Migrate

    return Migrate(app, db, directory="migrations")
