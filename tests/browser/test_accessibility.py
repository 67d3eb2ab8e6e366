"""Axe over every page, in both colour schemes, at a desk and on a phone: nothing serious or critical, nothing out of order."""

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from flask import current_app

from tests import factories
from tests.browser import every_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(400)]
Visit = Callable[..., "Page"]
DESK = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LOOKS = pytest.mark.parametrize(
    ("scheme", "viewport"),
    [("light", DESK), ("light", PHONE), ("dark", DESK), ("dark", PHONE)],
    ids=["light-desk", "light-phone", "dark-desk", "dark-phone"],
)


def faults(page: "Page") -> list[str]:
    """What axe finds on the page as it is now, folded parts unfolded; menus stay closed."""
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate("for (const one of document.querySelectorAll('details:not([data-closes])')) one.open = true")
    found: dict[str, Any] = Axe().run(page, options=RULES).response
    return [
        f"{fault['impact']} {fault['id']}: {node['target'][0]} ({' '.join(node['failureSummary'].split())[:300]})"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


def test_every_page_is_visited(visit: Visit) -> None:
    every_page.hard_cases()
    known = {f"pages.{endpoint}" for endpoint in every_page.addresses()}
    pages = {
        rule.endpoint
        for rule in current_app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and "GET" in (rule.methods or ()) and "/partials/" not in rule.rule
    }
    assert pages - every_page.NO_PAGES == known


@LOOKS
def test_axe_finds_nothing_on_any_page(visit: Visit, scheme: str, viewport: dict[str, int]) -> None:
    every_page.hard_cases()
    page = visit("/settings/account", color_scheme=scheme, viewport=viewport)
    found = {}
    for address in itertools.chain(*every_page.addresses().values()):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        if wrong := faults(page):
            found[address] = wrong
    assert not found, "\n".join(f"{where}\n    " + "\n    ".join(wrong) for where, wrong in found.items())


@LOOKS
def test_axe_finds_nothing_on_pages_without_a_session_and_with_faults(
    browser: "Browser", site: str, complaints: list[str], scheme: Any, viewport: Any
) -> None:
    project = every_page.project()
    factories.a_user(project, email="new@example.com", must_change_password=True)
    context = browser.new_context(base_url=site, color_scheme=scheme, viewport=viewport)
    page = context.new_page()
    page.goto("/login")
    assert faults(page) == []
    page.get_by_label("E-mail address").fill("new@example.com")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    assert faults(page) == []
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/first-password")
    assert faults(page) == []
    page.get_by_label("New password", exact=True).fill("a few plain words")
    page.get_by_label("Repeat the new password").fill("a few plain words")
    page.get_by_role("button", name="Set password").click()
    page.get_by_role("heading", level=1).wait_for()
    page.goto("/monitors/00000000-0000-4000-8000-000000000000")
    assert faults(page) == []
    for kind in ("http_request", "heartbeat"):
        page.goto(f"/monitors/new?type={kind}")
        page.get_by_role("button", name="Create monitor").click()
        page.locator("[role=alert]").first.wait_for()
        assert faults(page) == []
    context.close()
