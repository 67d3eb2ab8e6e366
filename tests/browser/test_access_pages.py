"""Members, keys and the trail on a phone, and one question before monitors are deleted."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    pass

pytestmark = [pytest.mark.slow, pytest.mark.alone]
Visit = "Callable[..., Page]"
PHONE = {"width": 390, "height": 844}
TALLEST_ROW = 230


def _events(connection: Any) -> None:
    connection.execute(
        "INSERT INTO audit_events (id, organization_id, project_id, user_id, action, object_type, details)"
        " SELECT gen_random_uuid(), p.organization_id, p.id, u.id, 'monitor.changed', 'monitor',"
        """ '{"name": "Shop", "changes": {"config.timeoutSeconds": {"from": 30, "to": 10}, "target": {"from":"""
        """ "https://shop.example/a/long/path", "to": "https://shop.example/another/long/path"}}}'"""
        " FROM projects p, users u, generate_series(1, 20)"
    )
    connection.execute(
        "INSERT INTO api_keys (id, project_id, name, prefix, key_hash, created_by)"
        " SELECT gen_random_uuid(), p.id, 'Pipeline of the shop, production', 'sck_abcdef', 'x', u.id FROM projects p, users u LIMIT 1"
    )


@pytest.mark.parametrize("path", ["/settings/audit", "/settings/members", "/settings/api-keys"])
def test_rows_are_cards_on_a_phone(visit: Visit, connection: Any, path: str) -> None:
    _events(connection)
    page = visit(path, viewport=PHONE)
    rows = page.locator(".stacked tbody tr")
    assert rows.count() > 0
    boxes = [rows.nth(index).bounding_box() for index in range(rows.count())]
    assert max(box["height"] for box in boxes) < TALLEST_ROW
    wide = page.evaluate(
        "[...document.querySelectorAll('.stacked a, .stacked button, .stacked select')]"
        ".filter((one) => one.getBoundingClientRect().right > innerWidth || one.getBoundingClientRect().left < 0)"
        ".map((one) => one.textContent)"
    )
    assert wide == []


def test_deleting_many_monitors_asks_once(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/monitors")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    for index in range(2):
        page.locator("input[name=ids]").nth(index).check()
    page.locator("button[value=delete]").click()
    expect(page.get_by_role("heading", name="Delete 2 monitors?")).to_be_visible()
    assert asked == []
