"""The table of results on a monitor's page: pages that keep their place."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from markupsafe import Markup

from models.tables import Monitor, Project
from tests import factories
from tests.web.pages.visitor import Visitor

NOW = datetime.now(UTC) - timedelta(minutes=1)
LOCATIONS = ("us-east", "eu-central", "asia-pacific")


@pytest.fixture
def monitor(project: Project) -> Monitor:
    return factories.a_monitor(project)


def a_round(monitor: Monitor, number: int) -> None:
    """A round of three results, `number` minutes old; each says which it is."""
    for location in LOCATIONS:
        details = {"statusCode": f"{number}-{location}"}
        factories.a_result(monitor, checked_at=NOW - timedelta(minutes=number), location=location, details=details)


def shown(page: str) -> list[str]:
    return re.findall(r"Status (-?[0-9]+-[a-z-]+)", page.split('id="results"')[1])


def link(page: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}" href="([^"]*)"', page.split('id="results"')[1])
    return str(Markup(found[1]).unescape()) if found else None


def walk(someone: Visitor, address: str | None, rel: str) -> Iterator[list[str]]:
    while address is not None:
        page = someone.get(address.split("#")[0])
        yield shown(page)
        address = link(page, rel)


@pytest.mark.parametrize("rows", ["", "25", "50", "100", "nonsense"])
def test_every_result_is_on_one_page_in_either_direction(
    visitor: Callable[..., Visitor], monitor: Monitor, rows: str
) -> None:
    for number in range(15):
        a_round(monitor, number)
    someone = visitor()
    size = int(rows) if rows.isdigit() else 10
    pages = list(walk(someone, f"/monitors/{monitor.id}?rows={rows or 10}", "next"))
    in_order = [f"{number}-{location}" for number in range(15) for location in sorted(LOCATIONS)]
    assert [one for page in pages for one in page] == in_order
    assert all(len(page) == size for page in pages[:-1])
    # And back, from the last page
    address: str | None = f"/monitors/{monitor.id}?rows={rows or 10}"
    while (further := link(someone.get(str(address).split("#")[0]), "next")) is not None:
        address = further
    back = list(walk(someone, address, "prev"))
    assert back[-1] == pages[0]
    assert set().union(*back) == set(in_order)


def test_the_second_page_does_not_move_while_results_come(visitor: Callable[..., Visitor], monitor: Monitor) -> None:
    for number in range(8):
        a_round(monitor, number)
    someone = visitor()
    address = link(someone.get(f"/monitors/{monitor.id}?status=up"), "next")
    assert address is not None
    before = someone.get(address.split("#")[0])
    a_round(monitor, -1)
    after = someone.get(address.split("#")[0])
    assert shown(before) == shown(after)
    assert "-1-us-east" in shown(someone.get(f"/monitors/{monitor.id}"))


def test_links_keep_the_question_and_go_to_their_place(visitor: Callable[..., Visitor], monitor: Monitor) -> None:
    for number in range(8):
        a_round(monitor, number)
    page = visitor().get(f"/monitors/{monitor.id}?period=7d&status=up&rows=10")
    older = link(page, "next")
    assert older is not None
    assert older.endswith("#results")
    assert "period=7d&status=up&rows=10&before=" in older
    periods = [str(Markup(one).unescape()) for one in re.findall(r'href="([^"]*#chart)"', page)]
    assert f"/monitors/{monitor.id}?period=90d&status=up&rows=10#chart" in periods
    assert f"/monitors/{monitor.id}?status=up&rows=10#chart" in periods


@pytest.mark.parametrize("mark", ["x", "1.2", "9" * 40 + "..x", "-1..4b3a2c1d-0000-4000-8000-000000000001"])
@pytest.mark.parametrize("name", ["before", "after"])
def test_a_nonsensical_mark_is_no_fault_of_ours(
    visitor: Callable[..., Visitor], monitor: Monitor, name: str, mark: str
) -> None:
    a_round(monitor, 0)
    visitor().get(f"/monitors/{monitor.id}?{name}={mark}")


def test_pings_of_a_heartbeat_are_paged_as_well(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor = factories.a_monitor(project, "heartbeat", token="t" * 43)
    for number in range(12):
        factories.a_result(monitor, checked_at=NOW - timedelta(minutes=number), location=None)
    someone = visitor()
    first = someone.get(f"/monitors/{monitor.id}")
    assert "10 of 12 results" in first
    older = link(first, "next")
    assert older is not None
    assert "2 of 12 results" in someone.get(older.split("#")[0])
