"""What the tests of monitors share: one good body, and looks into the tables."""

from typing import Any
from uuid import UUID

import psycopg

from models.secrets import encryption
from tests.web.api.cast import Cast

HTTP = {"name": "Shop", "type": "http_request", "target": "https://192.0.2.7/health"}
Row = dict[str, Any]


def made(cast: Cast, **changes: object) -> Row:
    """A fresh HTTP monitor with `changes`, as it was answered."""
    answer = cast.editor.post("/monitors", {**HTTP, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json  # type: ignore[return-value]


def state_of(connection: psycopg.Connection[Any], monitor_id: str) -> Row:
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    row = cursor.execute("SELECT * FROM monitor_states WHERE monitor_id = %s", [monitor_id]).fetchone()
    assert row is not None
    return row


def secrets_in(connection: psycopg.Connection[Any], monitor_id: str) -> Row:
    row = connection.execute("SELECT secrets FROM monitors WHERE id = %s", [monitor_id]).fetchone()
    assert row is not None
    return encryption.decrypt(row[0], "monitors", UUID(monitor_id))
