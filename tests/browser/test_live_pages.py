"""Live pages in a real browser: many tabs, readers who are not disturbed, connections that go away and come back."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

    from tests.cuttable import Wire

pytestmark = [pytest.mark.slow, pytest.mark.alone]
Visit = Callable[..., "Page"]
LABEL = "[data-live-state]"
NOTICE = "[data-connection]"


def test_eight_tabs_are_live_on_one_stream(visit: Visit) -> None:
    from playwright.sync_api import expect

    from tests.browser import live
    from tests.waiting import until

    first = visit("/")
    paths = ("/", "/monitors", "/alerts", "/incidents", "/monitors?status=down", "/alerts?status=sent", "/")
    tabs = [first, *(first.context.new_page() for _ in paths)]
    for tab, path in zip(tabs[1:], paths, strict=True):
        tab.goto(path, timeout=15_000)
    for tab in tabs:
        expect(tab.locator(LABEL)).to_have_text("Live")
    assert live.streams() == 1
    live.turn("Search", "down")
    expect(tabs[0].locator("#troubles-older, #troubles-unchecked, #troubles-recent").first).to_be_visible()
    for tab in (tabs[0], tabs[7]):
        expect(tab.locator("h1")).to_have_text("2 monitors are down")
    for tab in tabs[1:]:
        tab.close()
    first.goto("/settings/account")
    until(lambda: live.streams() == 0, what="the stream ends with the last page that wants it")


def test_hidden_pages_hold_no_stream_and_fetch_nothing(visit: Visit) -> None:
    from playwright.sync_api import expect

    from tests.browser import live
    from tests.waiting import until

    page = visit("/")
    expect(page.locator(LABEL)).to_have_text("Live")
    live.hide(page, True)
    until(lambda: live.streams() == 0, what="the stream of a hidden page ends")
    live.turn("Search", "down")
    expect(page.locator("h1")).to_have_text("1 monitor is down")
    live.hide(page, False)
    expect(page.locator("h1")).to_have_text("2 monitors are down")
    assert live.streams() == 1


@pytest.mark.parametrize(
    "browser_of",
    [
        "delete window.SharedWorker",
        "{ const There = SharedWorker; window.SharedWorker = class extends There { constructor() { super('/none'); } }; }",
    ],
    ids=["there are none", "theirs cannot be loaded"],
)
def test_without_shared_workers_a_page_has_a_stream_of_its_own(
    visit: Visit, browser_of: str, complaints: list[str]
) -> None:
    from playwright.sync_api import expect

    from tests.browser import live
    from tests.waiting import until

    page = visit("/settings/account")
    page.add_init_script(browser_of)
    page.goto("/monitors")
    expect(page.locator(LABEL)).to_have_text("Live")
    live.turn("Search", "down")
    expect(page.locator(".monitor-row", has_text="Search").locator(".state")).to_have_text("Down")
    live.hide(page, True)
    until(lambda: live.streams() == 0, what="the stream of a hidden page ends")
    complaints.clear()  # of the worker that cannot be loaded


@pytest.mark.parametrize(
    ("path", "link"), [("/", ".trouble a"), ("/alerts", ".alert-row a"), ("/incidents", ".outage a")]
)
def test_focus_stays_through_twenty_updates(visit: Visit, path: str, link: str) -> None:
    from tests.browser import live

    page = visit("/settings/account")
    live.renew_often(page, path)
    page.locator(link).last.focus()
    wanted = page.evaluate("(window.held = document.activeElement).id")
    page.evaluate("addEventListener('renewed', () => { window.renewals = (window.renewals ?? 0) + 1; })")
    for number in range(20):
        live.turn("Search", "down" if number % 2 == 0 else "up")
        _raise_an_alert(number)
        page.wait_for_function("count => (window.renewals ?? 0) > count", arg=number)
        assert page.evaluate("document.activeElement === window.held && document.activeElement.id") == wanted
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.tagName") in {"A", "BUTTON", "SUMMARY", "SELECT", "DIV"}


def _raise_an_alert(number: int) -> None:
    """Something new at the top of every list."""
    from tests import factories
    from tests.browser import live

    shop = live.monitor("Shop, front page")
    factories.an_alert(shop, None, failure_sequence=100 + number, reason=f"Number {number}.", status="sent")
    factories.an_incident(shop, failure_sequence=100 + number, reason=f"Number {number}.")


def test_focus_moves_to_the_neighbour_of_a_line_that_went(visit: Visit) -> None:
    from tests.browser import live

    page = visit("/settings/account")
    live.renew_often(page, "/")
    payments = live.monitor("Payments API")
    link = page.locator(f"#trouble-link-{payments.id}")
    link.focus()
    live.turn("Payments API", "up")
    link.wait_for(state="detached")
    assert page.evaluate("document.activeElement.closest('[data-live]') !== null")


def test_a_selection_is_not_lost(visit: Visit) -> None:
    from playwright.sync_api import expect

    from tests.browser import live

    page = visit("/settings/account")
    live.renew_often(page, "/")
    why = page.locator(".trouble-why").first
    why.click(click_count=3)
    chosen = page.evaluate("getSelection().toString().trim()")
    assert chosen
    live.turn("Search", "down")
    expect(page.locator(LABEL)).to_have_text("Updates wait: text is selected")
    assert page.evaluate("getSelection().toString().trim()") == chosen
    page.evaluate("getSelection().removeAllRanges()")
    expect(page.locator("h1")).to_have_text("2 monitors are down")


def test_a_filter_that_is_being_filled_in_stays(visit: Visit) -> None:
    from tests.browser import live

    page = visit("/settings/account")
    shop = live.monitor("Search")
    live.renew_often(page, f"/monitors/{shop.id}")
    page.evaluate("addEventListener('renewed', () => { window.renewals = (window.renewals ?? 0) + 1; })")
    day = page.get_by_label("Day (UTC)")
    day.focus()
    page.keyboard.type("12")  # the first part of a date: the field has no value yet
    page.get_by_label("Result", exact=True).select_option("down")
    day.focus()
    for number in range(3):
        live.turn("Search", "down" if number % 2 == 0 else "up")
        page.wait_for_function("count => (window.renewals ?? 0) > count", arg=number)
    assert page.evaluate("document.querySelector('[name=date]').validity.badInput")
    assert page.get_by_label("Result", exact=True).input_value() == "down"
    assert page.evaluate("document.activeElement.name") == "date"


def test_rounds_that_change_nothing_renew_nothing(visit: Visit) -> None:
    from playwright.sync_api import expect

    from tests.browser import live

    page = visit("/settings/account")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if "/partials/" in answer.url else None)
    page.goto("/")
    expect(page.locator(LABEL)).to_have_text("Live")
    with page.expect_response("**/partials/dashboard"):
        pass  # the look at what happened between the page and its stream
    known = len(answers)
    payments = live.monitor("Payments API")
    for _ in range(300):
        live.publish(payments, "down", "down")
    live.turn("Search", "down")
    expect(page.locator("[data-count=down]")).to_have_text("2")
    expect(page.locator("h1")).to_have_text("2 monitors are down")
    assert len(answers) == known + 1
    # The 300 rounds reached the page as a few events.
    live.hide(page, True)
    live.hide(page, False)
    with page.expect_response("**/partials/dashboard") as again:
        pass
    assert again.value.status == 304


def test_without_a_connection_the_page_says_of_what_time_it_is(
    visit: Visit, cable: "Wire", complaints: list[str]
) -> None:
    from playwright.sync_api import expect

    from tests.browser import live

    page = visit("/")
    expect(page.locator(LABEL)).to_have_text("Live")
    cable.cut()
    expect(page.locator(NOTICE)).to_contain_text("No connection since ")
    expect(page.locator(NOTICE)).to_contain_text("Shown: state of ")
    expect(page.locator(LABEL)).to_have_text("No connection")
    assert "grayscale" in page.evaluate("getComputedStyle(document.querySelector('.tiles')).filter")
    live.turn("Search", "down")
    cable.mend()
    expect(page.locator("h1")).to_have_text("2 monitors are down", timeout=30_000)
    expect(page.locator(NOTICE)).to_be_hidden()
    expect(page.locator(LABEL)).to_have_text("Live", timeout=60_000)
    assert complaints
    complaints.clear()  # the browser complains of every refused connection


@pytest.mark.parametrize("path", ["/", "/monitors", "/alerts", "/incidents", "/locations", "/queues"])
def test_after_signing_out_elsewhere_every_page_says_so(visit: Visit, path: str) -> None:
    from playwright.sync_api import expect

    from tests.browser import live

    page = visit(path)
    expect(page.locator(LABEL)).to_have_text("Live")
    other = page.context.new_page()
    other.goto("/settings/account")
    other.locator(".side").get_by_role("button", name="Sign out").click()
    live.hide(page, True)
    live.hide(page, False)
    expect(page.locator(NOTICE)).to_contain_text("Signed out.")
    page.get_by_role("link", name="Sign in again").click()
    page.wait_for_url("**/login?next=*")


def test_a_change_of_state_is_announced(visit: Visit) -> None:
    from playwright.sync_api import expect

    from tests.browser import live

    page = visit("/alerts")
    expect(page.locator(LABEL)).to_have_text("Live")
    live.turn("Search", "down")
    announcer = page.locator("[data-announcer]")
    expect(announcer).to_have_text("Search is down.")
    assert announcer.get_attribute("aria-live") == "polite"


def test_what_is_read_in_the_chart_stays_through_updates(visit: Visit) -> None:
    from playwright.sync_api import expect

    from tests.browser import live

    page = visit("/settings/account")
    search = live.monitor("Search")
    live.renew_often(page, f"/monitors/{search.id}")
    page.evaluate("addEventListener('renewed', () => { window.renewals = (window.renewals ?? 0) + 1; })")
    page.locator(".chart-plot").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    read = page.locator(".readout-tip").inner_text()
    for number in range(3):
        live.turn("Search", "down" if number % 2 == 0 else "up")
        page.wait_for_function("count => (window.renewals ?? 0) > count", arg=number)
    expect(page.locator(".readout-tip")).to_have_text(read, use_inner_text=True)
    expect(page.locator(".chart-plot")).to_be_focused()
