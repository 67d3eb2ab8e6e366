"""Forms in a real browser: sent once, changed knowingly, left with a question."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

pytestmark = [pytest.mark.slow, pytest.mark.alone]
Visit = Callable[..., "Page"]
LOSSY = {
    "name": "Lossy",
    "type": "http_request",
    "target": "http://192.0.2.7/",
    "description": "\n a\r\nb\rc ",
    "config": {
        "method": "POST",
        "body": "\r\n{\r\n}\n",
        "keywordInBody": " two\r\nlines ",
        "jsonPath": "$.a",
        "jsonPathExpected": " UP ",
        "headers": {"Accept": "  text/html "},
        "locationConfig": {"enabled": True, "locations": ["eu-central", "us-east"], "strategy": "all"},
    },
}


def rows(connection: psycopg.Connection[Any], name: str) -> list[dict[str, Any]]:
    """The monitors of that name."""
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    return cursor.execute("SELECT * FROM monitors WHERE name = %s", [name]).fetchall()


def test_a_second_click_sends_nothing(visit: Visit, connection: psycopg.Connection[Any]) -> None:
    page = visit("/monitors/new?type=ping_host")
    page.get_by_label("Name", exact=True).fill("Once")
    page.get_by_label("Host", exact=True).fill("127.0.0.1")
    # A listener of the window is asked last: it sees what the page made of each attempt.
    stopped = page.evaluate(
        """() => {
            const stopped = [];
            addEventListener("submit", (event) => stopped.push(event.defaultPrevented));
            const button = document.querySelector(".form-end button");
            button.click();
            button.click();
            button.form.requestSubmit();
            return stopped;
        }"""
    )
    assert stopped == [False, True, True]
    page.wait_for_url("**/monitors/*-*")
    assert len(rows(connection, "Once")) == 1
    # Back in the history the form can be sent again.
    page.go_back()
    page.get_by_label("Name", exact=True).fill("Twice")
    page.get_by_role("button", name="Create monitor").click()
    page.wait_for_url("**/monitors/*-*")
    assert len(rows(connection, "Twice")) == 1


def test_enter_saves_and_another_type_keeps_what_was_typed(visit: Visit, connection: psycopg.Connection[Any]) -> None:
    page = visit("/monitors/new?type=http_request")
    page.get_by_label("Name", exact=True).fill("Shop")
    page.get_by_label("URL", exact=True).fill("192.0.2.7/a b")
    page.get_by_role("button", name="Website").click()
    page.wait_for_url("**/monitors/new?type=website")
    assert page.get_by_label("URL", exact=True).input_value() == "192.0.2.7/a b"
    page.get_by_label("Name", exact=True).press("Enter")
    page.wait_for_url("**/monitors/*-*")
    (made,) = rows(connection, "Shop")
    assert (made["type"], made["target"]) == ("website", "https://192.0.2.7/a%20b")


def test_a_changed_form_asks_before_it_is_left_and_an_untouched_one_does_not(visit: Visit) -> None:
    page = visit("/monitors/new?type=website")
    asked: list[str] = []

    def answer(dialog: "Dialog") -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    page.goto("/alerts")
    assert asked == []
    page.goto("/monitors/new?type=website")
    page.get_by_label("Name", exact=True).fill("Half")
    page.goto("/alerts")
    assert asked == ["beforeunload"]
    page.goto("/monitors/new?type=website")
    page.get_by_label("Name", exact=True).fill("Half")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/monitors")
    assert asked == ["beforeunload"]


def test_an_untouched_form_changes_nothing_in_a_browser_either(
    visit: Visit, connection: psycopg.Connection[Any]
) -> None:
    page = visit("/monitors")
    made = page.evaluate(
        """(body) => fetch("/api/monitors", {
            method: "POST",
            headers: {
                "Content-Type": "application/json",
                "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content,
            },
            body: JSON.stringify(body),
        }).then((answer) => answer.json())""",
        LOSSY,
    )
    before = rows(connection, "Lossy")
    page.goto(f"/monitors/{made['id']}/edit")
    page.get_by_role("button", name="Save changes").click()
    page.wait_for_url(f"**/monitors/{made['id']}")
    assert rows(connection, "Lossy") == before != []
