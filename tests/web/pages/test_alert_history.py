"""The alert history and its filters."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from models.tables import Project
from tests import factories
from tests.web.pages.visitor import Visitor
from web.ui.labels import not_sent

DAY = timedelta(days=1)
NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def history(project: Project) -> dict[str, str]:
    """Name of the filter value -> the id of the provider."""
    shop = factories.a_monitor(project, name="Shop")
    blog = factories.a_monitor(project, name="Blog")
    hook, mail = factories.a_provider(project, name="Hook"), factories.a_provider(project, name="Mail")
    factories.an_alert(shop, hook, created_at=NOON, reason="Reason A")
    factories.an_alert(blog, mail, created_at=NOON + DAY, reason="Reason B", status="failed")
    limit = {"alert_number": None, "status": "suppressed", "suppressed_because": "limit: 3 alerts were sent"}
    factories.an_alert(blog, created_at=NOON + DAY, reason="Reason limit", **limit)
    return {"hook": str(hook.id), "mail": str(mail.id)}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"A", "B"}),
        ("from=2030-02-01", {"B"}),
        ("to=2030-01-31", {"A"}),
        ("from=2030-01-31&to=2030-02-01", {"A", "B"}),
        ("q=shop", {"A"}),
        ("q=reason+b", {"B"}),
        ("q=%25", set()),
        ("providerId={hook}", {"A"}),
        ("providerId={mail}", {"B"}),
        ("status=undelivered", {"B"}),
        ("from=nonsense&providerId=nonsense", {"A", "B"}),
    ],
)
def test_the_history_is_filtered(
    visitor: Callable[..., Visitor], history: dict[str, str], query: str, found: set[str]
) -> None:
    for path in ("/alerts", "/alerts/partials/list"):
        page = visitor().get(f"{path}?{query.format(**history)}")
        assert {word for word in ("A", "B", "limit") if f"Reason {word}" in page} == found, path


def test_an_alert_shows_its_time_and_attempts_only_if_there_was_more_than_one(
    visitor: Callable[..., Visitor], project: Project
) -> None:
    monitor, provider = factories.a_monitor(project), factories.a_provider(project)
    alert = factories.an_alert(monitor, provider, created_at=NOON)
    attempt = {"at": NOON.isoformat(), "durationMs": 1.5, "outcome": "sent", "error": None}
    factories.changed(alert.deliveries[0], logged=[attempt])
    page = visitor().get("/alerts")
    assert "31 Jan 12:00 UTC" in page
    assert "delivery-attempts" not in page
    factories.changed(alert.deliveries[0], logged=[{**attempt, "outcome": "retrying", "error": "503"}, attempt])
    assert "2 attempts" in visitor().get("/alerts")


@pytest.mark.parametrize(
    ("because", "sentence"),
    [
        ("limit: 3 alerts were sent for this outage", "Not sent: the limit of 3 alerts for this outage was reached."),
        ("off: alerts are turned off for this monitor", "Not sent: alerts are turned off for this monitor."),
        ("storm: many", "Sent in a summary: many monitors changed at once."),
        ("a text without a word before it", "Not sent: a text without a word before it."),
    ],
)
def test_why_an_alert_was_not_sent_is_a_true_sentence(because: str, sentence: str) -> None:
    assert not_sent(because) == sentence
