"""Fixtures of the scheduler: locations and live workers."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests import rows

Alive = Callable[..., None]


@pytest.fixture
def alive(connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> Alive:
    """Call it with the codes of the locations that have a live worker. All others have none afterwards."""
    from actors.broker import broker
    from scheduling import dispatch, sweep, tick, watch_locations

    def only(*codes: str) -> None:
        for key in broker.client.scan_iter("supercheck:worker:*"):
            broker.client.delete(key)
        for code in codes:
            broker.client.set(f"supercheck:worker:{code}:some-worker", 1, ex=60)
        fresh = dispatch._OnlineLocations()
        for module in (dispatch, sweep, tick, watch_locations):
            monkeypatch.setattr(module, "online", fresh)

    only("us-east")
    return only


@pytest.fixture
def project(connection: psycopg.Connection[Any], alive: Alive) -> UUID:
    for position, code in enumerate(("us-east", "eu-central", "asia-pacific")):
        rows.a_location(connection, code, position)
    return rows.a_project(connection)
