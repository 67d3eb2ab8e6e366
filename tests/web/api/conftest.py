"""The cast. What connects when imported is imported by the fixtures."""

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from flask import Flask

if TYPE_CHECKING:
    from tests.web.api.cast import Cast, Watch


@pytest.fixture
def cast(app: Flask, context: None) -> "Cast":
    from tests.web.api.cast import assemble

    return assemble(app)


@pytest.fixture
def watch(cast: "Cast", connection: psycopg.Connection[Any]) -> "Watch":
    """Tells whether the tables still hold what they did when the cast was there."""
    from tests.web.api.cast import Watch, contents

    return Watch(connection, contents(connection))
