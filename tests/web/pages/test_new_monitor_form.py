"""The form of a new monitor: what it fills in, what it makes of what is typed, and what it keeps when the type changes."""

import html
import re
from collections.abc import Callable

import pytest

from models.tables import Monitor, Project
from tests import factories
from tests.web.pages.visitor import Visitor, form_of
from web.http.extensions import db
from web.ui.addresses import completed, converted


def only() -> Monitor:
    db.session.expire_all()
    return db.session.query(Monitor).one()


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("example.com", "https://example.com"),
        (" example.com:8443/a ", "https://example.com:8443/a"),
        ("localhost:8080", "https://localhost:8080"),
        ("//example.com/x", "https://example.com/x"),
        ("HTTP://Example.com/A", "http://Example.com/A"),
        ("https://example.com/a b?q=two words&r= x#a b", "https://example.com/a%20b?q=two%20words&r=%20x#a%20b"),
        ("https://example.com/?q=a%20b+c", "https://example.com/?q=a%20b+c"),
        ("2001:db8::1", "https://[2001:db8::1]"),
        ("http://exa mple.com/", "http://exa mple.com/"),
        ("ftp://example.com/", "ftp://example.com/"),
        ("", ""),
    ],
)
def test_an_address_is_completed_as_people_mean_it(typed: str, url: str) -> None:
    assert completed(typed) == url
    assert completed(completed(typed)) == completed(typed)


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("https://example.com:8443/a?b", "example.com"),
        ("example.com/a", "example.com"),
        ("http://[2001:db8::1]:80/", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("http://[::1", "http://[::1"),
        ("", ""),
    ],
)
def test_a_url_becomes_the_host_of_a_type_that_looks_at_a_host(target: str, host: str) -> None:
    assert converted("ping_host", target) == host
    assert converted("website", target) == target


def test_a_bare_host_is_saved_as_https(visitor: Callable[..., Visitor]) -> None:
    answer = visitor().submit("/monitors/new?type=website", name="A", target="192.0.2.7/find?q=two words")
    assert answer.status_code == 303, answer.text
    assert only().target == "https://192.0.2.7/find?q=two%20words"


