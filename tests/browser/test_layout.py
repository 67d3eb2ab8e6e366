"""What a reader sees and reaches on large, middle, small and low windows."""

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from models.tables import Alert, ApiKey, Location, MaintenanceWindow, Monitor, NotificationProvider
from tests.browser import every_page
from tests.contrast import ratio
from web.http.extensions import db

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.alone]
Visit = Callable[..., "Page"]
PHONE = {"width": 390, "height": 844}
TABLET = {"width": 820, "height": 1180}
DESK = {"width": 1360, "height": 900}
#: A window of 1360x850 at a zoom of 200 %.
LOW = {"width": 680, "height": 425}

#: Whether all of an element's text is seen: nothing of it is clipped.
WHOLE = "element => element.scrollHeight <= element.clientHeight + 1 && element.scrollWidth <= element.clientWidth + 1"


@pytest.mark.parametrize(
    "viewport", [DESK, TABLET, {"width": 991, "height": 800}, {"width": 768, "height": 800}, PHONE]
)
def test_a_long_name_is_read_whole_in_the_list(visit: Visit, viewport: dict[str, int]) -> None:
    every_page.hard_cases()
    page = visit("/monitors", viewport=viewport)
    name = page.locator(".monitor-name .primary", has_text=every_page.LONG_NAME)
    assert name.inner_text() == every_page.LONG_NAME
    assert name.evaluate(WHOLE)
    assert name.get_attribute("title") == every_page.LONG_NAME
    row = page.locator(".monitor-row", has=name)
    for tag in row.locator(".tag").all():
        assert tag.evaluate(WHOLE)
    edges = row.evaluate(
        """row => [...row.querySelectorAll('.tag')].every((tag) => {
          const [inner, outer] = [tag, tag.closest('.monitor-what')].map((one) => one.getBoundingClientRect());
          return inner.left >= outer.left - 1 && inner.right <= outer.right + 1 && inner.bottom <= outer.bottom + 1;
        })"""
    )
    assert edges
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("viewport", [DESK, PHONE])
def test_a_long_name_is_read_on_the_dashboard(visit: Visit, viewport: dict[str, int]) -> None:
    every_page.monitor("Payments API").name = every_page.LONG_NAME
    db.session.commit()
    page = visit("/", viewport=viewport)
    name = page.locator(".trouble-name .primary", has_text=every_page.LONG_NAME)
    assert name.evaluate(WHOLE)
    assert name.get_attribute("title") == every_page.LONG_NAME


@pytest.mark.parametrize("viewport", [LOW, TABLET, PHONE, DESK], ids=["low", "tablet", "phone", "desk"])
def test_nothing_covers_what_has_the_focus(visit: Visit, viewport: dict[str, int]) -> None:
    # Bootstrap scrolls smoothly unless motion is reduced: then the place is known at once.
    page = visit("/settings/account", viewport=viewport, reduced_motion="reduce")
    for path in ("/monitors/new?type=http_request", "/notification-providers/new?type=webhook", "/maintenance/new"):
        page.goto(path)
        page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
        page.locator("main").focus()
        assert covered(page) == [], path


def covered(page: "Page") -> list[str]:
    """Tab through the main part; return what was not to be seen while it had the focus."""
    found, stops = [], 0
    while True:
        page.keyboard.press("Tab")
        stop: dict[str, Any] = page.evaluate(
            """() => {
              const it = document.activeElement;
              const seen = it.matches('.visually-hidden') ? it.closest('label') : it;
              const box = (seen ?? it).getBoundingClientRect();
              const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
              const free = hit !== null && (seen.contains(hit) || hit.contains(seen));
              return { inside: it.closest('main') !== null, what: it.name || it.id || it.textContent.trim(), free };
            }"""
        )
        if not stop["inside"]:
            assert stops > 5
            return found
        stops += 1
        if not stop["free"]:
            found.append(stop["what"])


