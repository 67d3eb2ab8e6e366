"""Changes of locations."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

import settings
from models.rules import locations
from models.rules.locations import LocationError
from ops import bootstrap
from tests import rows

Db = psycopg.Connection[Any]


@pytest.fixture
def session(connection: Db) -> Iterator[Session]:
    for position, code in enumerate(("us-east", "eu-central")):
        rows.a_location(connection, code, position)
    with bootstrap.session(settings.get()) as opened:
        yield opened


def order(session: Session) -> list[str]:
    return [row.code for row in locations.ordered(session)]


def test_a_new_location_is_last_and_enabled(session: Session) -> None:
    locations.add(session, "moon", "Far away")
    assert order(session) == ["us-east", "eu-central", "moon"]
    assert locations.find(session, "moon").enabled


@pytest.mark.parametrize("code", ["", "Moon", "-moon", "moon-", "m n", "mond\n", "m" * 33, "mön", "a,b"])
def test_a_code_that_cannot_name_a_queue_is_refused(session: Session, code: str) -> None:
    with pytest.raises(LocationError, match="lower-case letters"):
        locations.add(session, code, "Moon")


def test_an_existing_code_is_refused(session: Session) -> None:
    with pytest.raises(LocationError, match="already exists"):
        locations.add(session, "us-east", "Again")


def test_the_default_is_the_first_enabled_location(session: Session) -> None:
    locations.set_enabled(session, "us-east", enabled=False)
    assert locations.default_of(locations.ordered(session)) == "eu-central"
    with pytest.raises(LocationError, match="is disabled"):
        locations.make_default(session, "us-east")
    locations.add(session, "moon", "Moon")
    locations.make_default(session, "moon")
    assert order(session) == ["moon", "us-east", "eu-central"]


def test_the_last_enabled_location_cannot_be_disabled_or_deleted(session: Session) -> None:
    locations.set_enabled(session, "us-east", enabled=False)
    for refused in (
        lambda: locations.set_enabled(session, "eu-central", enabled=False),
        lambda: locations.remove(session, "eu-central", ()),
    ):
        with pytest.raises(LocationError, match="the last enabled location"):
            refused()
    locations.set_enabled(session, "us-east", enabled=False)
    locations.remove(session, "us-east", ())
    assert order(session) == ["eu-central"]


def test_a_location_that_monitors_use_is_not_deleted(session: Session, connection: Db) -> None:
    config = {"locationConfig": {"enabled": True, "locations": ["eu-central"]}}
    rows.a_monitor(connection, rows.a_project(connection), config=config)
    with pytest.raises(LocationError, match="1 monitor uses eu-central"):
        locations.remove(session, "eu-central", ())
    assert locations.stranded(session, "eu-central") == 0
    locations.set_enabled(session, "eu-central", enabled=False)
    assert locations.stranded(session, "eu-central") == 1


def test_a_location_of_the_settings_is_not_deleted_because_the_next_start_would_create_it(session: Session) -> None:
    with pytest.raises(LocationError, match="LOCATIONS"):
        locations.remove(session, "us-east", {"us-east"})


def test_a_location_that_does_not_exist_cannot_be_changed(session: Session) -> None:
    for refused in (
        lambda: locations.rename(session, "mars", "Mars"),
        lambda: locations.set_enabled(session, "mars", enabled=True),
        lambda: locations.make_default(session, "mars"),
        lambda: locations.remove(session, "mars", ()),
    ):
        with pytest.raises(LocationError, match="mars does not exist") as refusal:
            refused()
        assert refusal.value.missing


def test_the_limit_is_enforced_and_shown(session: Session) -> None:
    for number in range(settings.MAX_LOCATIONS - len(order(session))):
        locations.add(session, f"place-{number}", "Place")
    with pytest.raises(LocationError, match=f"{settings.MAX_LOCATIONS} is the limit"):
        locations.add(session, "one-more", "Place")