def test_a_new_form_confirms_a_failure_before_it_counts(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    for kind in ("http_request", "website", "ping_host", "port_check"):
        assert someone.form(f"/monitors/new?type={kind}")["config.retries"] == "1", kind
    assert someone.form("/monitors/new?type=heartbeat")["config.retries"] == "0"


def test_an_alert_about_a_certificate_comes_with_its_watch(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    for kind in ("http_request", "website"):
        values = someone.form(f"/monitors/new?type={kind}")
        for name in ("config.enableSslCheck", "alertConfig.alertOnSslExpiration"):
            assert values.getlist(name)[-1] == "on", (kind, name)


def complaints(page: str) -> dict[str, str]:
    """{input: what is wrong with it} of those that are marked."""
    found = re.findall(r'data-wrong="([^"]*)" data-faulty>([^<]*)<', page)
    return {name: html.unescape(text).strip() for name, text in found}


def test_one_round_shows_everything_that_is_wrong(visitor: Callable[..., Visitor]) -> None:
    wrong = {
        "name": "",
        "target": "http://",
        "cronExpression": "* *",
        "scheduleKind": "cron",
        "config.headers": "no colon",
        "config.timeoutSeconds": "1",
        "config.locationConfig.locations": ["mars"],
        "alertConfig.failureThreshold": "99",
    }
    page = visitor().submit("/monitors/new?type=http_request", **wrong).text
    assert complaints(page).keys() == wrong.keys() - {"scheduleKind"}


def test_an_empty_form_says_all_that_is_missing(visitor: Callable[..., Visitor]) -> None:
    page = visitor().submit("/monitors/new?type=http_request").text
    assert complaints(page).keys() == {"name", "target"}


@pytest.mark.parametrize(
    ("typed", "opened"), [({"name": ""}, False), ({"config.retries": "99"}, True), ({"config.headers": "x"}, True)]
)
def test_an_error_opens_advanced_only_if_it_is_in_there(
    visitor: Callable[..., Visitor], typed: dict[str, str], opened: bool
) -> None:
    good = {"name": "A", "target": "http://127.0.0.1:9/"}
    answer = visitor().submit("/monitors/new?type=http_request", **{**good, **typed})
    assert answer.status_code == 422
    assert bool(re.search(r'<details class="card-plain more" open>', answer.text)) is opened


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("X-A: 1\nX-A: 2", "X-A occurs twice"),
        ("Accept", "name, colon, value"),
        ("X-A: 1\u2028X-B: 2", ""),
    ],
)
def test_header_lines_lose_nothing(visitor: Callable[..., Visitor], typed: str, complaint: str) -> None:
    fields = {"name": "A", "target": "http://127.0.0.1:9/", "config.headers": typed}
    answer = visitor().submit("/monitors/new?type=http_request", **fields)
    if complaint:
        assert complaint in complaints(answer.text)["config.headers"]
    else:
        assert only().config["headers"] == {"X-A": "1\u2028X-B: 2"}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [(r"QUIT\r\n", "QUIT\r\n"), (r"C:\\new", "C:\\new"), (" a ", " a "), (r"\x1b\u2028", "\x1b\u2028")],
)
def test_line_ends_to_send_are_typed_as_escapes_and_shown_again(
    visitor: Callable[..., Visitor], typed: str, sent: str
) -> None:
    someone = visitor()
    fields = {"name": "A", "target": "127.0.0.1", "config.port": "25"}
    answer = someone.submit("/monitors/new?type=port_check", **fields, **{"config.send": typed})
    assert answer.status_code == 303, answer.text
    assert only().config["send"] == sent
    assert someone.form(f"/monitors/{only().id}/edit")["config.send"] == typed


@pytest.mark.parametrize("typed", ["\\", r"\q", r"\x1", r"\u12", r"\U00110000"])
def test_an_unknown_escape_is_said_and_not_guessed(visitor: Callable[..., Visitor], typed: str) -> None:
    fields = {"name": "A", "target": "127.0.0.1", "config.port": "25", "config.send": typed}
    answer = visitor().submit("/monitors/new?type=port_check", **fields)
    assert answer.status_code == 422
    assert "is not an escape" in complaints(answer.text)["config.send"]


@pytest.mark.parametrize("typed", [r"\x00", r"\ud800"])
def test_an_escape_for_what_no_column_can_hold_is_refused(visitor: Callable[..., Visitor], typed: str) -> None:
    fields = {"name": "A", "target": "127.0.0.1", "config.port": "25", "config.send": typed}
    answer = visitor().submit("/monitors/new?type=port_check", **fields)
    assert answer.status_code == 422
    assert "not valid text" in complaints(answer.text)["config.send"]


def test_a_setting_without_effect_is_told_on_the_next_page(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    fields = {"name": "A", "target": "http://127.0.0.1:9/", "config.timeoutSeconds": "90"}
    saved = someone.submit("/monitors/new?type=http_request", **fields)
    assert "tries of 90 s each are longer than the interval of 60 s" in someone.get(saved.location)
    fields = {"name": "W", "scheduleKind": "cron", "cronExpression": "0 * * * *", "scope": "project"}
    someone.submit("/maintenance/new", **fields)
    assert "the maintenance never ends" in someone.get("/maintenance")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("null", {"op": "eq", "value": None}),
        ('""', ""),
        ('" UP "', " UP "),
        (" UP ", "UP"),
        ("3", 3),
        ("true", True),
        ("", None),
    ],
)
def test_an_expected_value_is_what_was_typed(visitor: Callable[..., Visitor], typed: str, stored: object) -> None:
    someone = visitor()
    fields = {"name": "A", "target": "http://127.0.0.1:9/", "config.jsonPath": "$.a", "config.jsonPathExpected": typed}
    assert someone.submit("/monitors/new?type=http_request", **fields).status_code == 303
    assert only().config.get("jsonPathExpected") == stored
    assert someone.form(f"/monitors/{only().id}/edit")["config.jsonPathExpected"] == typed.strip()


