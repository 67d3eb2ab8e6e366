"""Filters, menus, charts and the bulk bar, used by keyboard and by touch."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.alone]
Visit = Callable[..., "Page"]
PHONE = {"width": 390, "height": 844}
TIP = ".readout-tip"
ANNOUNCER = "[data-announcer]"


@pytest.mark.parametrize(
    ("path", "label", "wanted"),
    [
        ("/monitors", "State", "status=paused"),
        ("/alerts", "Delivery", "status=suppressed"),
        ("/incidents", "State", "open=false"),
    ],
)
def test_a_choice_is_submitted_by_its_button_only(visit: Visit, path: str, label: str, wanted: str) -> None:
    from playwright.sync_api import expect

    page = visit(path)
    choice = page.get_by_label(label, exact=True)
    choice.focus()
    for _ in range(choice.locator("option").count() - 1):
        page.keyboard.press("ArrowDown")
    expect(choice).to_be_focused()
    assert page.url.endswith(path)
    choice.select_option(wanted.partition("=")[2])
    page.locator("form.filters").get_by_role("button").first.press("Enter")
    page.wait_for_url(f"**{path}?*{wanted}*")


def test_both_days_can_be_chosen_before_anything_is_submitted(visit: Visit) -> None:
    page = visit("/incidents")
    page.get_by_label("From").fill("2026-01-01")
    page.get_by_label("To").fill("2026-01-31")
    assert page.url.endswith("/incidents")
    page.get_by_label("To").press("Enter")
    page.wait_for_url("**/incidents?*from=2026-01-01*to=2026-01-31*")


def test_enter_in_the_tag_box_adds_the_tag(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors")
    row = page.locator(".monitor-row", has_text="Search")
    row.get_by_role("checkbox").check()
    box = page.get_by_label("Tag to add or remove")
    box.fill("neu")
    box.press("Enter")
    expect(page.get_by_text("Added tag neu to 1 monitor.")).to_be_visible()
    expect(row.locator(".tag", has_text="neu")).to_be_visible()


def test_boxes_that_the_browser_ticks_again_are_counted(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors")
    page.locator(".monitor-check").nth(0).check()
    page.locator(".monitor-check").nth(1).check()
    expect(page.locator("[data-bulk-count]")).to_have_text("2 selected")
    page.goto("/settings/account")
    page.go_back()
    expect(page.locator(".monitor-check:checked")).to_have_count(2)
    expect(page.locator("[data-bulk-count]")).to_have_text("2 selected")


def test_a_menu_is_walked_by_arrow_keys_and_closes_when_it_is_left(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors")
    page.get_by_role("link", name="Search", exact=True).click()
    summary = page.get_by_label("More actions")
    assert summary.get_attribute("aria-haspopup") == "true"
    menu = page.locator(".page-head details.menu")
    summary.focus()
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("button", name="Mute alerts for 1 hour")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("button", name="Mute alerts for 8 hours")).to_be_focused()
    page.keyboard.press("End")
    expect(menu.get_by_role("link", name="Delete…")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_role("button", name="Mute alerts for 1 hour")).to_be_focused()
    page.keyboard.press("Escape")
    expect(summary).to_be_focused()
    expect(menu).not_to_have_attribute("open", "")
    page.keyboard.press("ArrowUp")
    expect(menu.get_by_role("link", name="Delete…")).to_be_focused()
    page.keyboard.press("Tab")
    expect(menu).not_to_have_attribute("open", "")


def test_a_chart_is_read_by_arrow_keys(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors")
    page.get_by_role("link", name="Shop, front page").click()
    page.get_by_role("link", name="7 days").click()
    plot = page.locator(".chart-plot")
    plot.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(TIP)).to_contain_text("95th percentile")
    newest = page.locator(TIP).inner_text()
    expect(page.locator(ANNOUNCER)).to_contain_text("95th percentile")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(TIP)).not_to_have_text(newest)
    page.keyboard.press("End")
    assert page.locator(TIP).inner_text() == newest
    page.keyboard.press("Escape")
    expect(page.locator(TIP)).to_have_count(0)
    beats = page.locator(".standing-beats .readout")
    beats.focus()
    page.keyboard.press("Home")
    expect(page.locator(TIP)).to_contain_text("Up")
    expect(page.locator(ANNOUNCER)).to_contain_text("Up, ")


def test_a_chart_is_read_by_touch(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors", viewport=PHONE, has_touch=True)
    page.locator(".monitor-beats rect:not(.beat-none)").first.tap(force=True)
    expect(page.locator(TIP)).to_contain_text("UTC")
    page.get_by_role("link", name="Shop, front page").click()
    page.locator(".chart-slot").nth(20).tap()
    expect(page.locator(TIP)).to_contain_text("UTC")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_chart_has_its_data_as_a_table(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors")
    page.get_by_role("link", name="Shop, front page").click()
    page.get_by_role("link", name="7 days").click()
    page.get_by_role("link", name="Data", exact=True).click()
    rows = page.locator(".chart-table tbody tr")
    expect(rows).to_have_count(168)
    expect(rows.first).to_contain_text(" up, ")
    page.get_by_role("link", name="Chart", exact=True).click()
    expect(page.locator(".chart-plot")).to_be_visible()
