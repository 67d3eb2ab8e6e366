"""New monitors: what they get by default, and when they are due."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.conftest import SettingsOf
from tests.web.api.cast import Cast
from tests.web.api.monitors import HTTP, Row, made, state_of


@pytest.mark.parametrize(
    ("body", "defaults"),
    [
        (HTTP, {"method": "GET", "expectedStatusCodes": "200-299", "enableSslCheck": False, "maxRedirects": 5}),
        ({**HTTP, "type": "website"}, {"enableSslCheck": True, "sslDaysUntilExpirationWarning": 30, "verifyTls": True}),
        (
            {"name": "A", "type": "ping_host", "target": "192.0.2.7"},
            {"packetCount": 3, "packetSize": 56, "maxPacketLossPercent": 99, "ipVersion": "auto"},
        ),
        (
            {"name": "A", "type": "port_check", "target": "[2001:db8::1]", "config": {"port": 22}},
            {"port": 22, "protocol": "tcp", "timeoutSeconds": 30, "retries": 0},
        ),
        (
            {"name": "A", "type": "heartbeat"},
            {"expectedIntervalMinutes": 60, "gracePeriodMinutes": 10, "requireApiKey": False},
        ),
    ],
    ids=["http_request", "website", "ping_host", "port_check", "heartbeat"],
)
def test_a_monitor_shows_the_defaults_of_its_type(body: Row, defaults: Row, cast: Cast) -> None:
    answer = cast.editor.post("/monitors", body)
    assert answer.status_code == 201, answer.text
    config = answer.json["config"]  # type: ignore[index]
    assert {key: config[key] for key in defaults} == defaults
    assert config["timeoutSeconds"] == 30
    assert ("locationConfig" in config) == (body["type"] != "heartbeat")


@pytest.mark.parametrize(("alias", "full"), [("http", "http_request"), ("ping", "ping_host"), ("port", "port_check")])
def test_short_words_for_types_are_understood(alias: str, full: str, cast: Cast) -> None:
    target = HTTP["target"] if alias == "http" else "192.0.2.7"
    config = {"port": 22} if alias == "port" else {}
    answer = cast.editor.post("/monitors", {"name": "A", "type": alias, "target": target, "config": config})
    assert answer.json["type"] == full  # type: ignore[index]


def test_a_new_monitor_is_due_at_once(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    monitor = made(cast)
    assert monitor["status"] == "pending"
    assert monitor["scheduledJobId"] == f"monitor:{monitor['id']}"
    due = state_of(connection, monitor["id"])["next_run_at"]
    assert abs(due - datetime.now(UTC)) < timedelta(seconds=20)


def test_a_paused_monitor_is_not_scheduled(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    monitor = made(cast, enabled=False)
    assert (monitor["status"], monitor["nextRunAt"], monitor["scheduledJobId"]) == ("paused", None, None)
    assert state_of(connection, monitor["id"])["next_run_at"] is None


def test_a_heartbeat_is_due_after_interval_and_grace(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    config = {"expectedIntervalMinutes": 1.5, "gracePeriodMinutes": 0.5}
    monitor = cast.editor.post(
        "/monitors", {"name": "A", "type": "heartbeat", "frequencyMinutes": 999, "config": config}
    ).json
    assert monitor["frequencyMinutes"] == 2  # type: ignore[index]
    due = state_of(connection, monitor["id"])["next_run_at"]  # type: ignore[index]
    assert abs(due - datetime.now(UTC) - timedelta(minutes=2)) < timedelta(seconds=20)


def test_a_heartbeats_url_is_the_secret_and_only_editors_see_it(
    cast: Cast, connection: psycopg.Connection[Any]
) -> None:
    monitor = cast.editor.post("/monitors", {"name": "A", "type": "heartbeat"}).json
    token = monitor["heartbeatUrl"].rpartition("/")[2]  # type: ignore[index]
    assert len(token) >= 32
    stored = connection.execute("SELECT heartbeat_token_hash FROM monitors").fetchone()
    assert stored == (hashlib.sha256(token.encode()).digest(),)
    path = f"/monitors/{monitor['id']}"  # type: ignore[index]
    assert cast.editor.get(path).json["heartbeatUrl"] == monitor["heartbeatUrl"]  # type: ignore[index]
    assert cast.editor.get("/monitors").json["data"][0]["heartbeatUrl"]  # type: ignore[index]
    for answer in (cast.viewer.get(path), cast.viewer.get("/monitors")):
        assert token not in answer.text
        assert "heartbeatUrl" not in answer.text


def test_a_cron_expression_replaces_the_interval(cast: Cast) -> None:
    monitor = made(cast, frequencyMinutes=5, cronExpression="*/10 8-18 * * MON-FRI", timezone="Europe/Berlin")
    assert (monitor["frequencyMinutes"], monitor["timezone"]) == (None, "Europe/Berlin")
    changed = cast.editor.patch(f"/monitors/{monitor['id']}", {"frequencyMinutes": 2}).json
    assert (changed["frequencyMinutes"], changed["cronExpression"]) == (2, None)  # type: ignore[index]


def test_a_former_name_of_a_time_zone_becomes_its_present_one(cast: Cast) -> None:
    assert made(cast, timezone="Asia/Calcutta")["timezone"] == "Asia/Kolkata"
    config = {"cronExpression": "0 3 * * *", "timezone": "US/Eastern"}
    heartbeat = made(cast, type="heartbeat", target="", config=config)
    assert (heartbeat["timezone"], heartbeat["config"]["timezone"]) == ("America/New_York",) * 2
    window = {"durationMinutes": 5, "cronExpression": "0 3 * * *", "timezone": "Europe/Kiev"}
    assert cast.editor.post("/maintenance-windows", window).json["timezone"] == "Europe/Kyiv"  # type: ignore[index]


@pytest.mark.parametrize("host", ["straße.test", "☕.test", "api.test.", "日本語。ＪＰ"])
def test_a_name_beyond_ascii_and_a_final_dot_are_kept_as_typed(host: str, cast: Cast) -> None:
    assert made(cast, target=f"https://{host}/")["target"] == f"https://{host}/"
    assert made(cast, type="ping_host", target=host, name="Host")["target"] == host


def test_fractions_of_a_minute_are_valid_where_the_operator_allows_them(cast: Cast, settings_of: SettingsOf) -> None:
    assert cast.editor.post("/monitors", {**HTTP, "frequencyMinutes": 0.1}).status_code == 422
    settings_of(min_check_interval_seconds=5)
    assert made(cast, frequencyMinutes=0.1)["frequencyMinutes"] == 0.1


def test_a_location_config_at_the_top_is_put_where_it_belongs(cast: Cast) -> None:
    wanted = {"enabled": True, "locations": ["eu-central"], "threshold": 100, "strategy": "all"}
    assert made(cast, locationConfig=wanted)["config"]["locationConfig"] == wanted


def test_a_name_that_does_not_resolve_is_accepted(cast: Cast) -> None:
    assert made(cast, target="https://no-such-host.invalid/")["target"] == "https://no-such-host.invalid/"
