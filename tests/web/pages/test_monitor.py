"""A monitor's own page, and what its buttons do."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from models.rules import histogram
from models.tables import DailyRollup, HourlyRollup, Monitor, Project
from tests import factories
from tests.web.pages.visitor import Visitor
from web.http.extensions import db

NOW = datetime.now(UTC)


@pytest.fixture
def down(project: Project) -> Monitor:
    state = {
        "status": "down",
        "last_verdict": "down",
        "down_since": datetime.now(UTC) - timedelta(minutes=5),
        "last_error_code": "CONNECTION_REFUSED",
        "last_error_message": "127.0.0.1 refused the connection on port 9.",
    }
    return factories.a_monitor(project, name="Payments", state=state)


def rollup(monitor: Monitor, when: datetime | date, **values: Any) -> None:
    counts = [0] * histogram.BUCKETS
    counts[histogram.bucket(100)] = 10
    sums: dict[str, Any] = {"up": 10, "response_count": 10, "response_sum": 1000.0, "histogram": counts, **values}
    key: dict[str, Any] = {"hour": when} if isinstance(when, datetime) else {"day": when}
    table = HourlyRollup if isinstance(when, datetime) else DailyRollup
    db.session.add(table(monitor_id=monitor.id, location="us-east", **key, **sums))
    db.session.commit()


def test_why_it_is_down_is_said_in_plain_words(visitor: Callable[..., Visitor], down: Monitor) -> None:
    page = visitor().get(f"/monitors/{down.id}")
    assert "127.0.0.1 refused the connection on port 9." in page
    assert "nothing listens on that port" in page
    assert ">5 min" in page


def test_our_own_trouble_is_not_shown_as_the_targets(visitor: Callable[..., Visitor], project: Project) -> None:
    state = {"status": "up", "last_verdict": "error", "last_error_code": "BLOCKED_TARGET"}
    monitor = factories.a_monitor(project, state=state)
    page = visitor().get(f"/monitors/{monitor.id}")
    assert "Check failed" in page
    assert "Last result: up." in page


def test_a_live_update_renews_the_first_paint_word_for_word(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor = factories.a_monitor(project)  # nothing in it depends on the second
    someone = visitor("project_viewer")
    page = someone.get(f"/monitors/{monitor.id}?status=up")
    part = someone.get(f"/monitors/{monitor.id}/partials/live?status=up")
    assert len(part) > 1000
    assert part.replace(" ", "").replace("\n", "") in page.replace(" ", "").replace("\n", "")


def test_uptime_and_times_come_out_of_the_rollups(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor = factories.a_monitor(project)
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    rollup(monitor, hour, up=9, down=1)
    rollup(monitor, hour - timedelta(hours=30), up=0, down=10)
    rollup(monitor, NOW.date() - timedelta(days=20), up=80, down=0)
    page = visitor().get(f"/monitors/{monitor.id}")
    tiles = page[page.index('aria-label="Uptime"') : page.index("chart-title")].split('class="label"')[1:]
    values = [tile.split('class="value">')[1].split("<")[0] for tile in tiles]
    assert values == ["90", "45", "98.89", "98.89"] or values[:2] == ["90", "45"]
    assert "100 ms on average" in tiles[0]


@pytest.mark.parametrize("period", ["24h", "7d", "30d", "90d"])
def test_each_period_has_its_chart(visitor: Callable[..., Visitor], project: Project, period: str) -> None:
    monitor = factories.a_monitor(project, created_at=NOW - timedelta(days=100))
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    for back in range(3):
        rollup(monitor, hour - timedelta(hours=back))
        rollup(monitor, NOW.date() - timedelta(days=back + 1))
    page = visitor().get(f"/monitors/{monitor.id}?period={period}")
    assert page.count('class="chart-slot"') == {"24h": 24, "7d": 168, "30d": 30, "90d": 90}[period]
    assert 'data-lines="100 ms|95th percentile' in page


def test_results_are_filtered_by_day_location_and_status(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor = factories.a_monitor(project)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    factories.a_result(monitor, location="us-east", status="up", details={"statusCode": 201})
    factories.a_result(monitor, location="eu-central", status="down", error_message="It broke.")
    factories.a_result(monitor, location="us-east", checked_at=yesterday, details={"statusCode": 202})
    someone = visitor()

    def shown(question: str) -> set[str]:
        table = someone.get(f"/monitors/{monitor.id}{question}").split('id="results"')[1]
        return {word for word in ("Status 201", "Status 202", "It broke.") if word in table}

    assert shown("") == {"Status 201", "Status 202", "It broke."}
    assert shown("?location=eu-central") == {"It broke."}
    assert shown("?status=up") == {"Status 201", "Status 202"}
    assert shown(f"?date={yesterday.date()}") == {"Status 202"}
    assert shown("?date=nonsense&page=-3") == {"Status 201", "Status 202", "It broke."}


def test_a_round_of_several_locations_is_one_beat(visitor: Callable[..., Visitor], project: Project) -> None:
    located = {"locationConfig": {"enabled": True, "locations": [], "threshold": 50, "strategy": "majority"}}
    monitor = factories.a_monitor(project, config=located)
    for location, status in (("us-east", "up"), ("eu-central", "down")):
        at = NOW - timedelta(minutes=1)
        factories.a_result(monitor, checked_at=at, location=location, status=status, consecutive_failure_count=1)
    assert "Last 1 check: 0 up, 1 down" in visitor().get(f"/monitors/{monitor.id}")


def test_only_who_may_edit_sees_a_heartbeats_address(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor = factories.a_monitor(project, "heartbeat", token="t" * 43)
    assert f"/api/heartbeat/{'t' * 43}" in visitor().get(f"/monitors/{monitor.id}")
    assert "t" * 43 not in visitor("project_viewer").get(f"/monitors/{monitor.id}")


def test_pausing_and_resuming(visitor: Callable[..., Visitor], project: Project, connection: Any) -> None:
    monitor = factories.a_monitor(project)
    someone = visitor()
    for enabled in ("false", "true"):
        answer = someone.post(f"/monitors/{monitor.id}/switch", enabled=enabled)
        assert answer.location == f"/monitors/{monitor.id}"
        found = connection.execute("SELECT enabled::text FROM monitors").fetchone()
        assert found == (enabled,)
        assert ("Paused" in someone.get(answer.location)) == (enabled == "false")


def test_check_now_makes_a_round_due(visitor: Callable[..., Visitor], project: Project, connection: Any) -> None:
    monitor = factories.a_monitor(project)
    visitor().post(f"/monitors/{monitor.id}/run")
    assert connection.execute("SELECT next_run_at <= now() FROM monitor_states").fetchone() == (True,)


def test_checking_a_paused_monitor_says_why_not(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor = factories.a_monitor(project, enabled=False)
    someone = visitor()
    answer = someone.post(f"/monitors/{monitor.id}/run")
    assert "This monitor is paused." in someone.get(answer.location)


def test_muting_lasts_as_long_as_chosen(visitor: Callable[..., Visitor], project: Project, connection: Any) -> None:
    monitor = factories.a_monitor(project)
    someone = visitor()
    someone.post(f"/monitors/{monitor.id}/mute", hours="8")
    (until,) = connection.execute("SELECT muted_until FROM monitors").fetchone()
    assert timedelta(hours=7, minutes=59) < until - datetime.now(UTC) < timedelta(hours=8, minutes=1)
    assert "Alerts are muted until" in someone.get(f"/monitors/{monitor.id}")
    someone.post(f"/monitors/{monitor.id}/mute", hours="0")
    assert connection.execute("SELECT muted_until FROM monitors").fetchone() == (None,)


def test_a_test_alert_is_written_and_one_without_anybody_to_tell_is_not(
    visitor: Callable[..., Visitor], project: Project, connection: Any
) -> None:
    silent = factories.a_monitor(project)
    notifying = factories.a_monitor(project, providers=(factories.a_provider(project),))
    someone = visitor()
    answer = someone.post(f"/monitors/{silent.id}/notify")
    assert "This monitor has no notification channel" in someone.get(answer.location)
    someone.post(f"/monitors/{notifying.id}/notify")
    assert connection.execute("SELECT monitor_id, manual FROM alerts").fetchall() == [(notifying.id, True)]


def test_deleting_asks_first(visitor: Callable[..., Visitor], project: Project, connection: Any) -> None:
    monitor = factories.a_monitor(project, name="Old one")
    someone = visitor()
    assert "Delete this monitor?" in someone.get(f"/monitors/delete?ids={monitor.id}")
    assert connection.execute("SELECT count(*) FROM monitors").fetchone() == (1,)
    values = someone.form(f"/monitors/delete?ids={monitor.id}", "/monitors/delete")
    answer = someone.open("/monitors/delete", "POST", values)
    assert answer.location == "/monitors"
    assert connection.execute("SELECT count(*) FROM monitors").fetchone() == (0,)


def test_in_maintenance_it_is_said_since_when_it_is_down(visitor: Callable[..., Visitor], project: Project) -> None:
    since = datetime.now(UTC) - timedelta(minutes=9)
    state = {"status": "down", "down_since": since, "consecutive_failures": 8, "last_error_message": "It is broken."}
    monitor = factories.a_monitor(project, state=state)
    now = datetime.now(UTC)
    factories.a_window(
        project,
        monitor_id=monitor.id,
        occurs_from=now - timedelta(minutes=1),
        occurs_until=now + timedelta(hours=1),
    )
    page = visitor().get(f"/monitors/{monitor.id}")
    assert "failed checks in a row" not in page
    assert "(in maintenance)" in page
    assert f"{since:%H:%M UTC}</time>" in page
    assert "It is broken." in page


def test_failed_rounds_are_counted_only_below_the_threshold(visitor: Callable[..., Visitor], project: Project) -> None:
    for failures, threshold, shown in ((1, 3, True), (2, 3, True), (3, 3, False), (8, 1, False)):
        state = {"status": "up", "last_verdict": "down", "consecutive_failures": failures}
        monitor = factories.a_monitor(project, state=state, failure_threshold=threshold)
        page = visitor().get(f"/monitors/{monitor.id}")
        assert (f"{failures} of {threshold} failed checks in a row" in page) == shown


def test_the_chart_is_also_a_table(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor = factories.a_monitor(project, created_at=NOW - timedelta(days=2))
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    rollup(monitor, hour, down=2)
    someone = visitor()
    chart = someone.get(f"/monitors/{monitor.id}?period=24h")
    assert f"/monitors/{monitor.id}?period=24h&amp;view=data#chart" in chart
    page = someone.get(f"/monitors/{monitor.id}?period=24h&view=data")
    table = page.partition("chart-table")[2].partition("</table>")[0]
    assert table.count("<tr>") == 25
    assert "10 up, 2 down" in table
    assert table.count("No data") == 23
    assert "<figure" not in page


def test_a_period_that_began_before_the_monitor_says_so(visitor: Callable[..., Visitor], project: Project) -> None:
    young = factories.a_monitor(project, created_at=NOW - timedelta(hours=2, minutes=9))
    old = factories.a_monitor(project, created_at=NOW - timedelta(days=100))
    page = visitor().get(f"/monitors/{young.id}")
    tiles = page[page.index('aria-label="Uptime"') : page.index("chart-title")].split('class="label"')[1:]
    assert [re.findall(r"</time>, ([0-9.]+) % of the period", tile) for tile in tiles][2:] == [["0.3"], ["0.1"]]
    assert "of the period" not in visitor().get(f"/monitors/{old.id}")


@pytest.mark.parametrize(
    ("period", "age", "slots"), [("90d", 3, 4), ("30d", 3, 4), ("7d", 3, 4), ("24h", 3, 4), ("24h", 50, 24)]
)
def test_the_chart_begins_with_the_monitor(
    visitor: Callable[..., Visitor], project: Project, period: str, age: int, slots: int
) -> None:
    monitor = factories.a_monitor(project, created_at=NOW - timedelta(hours=age))
    rollup(monitor, NOW.replace(minute=0, second=0, microsecond=0))
    page = visitor().get(f"/monitors/{monitor.id}?period={period}")
    assert page.count('class="chart-slot"') == slots


def test_a_monitor_of_some_weeks_has_its_days_since_then(visitor: Callable[..., Visitor], project: Project) -> None:
    monitor = factories.a_monitor(project, created_at=NOW - timedelta(days=20))
    rollup(monitor, NOW.date() - timedelta(days=2))
    assert visitor().get(f"/monitors/{monitor.id}?period=90d").count('class="chart-slot"') == 21
