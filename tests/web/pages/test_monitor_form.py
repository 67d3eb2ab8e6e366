"""Making and editing monitors with forms: the same rules, and the same rows, as over the API."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from models.secrets import encryption
from models.tables import Monitor, Project
from tests import factories
from tests.web.pages.visitor import Visitor
from web.http.extensions import db

NEW = {
    "http_request": {"name": "Orders", "target": "http://127.0.0.1:9/health"},
    "website": {"name": "Shop", "target": "https://127.0.0.1:9/"},
    "ping_host": {"name": "Router", "target": "127.0.0.1"},
    "port_check": {"name": "Mail", "target": "127.0.0.1", "config.port": "25"},
    "heartbeat": {"name": "Backup"},
}


def row(name: str) -> Monitor:
    db.session.expire_all()
    return db.session.query(Monitor).filter_by(name=name).one()


def facts(monitor: Monitor) -> dict[str, Any]:
    """Everything that a form may touch."""
    db.session.refresh(monitor)
    columns = {column.name: getattr(monitor, column.name) for column in Monitor.__table__.columns}
    for name in ("version", "updated_at", "secrets"):
        del columns[name]
    opened = encryption.decrypt(monitor.secrets, "monitors", monitor.id)
    return {**columns, "opened": opened, "told": {str(one.provider_id) for one in monitor.providers}}


@pytest.mark.parametrize("kind", NEW)
def test_a_new_monitor_of_each_type_is_saved_and_shown(visitor: Callable[..., Visitor], kind: str) -> None:
    someone = visitor()
    answer = someone.submit(f"/monitors/new?type={kind}", **NEW[kind])
    made = row(NEW[kind]["name"])
    assert (answer.status_code, answer.location) == (303, f"/monitors/{made.id}")
    assert made.type == kind
    assert NEW[kind]["name"] in someone.get(answer.location)


@pytest.mark.parametrize("kind", NEW)
def test_a_form_saved_untouched_changes_nothing(visitor: Callable[..., Visitor], project: Project, kind: str) -> None:
    someone = visitor()
    someone.submit(f"/monitors/new?type={kind}", **NEW[kind])
    made = row(NEW[kind]["name"])
    before = facts(made)
    assert someone.submit(f"/monitors/{made.id}/edit").status_code == 303
    assert facts(made) == before


def test_everything_that_was_typed_survives_an_untouched_save(
    visitor: Callable[..., Visitor], project: Project
) -> None:
    provider = factories.a_provider(project)
    someone = visitor()
    typed = {
        "name": "Full",
        "target": "http://127.0.0.1:9/",
        "description": "\nTwo\nlines",
        "tags": "shop, api",
        "frequencyMinutes": ["90", "60"],
        "config.method": "POST",
        "config.headers": "Accept: application/json\nX-Api-Key: abcdefghijklmnop",
        "config.body": '{"a":\n 1}',
        "config.expectedStatusCodes": "2xx,301",
        "config.keywordInBody": " ok ",
        "config.keywordInBodyShouldBePresent": "false",
        "config.jsonPath": "$.status",
        "config.jsonPathExpected": '{"op": "gte", "value": 3}',
        "config.auth.type": "basic",
        "config.auth.username": "me",
        "config.auth.password": "a long password",
        "config.locationConfig.enabled": ["off", "on"],
        "config.locationConfig.locations": ["eu-central"],
        "config.locationConfig.strategy": "custom",
        "config.locationConfig.threshold": "66",
        "config.maxResponseTimeMs": "900",
        "alertConfig.notificationProviders": [str(provider.id)],
        "alertConfig.failureThreshold": "3",
        "alertConfig.customMessage": "Call me",
    }
    assert someone.submit("/monitors/new?type=http_request", **typed).status_code == 303
    made = row("Full")
    before = facts(made)
    assert before["interval_seconds"] == 5400
    assert before["tags"] == ["shop", "api"]
    assert before["config"]["keywordInBody"] == " ok "
    assert before["config"]["jsonPathExpected"] == {"op": "gte", "value": 3}
    assert before["config"]["locationConfig"] == {
        "enabled": True,
        "locations": ["eu-central"],
        "strategy": "custom",
        "threshold": 66,
    }
    assert before["opened"] == {"auth.password": "a long password", "headers.X-Api-Key": "abcdefghijklmnop"}
    page = someone.get(f"/monitors/{made.id}/edit")
    assert "a long password" not in page
    assert "abcdefghijklmnop" not in page
    assert someone.submit(f"/monitors/{made.id}/edit").status_code == 303
    assert facts(made) == before


def test_what_is_emptied_is_removed(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    auth = {"config.auth.type": "bearer", "config.auth.token": "a very long token", "config.keywordInBody": "ok"}
    someone.submit("/monitors/new?type=website", **NEW["website"], **auth)
    made = row("Shop")
    assert facts(made)["opened"] == {"auth.token": "a very long token"}
    someone.submit(f"/monitors/{made.id}/edit", **{"config.auth.type": "none", "config.keywordInBody": ""})
    after = facts(made)
    assert after["opened"] == {}
    assert after["config"]["auth"] == {"type": "none"}
    assert "keywordInBody" not in after["config"]


def test_a_schedule_changes_between_interval_and_cron(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    someone.submit("/monitors/new?type=ping_host", **NEW["ping_host"])
    made = row("Router")
    cron = {"scheduleKind": "cron", "cronExpression": "*/5 8-18 * * 1-5", "timezone": "Europe/Berlin"}
    assert someone.submit(f"/monitors/{made.id}/edit", **cron).status_code == 303
    found = facts(made)
    assert (found["interval_seconds"], found["cron_expression"]) == (None, "*/5 8-18 * * 1-5")
    emptied = {"scheduleKind": "interval", "frequencyMinutes": ["", "60"]}
    assert someone.submit(f"/monitors/{made.id}/edit", **emptied).status_code == 422
    typed = {"scheduleKind": "interval", "frequencyMinutes": ["2", "60"]}
    assert someone.submit(f"/monitors/{made.id}/edit", **typed).status_code == 303
    found = facts(made)
    assert (found["interval_seconds"], found["cron_expression"]) == (120, None)


@pytest.mark.parametrize(
    ("kind", "typed", "message"),
    [
        ("http_request", {"name": ""}, "must not be blank|at least 1"),
        ("http_request", {"target": "ftp://example.test"}, "http"),
        ("http_request", {"config.timeoutSeconds": "1"}, "Must be at least 5."),
        ("http_request", {"config.timeoutSeconds": "soon"}, "Must be a whole number."),
        ("http_request", {"frequencyMinutes": ["0.1", "60"]}, "minutes"),
        ("http_request", {"scheduleKind": "cron"}, "Must have five fields"),
        ("http_request", {"config.expectedStatusCodes": "abc"}, "abc|status"),
        ("http_request", {"config.headers": "Bad name: x"}, "header's name"),
        ("http_request", {"config.auth.type": "basic"}, "requires a user name"),
        ("port_check", {"config.port": ""}, "required"),
        ("port_check", {"config.port": "70000"}, "at most 65535"),
        ("heartbeat", {"config.expectedIntervalMinutes": ["x", "60"]}, "Must be a number"),
        ("heartbeat", {"scheduleKind": "cron"}, "Must have five fields"),
        ("http_request", {"alertConfig.failureThreshold": "99"}, "at most 20"),
        ("http_request", {"config.locationConfig.locations": ["mars"]}, "no such location"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    visitor: Callable[..., Visitor], connection: Any, kind: str, typed: dict[str, Any], message: str
) -> None:
    someone = visitor()
    answer = someone.submit(f"/monitors/new?type={kind}", **{**NEW[kind], **typed})
    assert answer.status_code == 422
    assert "Not saved yet." in answer.text
    complaints = " ".join(re.findall(r'class="invalid-feedback"[^>]*>([^<]*)<', answer.text))
    assert re.search(message, html.unescape(complaints)), complaints
    for name, value in typed.items():
        if isinstance(value, str) and value and name != "scheduleKind" and "auth.type" not in name:
            assert value in answer.text  # what was typed is kept
    assert connection.execute("SELECT count(*) FROM monitors").fetchone() == (0,)


def test_live_validation_says_the_same_and_saves_nothing(visitor: Callable[..., Visitor], connection: Any) -> None:
    someone = visitor()
    values = someone.form("/monitors/new?type=port_check")
    values.setlist("name", ["Mail"])
    values.setlist("config.port", ["70000"])
    found = someone.open("/monitors/partials/examine?type=port_check", "POST", values).json
    assert found["fields"]["config.port"] == "Must be at most 65535."
    values.setlist("config.port", ["25"])
    found = someone.open("/monitors/partials/examine?type=port_check", "POST", values).json
    assert set(found["fields"]) == {"target"}
    assert connection.execute("SELECT count(*) FROM monitors").fetchone() == (0,)


def test_live_validation_of_an_edit_changes_nothing(
    visitor: Callable[..., Visitor], project: Project, connection: Any
) -> None:
    monitor = factories.a_monitor(project)
    someone = visitor()
    values = someone.form(f"/monitors/{monitor.id}/edit")
    values.setlist("name", ["Another name"])
    answer = someone.open(f"/monitors/partials/examine?type=http_request&id={monitor.id}", "POST", values)
    assert answer.json == {"fields": {}}
    assert connection.execute("SELECT name, version FROM monitors").fetchone() == ("A monitor", 1)
    assert connection.execute("SELECT count(*) FROM audit_events").fetchone() == (0,)


def test_the_browser_is_told_the_limits_of_the_schemas(visitor: Callable[..., Visitor]) -> None:
    page = visitor().get("/monitors/new?type=http_request")
    timeout = next(tag for tag in page.split("<input") if 'name="config.timeoutSeconds"' in tag).split(">")[0]
    assert 'min="5"' in timeout
    assert 'max="300"' in timeout
    assert 'value="30"' in timeout
    name = next(tag for tag in page.split("<input") if 'name="name"' in tag).split(">")[0]
    assert 'maxlength="255"' in name
    assert "required" in name


def test_a_new_monitor_tells_every_provider_unless_somebody_unticks_it(
    visitor: Callable[..., Visitor], project: Project
) -> None:
    provider = factories.a_provider(project)
    values = visitor().form("/monitors/new?type=website")
    assert values.getlist("alertConfig.notificationProviders") == [str(provider.id)]


@pytest.mark.parametrize("amount", ["inf", "nan", "9" * 400, "9" * 5000, "-1", "1e999"])
def test_a_frequency_that_is_none_is_shown_beside_its_field(visitor: Callable[..., Visitor], amount: str) -> None:
    someone = visitor()
    answer = someone.submit("/monitors/new?type=http_request", **NEW["http_request"], frequencyMinutes=[amount, "60"])
    assert answer.status_code == 422
    assert db.session.query(Monitor).count() == 0


@pytest.mark.parametrize("value", ["NaN", "1e400", "[1, Infinity]"])
def test_a_number_that_json_does_not_know_is_refused(visitor: Callable[..., Visitor], value: str) -> None:
    fields = {**NEW["http_request"], "config.jsonPath": "$.a", "config.jsonPathExpected": value}
    assert visitor().submit("/monitors/new?type=http_request", **fields).status_code == 422
    assert db.session.query(Monitor).count() == 0


@pytest.mark.parametrize("field", ["description", "alertConfig.customMessage", "config.body", "config.keywordInBody"])
def test_text_that_no_column_can_hold_changes_nothing(visitor: Callable[..., Visitor], field: str) -> None:
    answer = visitor().submit("/monitors/new?type=http_request", **NEW["http_request"], **{field: "a\0b"})
    assert answer.status_code in {400, 422}
    assert db.session.query(Monitor).count() == 0


def test_an_address_that_no_column_can_hold_is_refused(visitor: Callable[..., Visitor]) -> None:
    assert visitor("org_owner").post("/locations/a%00b/rename", "/locations", name="x").status_code == 400


@pytest.mark.parametrize(("hours", "status"), [("many", 400), ("", 400), ("9" * 5000, 303), ("2", 303)])
def test_only_a_number_of_hours_changes_the_mute(visitor: Callable[..., Visitor], hours: str, status: int) -> None:
    someone = visitor()
    someone.submit("/monitors/new?type=http_request", **NEW["http_request"])
    page = f"/monitors/{row('Orders').id}"
    someone.post(f"{page}/mute", page, hours="1")
    before = row("Orders").muted_until
    assert someone.post(f"{page}/mute", page, hours=hours).status_code == status
    assert (row("Orders").muted_until == before) is (status == 400)
