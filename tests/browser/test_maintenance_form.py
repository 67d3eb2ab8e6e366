"""Choosing the monitors of a maintenance window by keyboard."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from models.tables import MaintenanceWindow
from tests.browser.live import monitor
from web.http.extensions import db

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def test_monitors_are_added_and_removed_by_keyboard(visit: "Callable[..., Page]") -> None:
    from playwright.sync_api import expect

    page = visit("/maintenance/new")
    page.get_by_label("Name", exact=True).fill("Release")
    page.get_by_label("Monitors", exact=True).select_option("monitors")
    box, chips = page.get_by_label("Add a monitor"), page.locator(".chip")
    for number, name in enumerate(("Shop, front page", "Mail relay", "Payments API"), start=1):
        box.fill(name)
        box.press("Enter")
        expect(chips).to_have_count(number)
        expect(box).to_be_focused()
        expect(box).to_have_value("")
    expect(page.locator("[data-summary]")).to_contain_text("3 monitors, alerts off.")
    box.fill("No such monitor")
    box.press("Enter")
    expect(page.locator("[data-wrong=addMonitor]")).to_contain_text("No monitor, or more than one")
    box.fill("")
    page.get_by_role("checkbox", name="Mail relay").press("Space")
    expect(chips).to_have_count(2)
    expect(page.get_by_role("checkbox", name="Payments API")).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.get_by_role("checkbox", name="Shop, front page")).to_be_focused()
    page.get_by_role("button", name="Schedule", exact=True).last.click()
    page.wait_for_url("**/maintenance")
    made = db.session.query(MaintenanceWindow).filter_by(name="Release").one()
    assert made.monitor_ids == [monitor("Shop, front page").id]
