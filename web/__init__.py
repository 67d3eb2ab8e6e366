"""Pages, the JSON API, heartbeat routes and live streams: one Flask application."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import settings
from settings import Settings
from web.http import compression, correlation, errors, extensions, security_headers
from web.http.client_address import ClientAddress
from web.live import streams
from web.pings import routes as heartbeats


def create_app(config: Settings | None = None) -> Flask:
    """Return the application of one web process. `config` defaults to the settings of the environment.

    Raise `SettingsError` if a server or a key is missing.
    """
    config = config or settings.get()
    settings.require_servers(config)
    app = Flask(__name__)
    app.config.update(_flask_config(config))
    heartbeats.init_app(app)
    app.wsgi_app = ClientAddress(app.wsgi_app)  # type: ignore[method-assign]
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    compression.init_app(app)
    # Before the extensions, so that a response they reject also has a correlation id.
    correlation.init_app(app)
    extensions.init_app(app)
    security_headers.init_app(app, https=config.public_url.startswith("https:"))
    errors.init_app(app)
    _register_blueprints(app)
    return app


def _flask_config(config: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": config.secret_key,
        "MAX_CONTENT_LENGTH": 1024 * 1024,
        "SESSION_COOKIE_NAME": "supercheck_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": config.public_url.startswith("https:"),
        "PERMANENT_SESSION_LIFETIME": 14 * 24 * 3600,
        # A CSRF token is valid as long as its session, so that a form that was open for hours can still be saved.
        "WTF_CSRF_TIME_LIMIT": None,
        "SQLALCHEMY_DATABASE_URI": config.database_url.replace("postgresql://", "postgresql+psycopg://", 1),
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_size": 5,
            "max_overflow": 15,
            "pool_timeout": 10,
            "pool_pre_ping": True,
            # The values of a failed statement may be secrets, and errors are logged.
            "hide_parameters": True,
            "connect_args": {"options": "-c timezone=UTC -c statement_timeout=30000", "connect_timeout": 5},
        },
    }


def _register_blueprints(app: Flask) -> None:
    """Register every blueprint. They are imported here, so that importing a module registers nothing."""
    from web import api, health, metrics
    from web.ui import pages

    api.init_app(app)
    health.init_app(app)
    metrics.init_app(app)
    streams.init_app(app)
    pages.init_app(app)
