"""Two people edit the same at the same time: the second sees what the first has saved before anything is overwritten."""

import html
from collections.abc import Callable
from typing import Any

import pytest

from models.secrets import encryption
from models.tables import MaintenanceWindow, Monitor, NotificationProvider, Project
from tests import factories
from tests.web.pages.visitor import Visitor, form_of
from web.http.extensions import db


def make(project: Project, what: str) -> tuple[Any, str]:
    if what == "monitor":
        monitor = factories.a_monitor(project, name="Before", description="As it was")
        return monitor, f"/monitors/{monitor.id}/edit"
    if what == "provider":
        provider = factories.a_provider(project, name="Before")
        return provider, f"/notification-providers/{provider.id}"
    window = factories.a_window(project, name="Before")
    return window, f"/maintenance/{window.id}"


def name_of(row: Monitor | NotificationProvider | MaintenanceWindow) -> str:
    db.session.refresh(row)
    return row.name


@pytest.mark.parametrize("what", ["monitor", "provider", "window"])
def test_the_second_gets_both_values_and_overwrites_only_knowingly(
    visitor: Callable[..., Visitor], project: Project, what: str
) -> None:
    row, path = make(project, what)
    first, second = visitor(), visitor()
    opened = second.form(path)
    assert first.submit(path, name="The first one's").status_code == 303
    opened["name"] = "The second one's"
    answer = second.open(path, "POST", opened)
    assert answer.status_code == 409
    page = html.unescape(answer.text)
    assert "Another user saved: The first one's." in page
    assert form_of(answer.text)["name"] == "The second one's"
    assert name_of(row) == "The first one's"
    # The form of that page knows what was saved: sent again, it holds.
    assert second.open(path, "POST", form_of(answer.text)).status_code == 303
    assert name_of(row) == "The second one's"


def test_what_only_the_first_changed_is_not_taken_back(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor, path = make(project, "monitor")
    first, second = visitor(), visitor()
    opened = second.form(path)
    assert first.submit(path, description="From the first", **{"config.retries": "3"}).status_code == 303
    opened["name"] = "The second one's"
    answer = second.open(path, "POST", opened)
    assert answer.status_code == 409
    assert "Your form showed: As it was." in html.unescape(answer.text)
    assert second.open(path, "POST", form_of(answer.text)).status_code == 303
    db.session.refresh(monitor)
    assert (monitor.name, monitor.description) == ("The second one's", "From the first")
    assert monitor.config["retries"] == 3


def test_the_same_value_twice_and_a_pause_in_between_are_no_conflict(
    visitor: Callable[..., Visitor], project: Project
) -> None:
    monitor, path = make(project, "monitor")
    first, second = visitor(), visitor()
    opened = second.form(path)
    assert first.submit(path, name="Alike").status_code == 303
    first.post(f"/monitors/{monitor.id}/pause", f"/monitors/{monitor.id}")
    opened["name"] = "Alike"
    assert second.open(path, "POST", opened).status_code == 303
    assert name_of(monitor) == "Alike"


def test_a_secret_that_looks_alike_when_masked_is_a_conflict(visitor: Callable[..., Visitor], project: Project) -> None:
    config = {"webhookUrl": "ht…ij"}
    provider = factories.a_provider(
        project, type="slack", config=config, secret={"webhookUrl": "http://127.0.0.1:9/abcdefghij"}
    )
    path = f"/notification-providers/{provider.id}"
    first, second = visitor(), visitor()
    opened = second.form(path)
    assert first.submit(path, **{"config.webhookUrl": "http://127.0.0.1:9/klmnopqrij"}).status_code == 303
    opened["config.webhookUrl"] = "http://127.0.0.1:9/stuvwxyzij"
    answer = second.open(path, "POST", opened)
    assert answer.status_code == 409
    assert "Another user saved a different secret." in answer.text


def test_a_secret_that_only_the_first_changed_stays_as_the_first_saved_it(
    visitor: Callable[..., Visitor], project: Project
) -> None:
    config = {"webhookUrl": "ht…ij"}
    secret = {"webhookUrl": "http://127.0.0.1:9/abcdefghij"}
    provider = factories.a_provider(project, type="slack", config=config, secret=secret)
    path = f"/notification-providers/{provider.id}"
    first, second = visitor(), visitor()
    opened = second.form(path)
    changed = "http://127.0.0.1:9/klmnopqrij"
    assert first.submit(path, **{"config.webhookUrl": changed}).status_code == 303
    opened["name"] = "The second one's"
    assert second.open(path, "POST", opened).status_code == 303
    db.session.refresh(provider)
    assert provider.name == "The second one's"
    assert encryption.decrypt(provider.secrets, "notification_providers", provider.id) == {"webhookUrl": changed}


@pytest.mark.parametrize("stamp", ["", "{", "[]", "null", '{"name": 5}', "[" * 50_000])
def test_a_form_without_a_readable_stamp_is_saved_or_asked_about(
    visitor: Callable[..., Visitor], project: Project, stamp: str
) -> None:
    _, path = make(project, "monitor")
    assert visitor().submit(path, name="Other", formVersion=stamp).status_code in (303, 409)
