"""What runs next, what is late, and the operator's page of queues."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from models.tables import Project
from tests import factories
from tests.web.pages.visitor import Visitor


def names(page: str) -> list[str]:
    return re.findall(r'<a class="primary[^>]*><bdi>([^<]*)</bdi></a>', page)


@pytest.fixture
def scheduled(project: Project) -> None:
    now = datetime.now(UTC)

    def a_schedule(name: str, minutes: float, last: float | None, **state: object) -> None:
        ran = None if last is None else now - timedelta(minutes=last)
        values = {"next_run_at": now + timedelta(minutes=minutes), "last_run_at": ran, **state}
        factories.a_monitor(project, name=name, tags=[f"tag-{name}"], state=values)

    a_schedule("under way", -2, 5, open_scheduled_for=now - timedelta(minutes=2))
    a_schedule("late", -1, 3)
    a_schedule("later", -4, 2)
    a_schedule("soon", 1, 4)
    a_schedule("at last", 30, None)


@pytest.mark.parametrize(
    ("question", "order"),
    [
        ("", ["later", "late", "under way", "soon", "at last"]),
        ("?sort=next", ["later", "under way", "late", "soon", "at last"]),
        ("?sort=name", ["at last", "late", "later", "soon", "under way"]),
        ("?sort=last", ["at last", "under way", "soon", "late", "later"]),
        ("?show=late", ["later", "late"]),
        ("?q=TAG-LATE", ["later", "late"]),
        ("?q=tag-s&sort=name", ["soon"]),
        ("?sort=nonsense&show=nonsense", ["later", "late", "under way", "soon", "at last"]),
    ],
)
@pytest.mark.usefixtures("scheduled")
def test_schedules_are_searched_and_sorted(visitor: Callable[..., Visitor], question: str, order: list[str]) -> None:
    assert names(visitor().get(f"/schedules{question}")) == order


@pytest.mark.usefixtures("scheduled")
def test_what_is_late_is_counted_and_said(visitor: Callable[..., Visitor]) -> None:
    page = visitor().get("/schedules")
    assert "2 late</a>" in page
    assert len(re.findall(r"4 min (?:\d+ s )?late", page)) == 1
    assert page.count("on time") == 3


def test_a_search_that_finds_nothing_leads_back(visitor: Callable[..., Visitor], project: Project) -> None:
    factories.a_monitor(project)
    assert "No schedule matches this search." in visitor().get("/schedules?q=nowhere")


@pytest.mark.parametrize("role", ["project_viewer", "project_editor", "project_admin"])
def test_the_operators_matters_are_nobody_elses(visitor: Callable[..., Visitor], role: str) -> None:
    someone = visitor(role)
    page = someone.get("/schedules")
    for word in ("Queues", "/queues", "queue-stats", "Dead messages", "Consumers"):
        assert word not in page
    assert "Only organisation owners and administrators" in someone.get("/queues", 403)


def test_operators_see_queues_and_dead_letters(visitor: Callable[..., Visitor]) -> None:
    from actors.broker import broker

    died = datetime.now(UTC).timestamp() * 1000 - 7_200_000
    broker.client.zadd("dramatiq:deliveries.XQ", {"key": died})
    message = '{"message_id": "id-<b>", "actor_name": "deliver", "args": ["the argument"]}'
    broker.client.hset("dramatiq:deliveries.XQ.msgs", "key", message)
    someone = visitor("org_admin")
    assert 'href="/queues"' in someone.get("/schedules")
    page = someone.get("/queues")
    waiting, _, dead = page.partition('id="dead-title"')
    assert "monitor-execution.us-east" in waiting
    assert '<td class="number" data-label="Dead">1</td>' in waiting
    assert "id-&lt;b&gt;" in dead
    assert "2 h ago" in dead
    assert "the argument" not in dead
