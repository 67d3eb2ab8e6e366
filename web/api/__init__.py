"""The JSON API: one blueprint under /api, one module a resource."""

from flask import Flask

from web.api.route import OPERATIONS, Operation, api
from web.extensions import csrf


def operations() -> list[Operation]:
    """Every route of the API; importing the modules hangs them on the blueprint."""
    from web.api import (  # noqa: F401
        accounts,
        alerts,
        audit,
        dead_letters,
        incidents,
        maintenance,
        monitors,
        openapi,
        places,
        providers,
        results,
        sessions,
        tags,
    )

    return OPERATIONS


def init_app(app: Flask) -> None:
    """Serve every resource on `app`."""
    operations()
    # The API checks the token itself, and only where a session and no key is used.
    csrf.exempt(api)
    app.register_blueprint(api)
