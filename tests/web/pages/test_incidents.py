"""The list of outages, and the story of one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.tables import Project
from tests import factories
from tests.web.pages.visitor import Visitor

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


def test_outages_that_go_on_come_first(visitor: Callable[..., Visitor], project: Project) -> None:
    over, down = factories.a_monitor(project, name="Over it"), factories.a_monitor(project, name="Still down")
    factories.an_incident(down, started_at=NOW - 50 * HOUR)
    factories.an_incident(over, started_at=NOW - 3 * HOUR, ended_at=NOW - HOUR)
    factories.an_incident(factories.a_monitor(factories.a_project(name="Elsewhere"), name="Not yours"))
    page = visitor().get("/incidents")
    assert page.index("Still down") < page.index("Over it")
    assert "lasted 2 h" in page
    assert "Not yours" not in page


def test_outages_are_filtered(visitor: Callable[..., Visitor], project: Project) -> None:
    over, down = factories.a_monitor(project, name="Over it"), factories.a_monitor(project, name="Still down")
    factories.an_incident(down, started_at=datetime(2026, 3, 4, 12, tzinfo=UTC))
    factories.an_incident(
        over, started_at=datetime(2026, 3, 1, 12, tzinfo=UTC), ended_at=datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    )
    someone = visitor()
    for query, shown in {
        "": {"Over it", "Still down"},
        "open=true": {"Still down"},
        "open=false": {"Over it"},
        "to=2026-03-03": {"Over it"},
        "to=2026-02-28": set(),
        "from=2026-03-02&to=2026-03-02": {"Over it"},
        "from=2026-03-03": {"Still down"},
        "from=nonsense&to=9999-12-31&open=perhaps": {"Over it", "Still down"},
        f"monitorId={over.id}": {"Over it"},
    }.items():
        page = someone.get(f"/incidents/partials/list?{query}")
        assert {name for name in ("Over it", "Still down") if name in page} == shown, query


def test_the_story_of_an_outage_is_told_in_its_order(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor, provider = factories.a_monitor(project, name="Shop"), factories.a_provider(project, name="On call")
    details = {
        "statusCode": 503,
        "resolvedIp": "192.0.2.7",
        "redirects": [{"url": "https://shop.example/old", "statusCode": 302}],
        "sslCertificate": {"subject": "CN=shop.example", "issuer": "CN=Example CA", "validTo": "2026-12-01T00:00:00Z"},
        "evidence": {"responseHeaders": {"Retry-After": "120"}, "bodyExcerpt": "Closed for stocktaking"},
    }
    incident = factories.an_incident(
        monitor, started_at=NOW - HOUR, ended_at=NOW, evidence=factories.an_evidence(details)
    )
    first = factories.an_alert(monitor, provider, created_at=NOW - HOUR + timedelta(seconds=1))
    factories.changed(first.deliveries[0], duration_ms=17.0, attempts=3)
    factories.an_alert(
        monitor,
        alert_number=None,
        status="suppressed",
        suppressed_because="limit: 3 alerts were sent",
        created_at=NOW - HOUR / 2,
    )
    factories.an_alert(monitor, type="monitor.up", alert_number=None, reason="Recovered.", created_at=NOW)
    page = visitor().get(f"/incidents/{incident.id}")
    story = [
        "First failed check",
        "Alert 1 of 3",
        "Not sent: the limit of 3 alerts for this outage was reached",
        "Up again",
        "Recovered.",
    ]
    places = [page.index(words) for words in story]
    assert places == sorted(places)
    for words in ("On call", "after 3 attempts", "in 17 ms", "192.0.2.7", "https://shop.example/old", "CN=Example CA"):
        assert words in page
    assert "Retry-After" in page
    assert "Closed for stocktaking" in page
    assert "data-live=" not in page, "an outage that is over changes no more"


def test_an_outage_links_from_its_monitor_and_from_its_alerts(
    visitor: Callable[..., Visitor], project: Project
) -> None:
    monitor = factories.a_monitor(project)
    factories.an_alert(monitor)
    incident = factories.an_incident(monitor)
    someone = visitor()
    for path in (f"/monitors/{monitor.id}", "/alerts", "/incidents"):
        assert f"/incidents/{incident.id}" in someone.get(path), path
    assert "is down" in someone.get(f"/incidents/{incident.id}")


@pytest.mark.parametrize("part", ["", "/partials/story"])
def test_an_outage_of_another_project_is_not_there(visitor: Callable[..., Visitor], context: None, part: str) -> None:
    foreign = factories.an_incident(factories.a_monitor(factories.a_project(name="Elsewhere"), name="Not yours"))
    for wanted in (str(foreign.id), "nonsense"):
        assert "Not yours" not in visitor().get(f"/incidents/{wanted}{part}", 404)


@pytest.mark.parametrize(
    "kept",
    [
        {"evidence": {"bodyExcerpt": "a\x1b[2J\u202eb\u2066c\x85d", "responseHeaders": {"X-\x9b": "\u200fv"}}},
        {"evidence": "text", "redirects": "x", "sslCertificate": [], "resolvedIp": 7},
        {"evidence": {"responseHeaders": [], "bodyExcerpt": 5, "certificateChain": [None]}, "redirects": [None]},
    ],
)
def test_what_a_target_wrote_breaks_no_page(
    visitor: Callable[..., Visitor], project: Project, kept: dict[str, Any]
) -> None:
    monitor = factories.a_monitor(project)
    stored = {**kept, "statusCode": 500}
    factories.a_result(monitor, status="down", details=stored)
    incident = factories.an_incident(monitor, evidence=factories.an_evidence(stored))
    for path in (f"/monitors/{monitor.id}", f"/incidents/{incident.id}"):
        page = visitor().get(path)
        assert "500" in page
        assert not set(page) & set("\x1b\u202e\u2066\x85\x9b\u200f"), "what shows nothing is marked"
