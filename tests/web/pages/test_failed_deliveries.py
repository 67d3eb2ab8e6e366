"""The page of what could not be delivered."""

from collections.abc import Callable
from typing import Any

import pytest

from models.tables import Alert, Project
from tests import factories
from tests.web.pages.visitor import Visitor


@pytest.fixture
def alert(project: Project) -> Alert:
    made = factories.an_alert(factories.a_monitor(project, name="Shop"), factories.a_provider(project), status="failed")
    factories.changed(made.deliveries[0], error="It answered 404.")
    return made


def test_what_failed_is_shown_with_its_reason_and_tried_again_by_a_button(
    visitor: Callable[..., Visitor], alert: Alert, connection: Any
) -> None:
    someone = visitor()
    page = someone.get("/alerts/undelivered")
    assert "It answered 404." in page
    assert "Shop" in page
    action = f"/alerts/deliveries/{alert.deliveries[0].id}/retry"
    assert someone.open(action, "POST", someone.form("/alerts/undelivered", action)).status_code == 303
    assert connection.execute("SELECT status FROM deliveries").fetchone() == ("retrying",)
    page = someone.get("/alerts/undelivered")
    assert "Retrying the message to On call." in page
    assert "No failed deliveries" in page


def test_trying_again_what_is_on_its_way_says_so(visitor: Callable[..., Visitor], alert: Alert) -> None:
    someone = visitor()
    factories.changed(alert.deliveries[0], status="sent")
    assert someone.post(f"/alerts/deliveries/{alert.deliveries[0].id}/retry").status_code == 303
    assert "Only a failed delivery" in someone.get("/alerts/undelivered")


def test_viewers_look_and_do_not_touch(visitor: Callable[..., Visitor], alert: Alert) -> None:
    someone = visitor("project_viewer")
    assert "Retry" not in someone.get("/alerts/undelivered")
    assert someone.post(f"/alerts/deliveries/{alert.deliveries[0].id}/retry").status_code == 403


def test_another_projects_delivery_is_not_there(visitor: Callable[..., Visitor], context: None) -> None:
    elsewhere = factories.a_project(name="Elsewhere")
    foreign = factories.an_alert(
        factories.a_monitor(elsewhere, name="Not yours"), factories.a_provider(elsewhere), status="failed"
    )
    someone = visitor()
    assert "Not yours" not in someone.get("/alerts/undelivered")
    for wanted in (str(foreign.deliveries[0].id), "nonsense"):
        assert someone.post(f"/alerts/deliveries/{wanted}/retry").status_code == 404
