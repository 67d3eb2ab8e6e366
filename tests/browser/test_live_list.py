"""The list of monitors while monitors come and go."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.alone]
Visit = Callable[..., "Page"]
LABEL = "[data-live-state]"


def test_a_filtered_list_offers_what_changed_in_it(visit: Visit) -> None:
    from playwright.sync_api import expect

    from tests.browser import live

    page = visit("/monitors?status=down")
    expect(page.locator(LABEL)).to_have_text("Live")
    names = page.locator(".monitor-row .primary")
    expect(names).to_have_text(["Payments API"])
    page.locator(".monitor-check").check()
    live.turn("Search", "down")
    live.turn("Orders API", "down")
    offer = page.locator("[data-set-changes]")
    expect(offer).to_contain_text("2 changes in this list.")
    expect(page.locator("[data-set-head]")).to_contain_text("3 monitors found")
    expect(page.locator("#count-down")).to_have_text("3 down")
    expect(names).to_have_text(["Payments API"])
    offer.get_by_role("button", name="Show").click()
    expect(names).to_have_text(["Orders API", "Payments API", "Search"])
    expect(offer).to_be_hidden()
    expect(page.locator(".monitor-row", has_text="Payments API").locator(".monitor-check")).to_be_checked()
    live.turn("Payments API", "up")
    expect(offer).to_contain_text("1 change in this list.")
    offer.get_by_role("button", name="Show").press("Enter")
    expect(names).to_have_text(["Orders API", "Search"])
    expect(page.locator("[data-bulk-count]")).to_have_text("Select all on this page")


def test_an_empty_list_fills_by_itself(visit: Visit) -> None:
    from playwright.sync_api import expect

    from tests.browser import live

    page = visit("/monitors")
    page.goto("/monitors?q=Search&status=down")
    expect(page.locator(LABEL)).to_have_text("Live")
    expect(page.get_by_text("No monitors found")).to_be_visible()
    live.turn("Search", "down")
    expect(page.locator(".monitor-row .primary")).to_have_text(["Search"])
