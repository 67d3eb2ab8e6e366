"""The rules of alert grouping."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from actors.alerts import grouping
from models.queries.alert_groups import GroupedAlert

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
ONE, OTHER = uuid4(), uuid4()


def a_change(event: str, monitor: UUID = ONE, reason: str = "") -> GroupedAlert:
    return GroupedAlert(uuid4(), uuid4(), monitor, "Shop", event, None, reason, NOW, NOW)


@pytest.mark.parametrize(
    ("others", "threshold", "is_flood"),
    [(9, 10, False), (10, 10, True), (500, 10, True), (500, 0, False), (1, 1, True)],
)
def test_more_monitors_than_the_threshold_are_a_flood(others: int, threshold: int, is_flood: bool) -> None:
    assert grouping.is_flood(others, threshold) is is_flood


@pytest.mark.parametrize(
    ("kind", "is_human"), [("email", True), ("slack", True), ("apprise", True), ("webhook", False)]
)
def test_webhooks_are_event_receivers(kind: str, is_human: bool) -> None:
    assert grouping.is_human_channel(kind) is is_human


@pytest.mark.parametrize(
    ("first", "last", "is_due"), [(4, 4, False), (5, 5, True), (29, 1, False), (30, 1, True), (30, 30, True)]
)
def test_a_summary_is_due_after_a_quiet_period_or_the_maximum_delay(first: int, last: int, is_due: bool) -> None:
    assert grouping.is_due(NOW - timedelta(seconds=first), NOW - timedelta(seconds=last), NOW) is is_due


def test_a_summary_counts_monitors_and_events() -> None:
    changes = [a_change("monitor.down"), a_change("heartbeat.missed", OTHER), a_change("monitor.up")]
    assert grouping.headline(changes) == "2 monitors"
    assert grouping.sentence(changes) == "3 alerts in a short time: 1 down, 1 missed, 1 up again."
    assert grouping.status(changes) == "down"
    assert grouping.status([*changes, a_change("monitor.up", OTHER)]) == "up"
    assert grouping.headline(changes[:1]) == "1 monitor"
    assert grouping.sentence(changes[:1]) == "1 alert in a short time: 1 down."
