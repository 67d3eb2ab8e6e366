"""The JSON API: one blueprint under /api, with one module per resource."""

from flask import Flask

from web.api.route import OPERATIONS, Operation, api
from web.http.extensions import csrf


def operations() -> list[Operation]:
    """Return every route of the API."""
    from web.api import openapi  # noqa: F401 - its route describes the others
    from web.features import import_api

    import_api()
    return OPERATIONS


def init_app(app: Flask) -> None:
    """Register the API on `app`."""
    operations()
    # `web.api.route` checks the CSRF token itself, and only for sessions: an API key needs none.
    csrf.exempt(api)
    app.register_blueprint(api)
