"""The JSON API: one blueprint under /api, one module a resource."""

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
    """Serve every resource on `app`."""
    operations()
    # The API checks the token itself, and only where a session and no key is used.
    csrf.exempt(api)
    app.register_blueprint(api)
