"""What may become of locations."""

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
    with bootstrap.session(settings.get()) as made:
        yield made


def order(session: Session) -> list[str]:
    return [row.code for row in locations.ordered(session)]


def test_a_new_location_comes_last_and_is_on(session: Session) -> None:
    locations.add(session, "moon", "Far away")
    assert order(session) == ["us-east", "eu-central", "moon"]
    assert locations.find(session, "moon").enabled


@pytest.mark.parametrize("code", ["", "Moon", "-moon", "moon-", "m n", "mond\n", "m" * 33, "mön", "a,b"])
def test_a_code_that_is_no_queues_name_is_refused(session: Session, code: str) -> None:
    with pytest.raises(LocationError, match="lower-case letters"):
        locations.add(session, code, "Moon")


def test_a_location_there_is_already_is_refused(session: Session) -> None:
    with pytest.raises(LocationError, match="already"):
        locations.add(session, "us-east", "Again")


def test_the_default_is_the_first_that_is_on(session: Session) -> None:
    locations.switch(session, "us-east", enabled=False)
    assert locations.default_of(locations.ordered(session)) == "eu-central"
    with pytest.raises(LocationError, match="switched off"):
        locations.make_default(session, "us-east")
    locations.add(session, "moon", "Moon")
    locations.make_default(session, "moon")
    assert order(session) == ["moon", "us-east", "eu-central"]


def test_the_last_location_that_is_on_stays_on(session: Session) -> None:
    locations.switch(session, "us-east", enabled=False)
    for refused in (
        lambda: locations.switch(session, "eu-central", enabled=False),
        lambda: locations.remove(session, "eu-central", ()),
    ):
        with pytest.raises(LocationError, match="the last location that is switched on"):
            refused()
    locations.switch(session, "us-east", enabled=False)
    locations.remove(session, "us-east", ())
    assert order(session) == ["eu-central"]


def test_a_location_that_monitors_name_is_not_removed(session: Session, connection: Db) -> None:
    config = {"locationConfig": {"enabled": True, "locations": ["eu-central"]}}
    rows.a_monitor(connection, rows.a_project(connection), config=config)
    with pytest.raises(LocationError, match="1 monitor names eu-central"):
        locations.remove(session, "eu-central", ())
    assert locations.stranded(session, "eu-central") == 0
    locations.switch(session, "eu-central", enabled=False)
    assert locations.stranded(session, "eu-central") == 1


def test_a_location_of_the_settings_is_not_removed_because_the_next_start_would_add_it(session: Session) -> None:
    with pytest.raises(LocationError, match="LOCATIONS"):
        locations.remove(session, "us-east", {"us-east"})


def test_what_is_not_there_is_not_changed(session: Session) -> None:
    for refused in (
        lambda: locations.rename(session, "mars", "Mars"),
        lambda: locations.switch(session, "mars", enabled=True),
        lambda: locations.make_default(session, "mars"),
        lambda: locations.remove(session, "mars", ()),
    ):
        with pytest.raises(LocationError, match="no location mars") as refusal:
            refused()
        assert refusal.value.missing


def test_there_is_a_limit_and_it_is_named(session: Session) -> None:
    for number in range(settings.MAX_LOCATIONS - len(order(session))):
        locations.add(session, f"place-{number}", "Place")
    with pytest.raises(LocationError, match=f"{settings.MAX_LOCATIONS} is the limit"):
        locations.add(session, "one-more", "Place")
