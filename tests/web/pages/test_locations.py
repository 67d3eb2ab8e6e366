"""The page that shows and manages locations."""

from collections.abc import Callable
from typing import Any

import pytest

from models.tables import OperatorWarning, Project
from tests import factories
from tests.web.pages.visitor import Visitor
from web.http.extensions import db

OWNERS = pytest.mark.parametrize("role", ["super_admin", "org_owner", "org_admin"])


@OWNERS
def test_a_location_is_added_renamed_made_the_default_and_switched_off(
    visitor: Callable[..., Visitor], connection: Any, role: str
) -> None:
    someone = visitor(role)
    assert someone.submit("/locations", code="moon", name="Far away").status_code == 303
    assert "Far away was created." in someone.get("/locations")
    someone.post("/locations/moon/rename", "/locations", name="Near by")
    someone.post("/locations/moon/default", "/locations")
    someone.post("/locations/us-east/switch", "/locations", enabled="0")
    rows = connection.execute("SELECT code, name, enabled FROM locations ORDER BY position").fetchall()
    assert rows == [("moon", "Near by", True), ("us-east", "Ashburn", False), ("eu-central", "Falkenstein", True)]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [("Moon!", "lower-case letters, digits and hyphens"), ("us-east", "Location us-east already exists")],
)
def test_a_wrong_code_is_told_beside_what_was_typed(visitor: Callable[..., Visitor], code: str, sentence: str) -> None:
    answer = visitor("org_owner").submit("/locations", code=code, name="Far away")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Far away"' in answer.text


def test_what_must_not_happen_is_refused_with_a_sentence(
    visitor: Callable[..., Visitor], project: Project, connection: Any
) -> None:
    someone = visitor("org_owner")
    config = {"locationConfig": {"enabled": True, "locations": ["moon"]}}
    factories.a_location("moon", "Moon", position=9)
    factories.a_monitor(project, config=config)
    someone.post("/locations/moon/remove", "/locations")
    assert "1 monitor uses moon" in someone.get("/locations")
    someone.post("/locations/moon/switch", "/locations", enabled="0")
    assert "1 monitor has no enabled location left" in someone.get("/locations")
    for code in ("us-east", "eu-central"):
        someone.post(f"/locations/{code}/switch", "/locations", enabled="0")
    assert "is the last enabled location" in someone.get("/locations")
    someone.post("/locations/us-east/remove", "/locations")
    assert "the next start would create it again" in someone.get("/locations")
    assert connection.execute("SELECT count(*) FROM locations WHERE enabled").fetchone() == (1,)
    assert someone.post("/locations/nowhere/default", "/locations").status_code == 404


@pytest.mark.parametrize("role", ["project_admin", "project_editor", "project_viewer"])
def test_others_look_and_change_nothing(visitor: Callable[..., Visitor], connection: Any, role: str) -> None:
    warning = OperatorWarning(kind="location_silent", subject="us-east", message="No worker runs in us-east.")
    db.session.add(warning)
    db.session.commit()
    someone = visitor(role)
    page = someone.get("/locations")
    assert "Add a location" not in page
    assert "Disable" not in page
    assert "No worker runs in us-east." not in page
    assert "No worker runs in us-east." in visitor("org_owner").get("/locations")
    for path in ("", "/us-east/rename", "/us-east/switch", "/us-east/default", "/us-east/remove"):
        assert someone.post(f"/locations{path}", code="moon", name="x").status_code == 403
    assert connection.execute("SELECT count(*) FROM locations WHERE enabled").fetchone() == (2,)


def test_workers_and_unanswered_rounds_are_shown(visitor: Callable[..., Visitor]) -> None:
    from actors.broker import broker
    from actors.verdicts import unanswered_rounds

    broker.client.set("supercheck:worker:us-east:one", 1, ex=60)
    unanswered_rounds.record(broker.client, ["eu-central"] * 3)
    page = visitor().get("/locations/partials/list")
    assert "1 worker online" in page
    assert "3 rounds unanswered in the last hour" in page
    assert page.count("All checks answered in the last hour") == 1
