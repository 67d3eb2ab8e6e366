"""The application on the test database, for pages and API alike. What connects when imported is imported by the fixtures."""

from collections.abc import Iterator

import pytest
from flask import Flask


@pytest.fixture(scope="session")
def app(migrated_url: str) -> Iterator[Flask]:
    from web import create_app
    from web.http.extensions import db

    made = create_app()
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def context(app: Flask, database_url: str) -> Iterator[None]:
    """An application context for factories; it ends with the test."""
    from web.http.extensions import db

    with app.app_context():
        yield
        db.session.remove()