def test_a_changed_body_keeps_its_line_ends_and_a_changed_choice_its_order(
    visitor: Callable[..., Visitor], project: Project
) -> None:
    factories.a_location("ap-south", "Mumbai", position=2)
    located = {"enabled": True, "locations": ["eu-central", "us-east"], "threshold": 50, "strategy": "all"}
    factories.a_monitor(project, config={"body": "a\r\nb", "locationConfig": located})
    typed = {"config.body": "a\r\nb\r\nc", "config.locationConfig.locations": ["us-east", "eu-central", "ap-south"]}
    assert visitor().submit(f"/monitors/{only().id}/edit", **typed).status_code == 303
    config = only().config
    assert config["body"] == "a\r\nb\r\nc"
    assert config["locationConfig"]["locations"] == ["eu-central", "us-east", "ap-south"]


def retype(someone: Visitor, old: str, new: str, **typed: str | list[str]) -> str:
    values = someone.form(f"/monitors/new?type={old}")
    for name, value in typed.items():
        values.setlist(name, value if isinstance(value, list) else [value])
    values["from"] = old
    answer = someone.open(f"/monitors/new?type={new}", "POST", values)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_another_type_keeps_what_was_typed(visitor: Callable[..., Visitor], project: Project) -> None:
    provider = factories.a_provider(project)
    typed: dict[str, str | list[str]] = {
        "name": "Shop",
        "target": "https://shop.example.com/cart",
        "frequencyMinutes": ["15", "60"],
        "alertConfig.notificationProviders": [],
        "alertConfig.failureThreshold": "4",
        "tags": "shop",
    }
    someone = visitor()
    page = retype(someone, "http_request", "ping_host", **typed)
    values = form_of(page)
    assert (values["name"], values["target"], values["tags"]) == ("Shop", "shop.example.com", "shop")
    assert values.getlist("frequencyMinutes") == ["15", "60"]
    assert values.getlist("alertConfig.notificationProviders") == []
    assert str(provider.id) in page
    assert values["alertConfig.failureThreshold"] == "4"
    values = form_of(retype(someone, "http_request", "heartbeat", **typed))
    assert values.getlist("config.expectedIntervalMinutes") == ["15", "60"]
    values = form_of(retype(someone, "website", "http_request", name="A", target="https://example.com/x"))
    assert values["target"] == "https://example.com/x"
    assert db.session.query(Monitor).count() == 0


def test_what_was_not_touched_takes_the_new_types_default(visitor: Callable[..., Visitor]) -> None:
    values = form_of(retype(visitor(), "heartbeat", "http_request", name="A"))
    assert values["config.retries"] == "1"
    assert values.getlist("config.enableSslCheck")[-1] == "on"


def test_another_type_of_provider_keeps_what_was_typed(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    values = someone.form("/notification-providers/new?type=slack")
    values["name"], values["config.webhookUrl"], values["from"] = "On call", "https://example.com/hook", "slack"
    answer = someone.open("/notification-providers/new?type=webhook", "POST", values)
    assert answer.status_code == 200
    values = form_of(answer.text)
    assert (values["name"], values["config.url"]) == ("On call", "https://example.com/hook")
    assert values["config.method"] == "POST"


def test_a_form_that_was_not_saved_counts_as_changed(visitor: Callable[..., Visitor]) -> None:
    someone = visitor()
    assert "data-dirty" not in someone.get("/monitors/new?type=website")
    assert "data-dirty" in someone.submit("/monitors/new?type=website").text
    assert "data-dirty" in retype(someone, "website", "ping_host", name="A")