@pytest.mark.parametrize("path", ["/settings/account", "/monitors/new?type=http_request"])
def test_no_bar_sticks_in_a_low_window(visit: Visit, path: str) -> None:
    page = visit(path, viewport=LOW)
    bars = page.locator(".tabs-bottom, .form-end")
    assert bars.count() == 2
    for bar in bars.all():
        assert bar.evaluate("bar => getComputedStyle(bar).position") in ("static", "relative")
    page.get_by_text("More", exact=True).click()
    for link in page.locator(".sheet a").all():
        link.click(trial=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_switches_and_boxes_are_seen_on_and_off(visit: Visit, scheme: str) -> None:
    page = visit("/monitors/new?type=http_request", color_scheme=scheme)
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")

    def drawn(choice: str) -> dict[str, str]:
        found: dict[str, str] = page.locator(choice).first.evaluate(
            """box => {
              const [frame, sign] = ['::before', '::after'].map((part) => getComputedStyle(box, part));
              const ground = getComputedStyle(box.closest('.card-plain')).backgroundColor;
              const [knob, tick] = [sign.backgroundColor, sign.borderRightColor];
              return { ground, frame: frame.borderTopColor, fill: frame.backgroundColor, knob, tick };
            }"""
        )
        return found

    off = drawn("[role=switch]:not(:checked)")
    assert ratio(off["frame"], off["ground"]) >= 3
    assert ratio(off["knob"], off["fill"]) >= 3
    on = drawn("[role=switch]:checked")
    assert ratio(on["fill"], on["ground"]) >= 3
    assert ratio(on["knob"], on["fill"]) >= 3
    empty = drawn("[type=checkbox]:not([role=switch], :checked)")
    assert ratio(empty["frame"], empty["ground"]) >= 3
    ticked = drawn("[type=checkbox]:not([role=switch]):checked")
    assert ratio(ticked["fill"], ticked["ground"]) >= 3
    assert ratio(ticked["tick"], ticked["fill"]) >= 3


def test_a_box_is_large_enough_to_be_pointed_at(visit: Visit) -> None:
    page = visit("/monitors", viewport=PHONE)
    for path in ("/monitors", "/monitors/new?type=http_request"):
        page.goto(path)
        page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
        sizes = page.locator("input[type=checkbox]:visible").evaluate_all(
            "boxes => boxes.map((box) => { const it = box.getBoundingClientRect(); return [it.width, it.height]; })"
        )
        assert len(sizes) > 5
        assert all(width >= 24 and height >= 24 for width, height in sizes), sizes


def test_every_period_is_seen_on_a_phone(visit: Visit) -> None:
    page = visit("/monitors", viewport={"width": 360, "height": 740})
    page.get_by_role("link", name="Shop, front page").click()
    page.get_by_role("link", name="90 days").click()
    page.wait_for_url("**period=**")
    box = page.locator(".segments").bounding_box()
    assert box is not None
    for tab in page.locator(".segments a").all():
        its = tab.bounding_box()
        assert its is not None
        assert box["x"] <= its["x"]
        assert its["x"] + its["width"] <= box["x"] + box["width"] + 1


@pytest.mark.parametrize("viewport", [DESK, PHONE])
def test_a_long_url_takes_two_lines_until_it_has_the_focus(visit: Visit, viewport: dict[str, int]) -> None:
    every_page.hard_cases()
    page = visit("/monitors", viewport=viewport)
    page.get_by_role("link", name=every_page.LONG_NAME, exact=True).click()
    target = page.locator(".monitor-facts .clamp")
    assert target.get_attribute("title") == every_page.LONG_TARGET
    height = "element => element.getBoundingClientRect().height / parseFloat(getComputedStyle(element).lineHeight)"
    assert target.evaluate(height) < 2.5
    target.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert target.evaluate(WHOLE)


@pytest.mark.timeout(400)
def test_a_name_of_any_direction_leaves_the_text_around_it_alone(visit: Visit) -> None:
    every_page.hard_cases()
    addresses = list(itertools.chain(*every_page.addresses().values()))
    for table, names in (
        (Monitor, "name"),
        (Alert, "monitor_name"),
        (NotificationProvider, "name"),
        (MaintenanceWindow, "name"),
        (ApiKey, "name"),
        (Location, "name"),
    ):
        for one in db.session.query(table):
            setattr(one, names, f"{every_page.RIGHT_TO_LEFT_NAME} {getattr(one, names)}"[:255])
    db.session.commit()
    page = visit("/settings/account")
    seen, bare = 0, []
    for address in addresses:
        page.goto(address)
        texts = page.evaluate(
            """name => {
              const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              const found = [];
              while (walker.nextNode()) {
                const it = walker.currentNode;
                if (!it.data.includes(name) || it.parentElement.closest('option, script')) continue;
                found.push([getComputedStyle(it.parentElement).unicodeBidi !== 'normal', it.parentElement.outerHTML]);
              }
              return found;
            }""",
            every_page.RIGHT_TO_LEFT_NAME,
        )
        seen += len(texts)
        bare += [(address, html) for alone, html in texts if not alone]
    assert seen > 100
    assert not bare, "\n".join(f"{where}: {html[:160]}" for where, html in bare)


def test_cards_and_buttons_keep_their_shape(visit: Visit) -> None:
    page = visit("/settings/members")
    corners = page.locator("section.card-plain").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).borderRadius)"
    )
    assert set(corners) == {"10px"}
    page.goto("/settings/projects")
    button = page.get_by_role("button", name="Create").bounding_box()
    assert button is not None
    assert button["width"] < 160


def test_every_control_of_the_settings_is_inside_a_phones_window(visit: Visit) -> None:
    every_page.hard_cases()
    page = visit("/settings/account", viewport=PHONE)
    addresses = itertools.chain(*every_page.addresses().values())
    for address in (one for one in addresses if one.startswith(("/settings/", "/notification-providers"))):
        page.goto(address)
        outside = page.locator("main :is(a.btn, button, input:not([type=hidden]), select):visible").evaluate_all(
            """all => all.filter((one) => !one.closest('.visually-hidden') && !one.matches('.visually-hidden'))
              .map((one) => [one.textContent.trim() || one.name, one.getBoundingClientRect()])
              .filter(([, box]) => box.left < 0 || box.right > innerWidth).map(([name]) => name)"""
        )
        assert outside == [], address


def test_the_button_of_the_maintenance_head_stands_beside_the_heading(visit: Visit) -> None:
    page = visit("/maintenance", viewport=DESK)
    head, button = (page.locator(where).bounding_box() for where in (".page-head h1", ".page-head .actions .btn"))
    assert head is not None
    assert button is not None
    assert button["y"] < head["y"] + head["height"]
    assert button["x"] + button["width"] <= DESK["width"]


def test_no_page_is_wider_than_its_window(visit: Visit) -> None:
    every_page.hard_cases()
    page = visit("/settings/account")
    for viewport in (PHONE, LOW, TABLET):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        for address in itertools.chain(*every_page.addresses().values()):
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], (address, viewport)
