"""Low and narrow screens: a phone held sideways, a page at 200 % zoom."""

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.alone]
Visit = "Callable[..., Page]"
SCREENS = [(680, 425), (667, 375), (360, 640), (390, 844)]


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_every_link_of_the_sheet_can_be_reached(visit: Visit, width: int, height: int) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors", viewport={"width": width, "height": height})
    page.get_by_text("More", exact=True).click()
    sheet = page.locator(".sheet")
    expect(sheet).to_be_visible()
    box = sheet.bounding_box()
    assert box["y"] >= 0, "the sheet's top lies on the screen"
    expect(sheet.locator(".whoami")).to_contain_text("Production")
    for link in sheet.get_by_role("link").all():
        link.scroll_into_view_if_needed()
        expect(link).to_be_in_viewport(ratio=1)
    sheet.get_by_role("link", name="Dashboard").click()
    page.wait_for_url("**/")


def test_a_schedule_is_a_card_on_a_phone_and_a_row_on_a_desktop(visit: Visit) -> None:
    page = visit("/schedules", viewport={"width": 390, "height": 844})
    row = page.locator(".cards-on-phones tbody tr").first
    inside = "e => [...e.cells].every(c => c.getBoundingClientRect().right <= innerWidth && c.getBoundingClientRect().left >= 0)"
    assert row.evaluate(inside)
    assert row.evaluate("e => getComputedStyle(e.cells[1], '::before').content") == '"Schedule"'
    page.set_viewport_size({"width": 1360, "height": 800})
    assert row.evaluate("e => getComputedStyle(e).display") == "table-row"


def test_the_queues_renew_themselves(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/queues", viewport={"width": 390, "height": 844})
    expect(page.locator("[data-live-state]")).to_have_attribute("data-live", "stream")
    expect(page.locator("[data-queues] tbody")).to_contain_text("monitor-execution.us-east")


def test_the_results_pager_stays_at_the_results(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors")
    page.locator(".monitor-name .primary").first.click()
    page.locator("#results [rel=next]").click()
    page.wait_for_url("**#results")
    expect(page.locator("#results-title")).to_be_in_viewport()
