"""What the stages need: a project in the database, services outside."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests import outside, rows


@pytest.fixture
def project(connection: psycopg.Connection[Any]) -> UUID:
    rows.a_location(connection)
    return rows.a_project(connection)


@pytest.fixture
def hook() -> Iterator[outside.Hook]:
    with outside.hook() as it:
        yield it
