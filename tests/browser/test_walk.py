"""The walk of a new user, and what only a browser can show: scripts, live updates, small and dark screens."""

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

if TYPE_CHECKING:
    pass

pytestmark = [pytest.mark.slow, pytest.mark.alone]
Visit = "Callable[..., Page]"
PHONE = {"width": 390, "height": 844}
PATHS = (
    "/",
    "/monitors",
    "/monitors/new",
    "/monitors/new?type=heartbeat",
    "/alerts",
    "/incidents",
    "/alerts/undelivered",
    "/maintenance",
    "/maintenance/new",
    "/notification-providers",
    "/notification-providers/new?type=webhook",
    "/schedules",
    "/queues",
    "/locations",
    "/settings/account",
    "/settings/api-keys",
    "/settings/members",
    "/settings/projects",
    "/settings/audit",
)


def test_a_monitor_is_made_paused_and_deleted(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors/new?type=port_check")
    page.get_by_label("Name").fill("Database")
    page.get_by_label("Host").fill("127.0.0.1")
    page.get_by_label("Port", exact=True).fill("70000")
    page.get_by_label("Port", exact=True).blur()
    expect(page.get_by_text("Must be at most 65535.")).to_be_visible()
    page.get_by_label("Port", exact=True).fill("5432")
    expect(page.get_by_text("Must be at most 65535.")).to_be_hidden()
    page.get_by_role("button", name="Create monitor").click()
    expect(page.get_by_role("heading", name="Database")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".standing .state")).to_have_text("Paused")
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Database was deleted.")).to_be_visible()


def test_a_status_event_renews_the_line_it_is_about(visit: Visit) -> None:
    from playwright.sync_api import expect

    from actors.verdicts.live import Event, publish
    from models.tables import Monitor
    from web.http.extensions import db

    page = visit("/monitors")
    line = page.locator(".monitor-row", has_text="Search")
    expect(line.locator(".state")).to_have_text("Up")
    expect(page.locator("[data-live-state]")).to_have_attribute("data-live", "stream")
    monitor = db.session.query(Monitor).filter_by(name="Search").one()
    monitor.state.status, monitor.state.last_verdict = "down", "down"
    monitor.state.last_error_message = "It broke just now."
    db.session.commit()
    other = page.locator(".monitor-row", has_text="Mail relay").get_by_role("checkbox")
    other.check()
    publish([Event(UUID(str(monitor.project_id)), monitor.id, "down", "up", None, None, None)])
    expect(line.locator(".state")).to_have_text("Down")
    expect(line).to_contain_text("It broke just now.")
    expect(other).to_be_checked()


def test_without_a_free_stream_the_page_polls(
    visit: Visit, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from flask import current_app
    from playwright.sync_api import expect

    from web.live.streams import live_of

    page = visit("/settings/account")
    monkeypatch.setattr(live_of(current_app).hub, "_limit", 0)
    with page.expect_response("**/partials/dashboard"):
        page.goto("/")
    expect(page.locator("[data-live-state]")).to_contain_text("Connecting, refreshed ")
    # The refused stream is what the console complains of, and rightly; nothing else is.
    assert all("503" in said for said in complaints)
    complaints.clear()


def test_the_chart_tells_the_figures_under_the_pointer(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors")
    page.get_by_role("link", name="Shop, front page").click()
    page.get_by_role("link", name="7 days").click()
    page.locator(".chart-slot").nth(160).hover()
    expect(page.locator(".readout-tip")).to_contain_text("95th percentile")
    expect(page.locator(".readout-tip")).to_contain_text("up")


def test_the_scheme_that_was_chosen_stays(visit: Visit) -> None:
    page = visit("/", color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator(".side [data-scheme-toggle]").click(click_count=2)
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(ground) != light


def test_a_heartbeats_deadline_follows_the_typing(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors/new?type=heartbeat")
    deadline = page.locator("[data-deadline]")
    expect(deadline).to_contain_text("the next one is due by")
    before = deadline.inner_text()
    page.get_by_label("Expected interval").fill("3")
    expect(deadline).not_to_have_text(before)
    expect(deadline).to_contain_text("the next one is due by")
    page.locator(".segments").get_by_text("Cron expression").click()
    expect(deadline).to_be_hidden()
    page.get_by_label("Cron expression", exact=True).fill("30 4 * * *")
    expect(deadline).to_contain_text("Next three deadlines, including the grace period")
    assert deadline.inner_text().count(";") == 2


def test_no_page_is_wider_than_a_phone(visit: Visit) -> None:
    page = visit("/", viewport=PHONE)
    page.goto("/monitors")
    details = page.locator(".monitor-name .primary").first.get_attribute("href")
    for path in (*PATHS, details, f"{details}/edit"):
        page.goto(str(path))
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], (path, wide)


def test_everything_can_be_reached_by_keyboard(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="New monitor")).to_be_focused()
