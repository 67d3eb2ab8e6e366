"""Results, pings and statistics as the API tells them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.rules import histogram, round_ids
from models.tables import DailyRollup, HeartbeatPing, HourlyRollup, Incident, Monitor
from tests import factories
from tests.web.api.cast import Cast
from web.http.extensions import db

NOW = datetime.now(UTC)


@pytest.fixture
def monitor(cast: Cast) -> Monitor:
    return factories.a_monitor(cast.project)


def hour(
    monitor: Monitor, ago: timedelta, location: str = "us-east", times: tuple[float, ...] = (), **sums: int
) -> None:
    """The hour `ago` with good checks of these response times, and `down` and `error` ones."""
    at = (datetime.now(UTC) - ago).replace(minute=0, second=0, microsecond=0)
    db.session.add(HourlyRollup(hour=at, **_sums(monitor, location, times, sums)))
    db.session.commit()


def day(monitor: Monitor, ago: int, location: str = "us-east", times: tuple[float, ...] = (), **sums: int) -> None:
    """The whole day so many days `ago`."""
    at = datetime.now(UTC).date() - timedelta(days=ago)
    db.session.add(DailyRollup(day=at, **_sums(monitor, location, times, sums)))
    db.session.commit()


def _sums(monitor: Monitor, location: str, times: tuple[float, ...], sums: dict[str, int]) -> dict[str, Any]:
    counts = [0] * histogram.BUCKETS
    for time in times:
        counts[histogram.bucket(time)] += 1
    return {
        "monitor_id": monitor.id,
        "location": location,
        "up": len(times),
        "response_count": len(times),
        "response_sum": sum(times),
        "response_min": min(times, default=None),
        "response_max": max(times, default=None),
        "histogram": counts,
        **sums,
    }


def test_a_result_tells_everything_about_one_look(monitor: Monitor, cast: Cast) -> None:
    factories.a_result(
        monitor,
        checked_at=NOW,
        status="down",
        expected_locations=["us-east", "eu-central"],
        error_code="UNEXPECTED_STATUS",
        error_message="503 was answered.",
        is_status_change=True,
        consecutive_failure_count=2,
        alerts_sent_for_failure=1,
        details={"statusCode": 503},
    )
    [result] = cast.viewer.get(f"/monitors/{monitor.id}/results").json["data"]  # type: ignore[index]
    assert result["executionGroupId"] == str(round_ids.round_id(monitor.id, NOW))
    assert (result["status"], result["isUp"], result["isStatusChange"]) == ("down", False, True)
    assert (result["consecutiveFailureCount"], result["alertsSentForFailure"]) == (2, 1)
    assert result["expectedLocations"] == ["us-east", "eu-central"]
    assert result["details"] == {
        "statusCode": 503,
        "errorCode": "UNEXPECTED_STATUS",
        "errorMessage": "503 was answered.",
    }


def test_error_is_not_up_and_one_location_expects_itself(monitor: Monitor, cast: Cast) -> None:
    factories.a_result(monitor, status="error")
    [result] = cast.viewer.get(f"/monitors/{monitor.id}/results").json["data"]  # type: ignore[index]
    assert (result["isUp"], result["expectedLocations"]) == (False, ["us-east"])


def test_a_monitor_comes_with_its_newest_fifty_results(monitor: Monitor, cast: Cast) -> None:
    for seconds in range(52):
        factories.a_result(monitor, checked_at=NOW - timedelta(seconds=seconds))
    recent = cast.viewer.get(f"/monitors/{monitor.id}").json["recentResults"]  # type: ignore[index]
    times = [one["scheduledFor"] for one in recent]
    assert len(times) == 50
    assert times == sorted(times, reverse=True)
    assert times[0].startswith(NOW.isoformat()[:23])


def test_results_are_filtered_by_day_location_and_status(monitor: Monitor, cast: Cast) -> None:
    yesterday = NOW - timedelta(days=1)
    factories.a_result(monitor, checked_at=NOW, location="eu-central")
    factories.a_result(monitor, checked_at=NOW, status="down")
    factories.a_result(monitor, checked_at=yesterday)
    factories.a_result(factories.a_monitor(cast.project), checked_at=NOW)
    expected = {
        "": 3,
        f"?date={NOW:%Y-%m-%d}": 2,
        f"?date={yesterday:%Y-%m-%d}": 1,
        "?date=2020-01-01": 0,
        "?location=eu-central": 1,
        "?location=mars": 0,
        "?status=down": 1,
        f"?status=up&location=us-east&date={yesterday:%Y-%m-%d}": 1,
    }
    for query, count in expected.items():
        answer = cast.viewer.get(f"/monitors/{monitor.id}/results{query}").json
        assert (len(answer["data"]), answer["pagination"]["total"]) == (count, count), query  # type: ignore[index]
    for wrong in ("date=yesterday", "date=2026-02-30", "status=paused"):
        assert cast.viewer.get(f"/monitors/{monitor.id}/results?{wrong}").status_code == 422


def test_statistics_of_a_day_and_a_week_are_of_their_hours(monitor: Monitor, cast: Cast) -> None:
    hour(monitor, timedelta(0), times=(100.0, 100.0, 100.0), down=1, error=5)
    hour(monitor, timedelta(hours=23), location="eu-central", times=(200.0,))
    hour(monitor, timedelta(hours=24), times=(900.0,), down=3)
    hour(monitor, timedelta(days=7), times=(900.0,), down=99)
    answer = cast.viewer.get(f"/monitors/{monitor.id}/stats?period=24h").json
    assert answer is not None
    assert (answer["totalChecks"], answer["errorChecks"], answer["uptimePercentage"]) == (5, 5, 80)
    assert answer["avgResponseTime"] == 125
    assert answer["p50"] == pytest.approx(100, rel=0.26)
    assert answer["p99"] == pytest.approx(200, rel=0.26)
    week = cast.viewer.get(f"/monitors/{monitor.id}/stats?period=7d").json
    assert (week["totalChecks"], week["uptimePercentage"]) == (9, 55.5556)  # type: ignore[index]


def test_statistics_of_months_are_of_whole_days_and_todays_hours(monitor: Monitor, cast: Cast) -> None:
    hour(monitor, timedelta(0), times=(10.0,))
    day(monitor, 0, times=(10.0,), down=50)  # today's is not whole yet: its hours are asked
    day(monitor, 1, times=(10.0,), down=1)
    hour(monitor, timedelta(days=1), times=(10.0,), down=70)  # yesterday's are summed already
    day(monitor, 29, times=(10.0,))
    day(monitor, 30, times=(10.0,), down=4)
    month = cast.viewer.get(f"/monitors/{monitor.id}/stats?period=30d").json
    assert (month["totalChecks"], month["uptimePercentage"]) == (4, 75)  # type: ignore[index]
    quarter = cast.viewer.get(f"/monitors/{monitor.id}/stats?period=90d").json
    assert quarter["totalChecks"] == 9  # type: ignore[index]


def test_yesterdays_hours_count_until_they_are_summed(monitor: Monitor, cast: Cast) -> None:
    hour(monitor, timedelta(days=1), times=(10.0,), down=1)
    month = cast.viewer.get(f"/monitors/{monitor.id}/stats?period=30d").json
    assert (month["totalChecks"], month["uptimePercentage"]) == (2, 50)  # type: ignore[index]


def test_incidents_count_where_they_touch_the_period(monitor: Monitor, cast: Cast) -> None:
    for sequence, (began, ended) in enumerate([(90, 80), (50, 2), (30, None), (3, 1)]):
        db.session.add(
            Incident(
                monitor_id=monitor.id,
                failure_sequence=sequence,
                started_at=NOW - timedelta(hours=began),
                ended_at=None if ended is None else NOW - timedelta(hours=ended),
            )
        )
    db.session.commit()
    counted = {
        period: cast.viewer.get(f"/monitors/{monitor.id}/stats?period={period}").json["incidents"]  # type: ignore[index]
        for period in ("24h", "7d")
    }
    assert counted == {"24h": 3, "7d": 4}


def test_nothing_measured_is_nothing_claimed(monitor: Monitor, cast: Cast) -> None:
    answer = cast.viewer.get(f"/monitors/{monitor.id}/stats").json
    assert answer is not None
    assert (answer["uptimePercentage"], answer["p50"], answer["totalChecks"]) == (None, None, 0)
    assert cast.viewer.get(f"/monitors/{monitor.id}/stats?period=1y").status_code == 422


def test_each_location_has_its_statistics_and_its_newest_result(monitor: Monitor, cast: Cast) -> None:
    hour(monitor, timedelta(0), times=(10.0, 30.0), error=1)
    hour(monitor, timedelta(0), location="eu-central", times=(50.0,), down=1)
    day(monitor, 2, location="eu-central", times=(70.0,))
    newest = factories.a_result(monitor, location="eu-central", checked_at=NOW)
    factories.a_result(monitor, location="eu-central", checked_at=NOW - timedelta(minutes=1))
    answer = cast.viewer.get(f"/monitors/{monitor.id}/location-stats?days=30").json
    assert answer is not None
    assert answer["success"] is True
    eu, us = answer["data"]
    assert (us["location"], us["totalChecks"], us["upChecks"], us["uptimePercentage"]) == ("us-east", 2, 2, 100)
    assert (us["avgResponseTime"], us["minResponseTime"], us["maxResponseTime"], us["latest"]) == (20, 10, 30, None)
    assert (eu["location"], eu["totalChecks"], eu["upChecks"], eu["maxResponseTime"]) == ("eu-central", 3, 2, 70)
    assert eu["latest"]["id"] == str(newest.id)
    today = cast.viewer.get(f"/monitors/{monitor.id}/location-stats?days=1").json
    assert [one["totalChecks"] for one in today["data"]] == [2, 2]  # type: ignore[index]


def test_pings_of_every_kind_are_listed(cast: Cast) -> None:
    monitor = factories.a_monitor(cast.project, "heartbeat")
    for seconds, kind in enumerate(("success", "fail", "start", "log")):
        ping = HeartbeatPing(
            id=uuid4(),
            monitor_id=monitor.id,
            received_at=NOW - timedelta(seconds=seconds),
            kind=kind,
            source={"ip": "::1"},
        )
        db.session.add(ping)
    db.session.commit()
    answer = cast.viewer.get(f"/monitors/{monitor.id}/pings?limit=3").json
    assert [one["kind"] for one in answer["data"]] == ["success", "fail", "start"]  # type: ignore[index]
    assert answer["pagination"]["total"] == 4  # type: ignore[index]


def test_a_ping_that_is_a_result_shows_the_body_that_is_stored_with_it(cast: Cast) -> None:
    monitor = factories.a_monitor(cast.project, "heartbeat")
    result = factories.a_result(monitor, scheduled_for=NOW, details={"body": "42 files"})
    ping = HeartbeatPing(id=result.id, monitor_id=monitor.id, received_at=NOW, kind="success", source={})
    start = HeartbeatPing(
        id=uuid4(), monitor_id=monitor.id, received_at=NOW - timedelta(seconds=9), kind="start", source={}, body="go"
    )
    db.session.add_all([ping, start])
    db.session.commit()
    answer = cast.viewer.get(f"/monitors/{monitor.id}/pings").json
    assert [one["body"] for one in answer["data"]] == ["42 files", "go"]  # type: ignore[index]
