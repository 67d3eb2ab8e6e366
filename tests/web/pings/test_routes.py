"""Heartbeat routes, from the request to the rows."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from psycopg.rows import dict_row
from redis.backoff import NoBackoff
from redis.retry import Retry

from models.queries import pings
from models.rules import histogram
from tests.conftest import SettingsOf
from tests.factories import a_monitor, a_project, an_api_key
from tests.waiting import until
from tests.web.serving import an_app

TOKEN = "a-token-of-a-heartbeat-that-is-long-enough"
URL = f"/api/heartbeat/{TOKEN}"
ROUND = {"status": "up", "last_verdict": "up"}
MESSAGES = "dramatiq:heartbeat-ping-notification.msgs"


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    with an_app() as made:
        yield made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def rows(connection: psycopg.Connection[Any]) -> "Rows":
    return Rows(connection)


class Rows:
    """What a ping left behind."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def _all(self, query: str) -> list[dict[str, Any]]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query).fetchall()

    @property
    def pings(self) -> list[dict[str, Any]]:
        return self._all("SELECT * FROM heartbeat_pings ORDER BY received_at")

    @property
    def results(self) -> list[dict[str, Any]]:
        return self._all("SELECT * FROM monitor_results ORDER BY scheduled_for")

    @property
    def rollups(self) -> list[dict[str, Any]]:
        return self._all("SELECT * FROM monitor_rollups_hourly")

    @property
    def state(self) -> dict[str, Any]:
        return self._all("SELECT * FROM monitor_states")[0]


@pytest.fixture
def messages(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as made:
        yield made


def settled() -> dict[str, Any]:
    """The state of a heartbeat that is up, with every ping decided."""
    earlier = datetime.now(UTC) - timedelta(minutes=10)
    return {**ROUND, "decided_for": earlier, "last_ping_at": earlier}


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_a_ping_is_answered_ok_in_plain_text(client: FlaskClient, rows: Rows, method: str) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    answer = client.open(URL, method=method)
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert answer.data == (b"" if method == "HEAD" else b"OK")
    assert [(ping["kind"], ping["source"]["method"]) for ping in rows.pings] == [("success", method)]


@pytest.mark.parametrize(
    ("suffix", "kind", "exit_code", "status"),
    [
        ("", "success", None, "up"),
        ("/pass", "success", None, "up"),
        ("/0", "success", 0, "up"),
        ("/fail", "fail", None, "down"),
        ("/1", "fail", 1, "down"),
        ("/255", "fail", 255, "down"),
        ("/start", "start", None, None),
        ("/log", "log", None, None),
    ],
)
def test_every_suffix_is_a_ping_and_ends_are_results(
    client: FlaskClient, rows: Rows, suffix: str, kind: str, exit_code: int | None, status: str | None
) -> None:
    monitor = a_monitor(type="heartbeat", token=TOKEN)
    assert client.get(URL + suffix).data == b"OK"
    (ping,) = rows.pings
    assert (ping["kind"], ping["exit_code"], ping["monitor_id"]) == (kind, exit_code, monitor.id)
    if status is None:
        assert rows.results == []
        return
    (result,) = rows.results
    assert result["id"] == ping["id"]
    assert result["status"] == status
    assert result["location"] is None
    assert result["expected_locations"] == []
    assert result["scheduled_for"] == result["checked_at"] == ping["received_at"]
    assert result["details"].get("exitCode") == exit_code
    assert result["error_code"] == (None if status == "up" else "HEARTBEAT_FAILED")


@pytest.mark.parametrize(
    "path",
    [
        "another-token-that-no-monitor-has",
        "short",
        "",
        TOKEN + "/256",
        TOKEN + "/-1",
        TOKEN + "/01",
        TOKEN + "/\u0661",
        TOKEN + "/succeed",
        TOKEN + "/fail/again",
        TOKEN + "/",
        TOKEN + "%0A",
        "x" * 2000,
    ],
)
def test_anything_else_is_not_found_in_plain_text(client: FlaskClient, rows: Rows, path: str) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    answer = client.get("/api/heartbeat/" + path)
    assert (answer.status_code, answer.data) == (404, b"not found")
    assert answer.mimetype == "text/plain"
    assert rows.pings == []


def test_other_methods_get_the_error_shape(client: FlaskClient) -> None:
    answer = client.put(URL)
    assert answer.status_code == 405
    assert answer.get_json()["error"]["code"] == "METHOD_NOT_ALLOWED"
    assert {"GET", "POST", "HEAD"} <= set(answer.headers["Allow"].split(", "))


def test_a_body_is_kept_up_to_ten_kilobytes_and_never_refused(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    assert client.post(URL + "/fail", data="é" * 2_000_000).status_code == 200
    assert rows.results[0]["details"]["body"] == "é" * 5000


def test_of_a_long_body_the_beginning_and_the_end_are_stored(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    begin, end = "begin " * 1333, " end" * 500
    client.post(URL + "/fail", data=begin + "x" * 100_000 + end)
    stored = rows.results[0]["details"]["body"]
    assert len(stored) == 10_000
    assert stored.startswith(begin)
    assert stored.endswith("x" + end) or stored.endswith(end)


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_characters_that_are_cut_at_either_side_of_the_gap_are_left_out(
    client: FlaskClient, rows: Rows, cut: int
) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    client.post(URL + "/fail", data="x" * cut + "\U0001f600" * 5000)
    stored = rows.results[0]["details"]["body"]
    assert set(stored.lstrip("x")) == {"\U0001f600"}
    assert 9_990 <= len(stored.encode()) <= 10_000


@pytest.mark.parametrize("cron", [None, "0 3 * * *"])
@pytest.mark.parametrize("before", [9_995, 50_000, 999_988])
def test_the_expected_keyword_is_found_in_all_that_is_read(
    client: FlaskClient, rows: Rows, before: int, cron: str | None
) -> None:
    a_monitor(type="heartbeat", token=TOKEN, config={"expectKeyword": "all copied", "cronExpression": cron})
    assert client.post(URL, data="x" * before + "\nall copied\n").data == b"OK"
    assert client.post(URL, data="x" * before).data == b"OK"
    assert client.post(URL, data="x" * 1_000_000 + "all copied").data == b"OK"
    assert [ping["kind"] for ping in rows.pings] == ["success", "fail", "fail"]
    assert [result["status"] for result in rows.results] == ["up", "down", "down"]


@pytest.mark.parametrize(
    ("codec", "content_type"),
    [
        ("utf-8", "text/plain"),
        # A log that PowerShell wrote, and a text that it sends
        ("utf-16", "application/x-www-form-urlencoded"),
        ("cp1252", "text/plain"),
        ("iso-8859-2", "text/plain; charset=ISO-8859-2"),
        ("utf-16-be", "text/plain; charset=utf-16be"),
    ],
)
@pytest.mark.parametrize("before", [0, 20_000])
def test_the_expected_keyword_is_found_in_any_charset(
    client: FlaskClient, rows: Rows, codec: str, content_type: str, before: int
) -> None:
    a_monitor(type="heartbeat", token=TOKEN, config={"expectKeyword": "Größe geprüft"})
    client.post(URL, data=("x" * before + "Größe geprüft").encode(codec), content_type=content_type)
    assert [result["status"] for result in rows.results] == ["up"]
    assert rows.results[0]["details"]["body"].endswith("Größe geprüft")


def test_a_body_is_stored_once(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    for suffix in ("", "/3", "/start", "/log"):
        client.post(URL + suffix, data="a line")
    assert [ping["body"] for ping in rows.pings] == [None, None, "a line", "a line"]
    assert [result["details"]["body"] for result in rows.results] == ["a line"] * 2


def test_a_ping_of_a_paused_heartbeat_keeps_its_body(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN, enabled=False)
    client.post(URL, data="a line")
    assert [ping["body"] for ping in rows.pings] == ["a line"]


def test_bodies_beyond_what_a_token_may_store_a_minute_are_judged_and_not_stored(
    client: FlaskClient, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actors.runtime import telemetry
    from web.pings import limits as ping_limits

    monkeypatch.setattr(ping_limits, "STORED_BYTES_PER_MINUTE", 100)
    monkeypatch.setattr(ping_limits.time, "time", lambda: 6_000.0)
    a_monitor(type="heartbeat", token=TOKEN, config={"expectKeyword": "done"})
    before = telemetry.PING_BODIES_OMITTED._value.get()
    assert client.post(URL, data="done" + "x" * 90).data == b"OK"
    assert client.post(URL, data="done" + "y" * 90).data == b"OK"
    assert client.post(URL, data="z" * 90).data == b"OK"
    assert [result["status"] for result in rows.results] == ["up", "up", "down"]
    assert ["body" in result["details"] for result in rows.results] == [True, False, False]
    assert telemetry.PING_BODIES_OMITTED._value.get() == before + 2
    # The next minute has room again
    monkeypatch.setattr(ping_limits.time, "time", lambda: 6_060.0)
    client.post(URL, data="done" + "x" * 90)
    assert "body" in rows.results[-1]["details"]


def test_a_token_may_ping_so_often_a_minute_and_others_are_not_held_up(
    database_url: str, settings_of: SettingsOf, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    from web.pings import limits as ping_limits

    monkeypatch.setattr(ping_limits.time, "time", lambda: 6_030.0)
    with an_app(settings_of(api_rate_limit_per_minute=2)) as app:
        a_monitor(type="heartbeat", token=TOKEN)
        a_monitor(type="heartbeat", token="the-token-of-another-heartbeat")
        client = app.test_client()
        answers = [client.get(URL) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert answers[2].headers["Retry-After"] == "30"
        assert client.get("/api/heartbeat/the-token-of-another-heartbeat").data == b"OK"
        monkeypatch.setattr(ping_limits.time, "time", lambda: 6_060.0)
        assert client.get(URL).data == b"OK"
    assert len(rows.pings) == 4


def test_the_end_of_one_run_leaves_the_time_limit_of_the_others(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN, config={"maxRunMinutes": 5})
    first, second = uuid4(), uuid4()
    client.get(f"{URL}/start?rid={first}")
    client.get(f"{URL}/start?rid={second}")
    must_end = rows.pings[0]["received_at"] + timedelta(minutes=5)
    client.get(f"{URL}?rid={second}")
    assert rows.state["next_run_at"] == must_end
    client.get(f"{URL}?rid={first}")
    assert rows.state["next_run_at"] == rows.pings[-1]["received_at"] + timedelta(minutes=70)


def test_a_character_cut_in_two_is_left_out(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    client.post(URL + "/log", data="x" + "é" * 5000)
    assert rows.pings[0]["body"] == "x" + "é" * 4999


def test_bytes_that_are_no_text_in_utf_8_are_kept_as_windows_1252_or_replaced(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    assert client.post(URL + "/fail", data=b"disk\0full\xff").status_code == 200
    assert rows.results[0]["details"]["body"] == "disk\ufffdfullÿ"


def test_a_failure_says_why_with_the_first_line_of_the_body(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    client.post(URL + "/3", data="\n\n  no space left on \x1b[31mdevice\nand more")
    assert rows.results[0]["error_message"] == "The job ended with exit code 3: no space left on  [31mdevice"


def test_the_source_of_a_ping_is_on_record(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    client.get(URL, headers={"User-Agent": "curl/8\x07" + "x" * 500, "Origin": "https://jobs.example.test"})
    source = rows.results[0]["details"]["source"]
    assert source == rows.pings[0]["source"]
    assert source["ip"] == "127.0.0.1"
    assert source["origin"] == "https://jobs.example.test"
    assert source["userAgent"].startswith("curl/8 xxx")
    assert len(source["userAgent"]) == 200


def test_the_source_behind_a_trusted_proxy_is_the_client(
    database_url: str, settings_of: SettingsOf, rows: Rows
) -> None:
    with an_app(settings_of(trusted_proxies=1)) as app:
        a_monitor(type="heartbeat", token=TOKEN)
        app.test_client().get(URL, headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.7"})
    assert rows.pings[0]["source"]["ip"] == "203.0.113.7"


def test_a_start_gives_the_next_end_its_duration(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    client.get(URL + "/start")
    assert rows.state["run_started_at"] == rows.pings[0]["received_at"]
    client.get(URL)
    client.get(URL)
    started, ended, _ = rows.pings
    expected = (ended["received_at"] - started["received_at"]).total_seconds() * 1000
    assert ended["duration_ms"] == pytest.approx(expected, abs=0.01)
    assert [result["response_time_ms"] for result in rows.results] == [pytest.approx(expected, rel=1e-3), None]
    assert rows.state["run_started_at"] is None


def test_overlapping_runs_are_paired_by_their_id(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    first, second = uuid4(), uuid4()
    client.get(f"{URL}/start?rid={first}")
    client.get(f"{URL}/start?rid={second}")
    client.get(f"{URL}/log?rid={first}")
    client.get(f"{URL}?rid={first}")
    client.get(f"{URL}/fail?rid={second}")
    client.get(f"{URL}?rid={second}")
    one, two, _, one_ended, two_ended, again = rows.pings
    for start, end in ((one, one_ended), (two, two_ended)):
        expected = (end["received_at"] - start["received_at"]).total_seconds() * 1000
        assert end["duration_ms"] == pytest.approx(expected, abs=0.01)
        assert end["run_id"] == start["run_id"]
    assert again["duration_ms"] is None
    assert rows.state["run_started_at"] is None


@pytest.mark.parametrize("rid", ["nonsense", "", "%00", "1" * 5000])
def test_an_unreadable_run_id_does_not_lose_the_ping(client: FlaskClient, rows: Rows, rid: str) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    assert client.get(f"{URL}?rid={rid}&x=&x=").data == b"OK"
    assert rows.pings[0]["run_id"] is None


@pytest.mark.parametrize("suffix", ["", "/fail", "/7"])
def test_success_and_failure_restart_the_deadline(client: FlaskClient, rows: Rows, suffix: str) -> None:
    a_monitor(type="heartbeat", token=TOKEN, config={"expectedIntervalMinutes": 1.5, "gracePeriodMinutes": 0.25})
    client.get(URL + suffix)
    (ping,) = rows.pings
    assert rows.state["next_run_at"] == ping["received_at"] + timedelta(seconds=105)
    assert rows.state["last_ping_at"] == rows.state["last_check_at"] == ping["received_at"]


@pytest.mark.parametrize("suffix", ["/start", "/log"])
def test_start_and_log_leave_the_deadline_alone(client: FlaskClient, rows: Rows, suffix: str) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    before = rows.state
    client.get(URL + suffix)
    assert rows.state | {"run_started_at": None} == before


def test_a_start_may_have_to_end_before_the_deadline(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN, config={"maxRunMinutes": 5})
    client.get(URL + "/start")
    assert rows.state["next_run_at"] == rows.pings[0]["received_at"] + timedelta(minutes=5)
    client.get(URL)
    assert rows.state["next_run_at"] == rows.pings[1]["received_at"] + timedelta(minutes=70)


def test_a_cron_heartbeat_is_due_after_its_next_slot(client: FlaskClient, rows: Rows) -> None:
    a_monitor(
        type="heartbeat",
        token=TOKEN,
        cron_expression="0 3 * * *",
        config={"cronExpression": "0 3 * * *", "timezone": "Asia/Kolkata", "gracePeriodMinutes": 20},
    )
    client.get(URL)
    received = rows.pings[0]["received_at"]
    due = rows.state["next_run_at"]
    assert (due.hour, due.minute, due.second) == (21, 50, 0)
    assert timedelta() < due - received <= timedelta(days=1, minutes=20)
    assert len(rows.results) == 1


def test_a_paused_heartbeat_records_the_ping_and_changes_nothing(
    client: FlaskClient, rows: Rows, messages: "redis.Redis"
) -> None:
    a_monitor(type="heartbeat", token=TOKEN, enabled=False)
    before = rows.state
    for suffix in ("", "/fail", "/start"):
        assert client.get(URL + suffix).data == b"OK"
    assert [ping["kind"] for ping in rows.pings] == ["success", "fail", "start"]
    assert rows.state == before
    assert rows.results == rows.rollups == []
    assert messages.hlen(MESSAGES) == 0


def test_a_success_of_a_settled_heartbeat_is_decided_at_once(
    client: FlaskClient, rows: Rows, messages: "redis.Redis"
) -> None:
    a_monitor(type="heartbeat", token=TOKEN, state=settled())
    client.get(URL)
    client.get(URL)
    assert messages.hlen(MESSAGES) == 0
    assert rows.state["decided_for"] == rows.pings[1]["received_at"]


@pytest.mark.parametrize(
    "change",
    [
        {"status": "pending", "last_verdict": None, "decided_for": None, "last_ping_at": None},
        {"status": "down", "last_verdict": "down", "consecutive_failures": 1},
        {"last_verdict": "error"},
        {"consecutive_failures": 1},
        {"open_scheduled_for": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
)
def test_a_success_that_may_change_the_status_is_handed_on(
    client: FlaskClient, rows: Rows, messages: "redis.Redis", change: dict[str, Any]
) -> None:
    monitor = a_monitor(type="heartbeat", token=TOKEN, state={**settled(), **change})
    before = rows.state["decided_for"]
    answer = client.get(URL)
    (sent,) = (json.loads(text) for text in messages.hvals(MESSAGES))
    assert sent["actor_name"] == "heartbeat_ping"
    assert sent["args"][0] == str(monitor.id)
    assert datetime.fromisoformat(sent["args"][1]) == rows.pings[0]["received_at"]
    assert sent["options"]["correlation_id"] == answer.headers["X-Correlation-ID"]
    assert TOKEN not in json.dumps(sent)
    assert rows.state["decided_for"] == before


def test_a_failure_is_handed_on_and_so_is_every_success_until_it_is_decided(
    client: FlaskClient, rows: Rows, messages: "redis.Redis"
) -> None:
    a_monitor(type="heartbeat", token=TOKEN, state=settled())
    before = rows.state["decided_for"]
    client.get(URL + "/fail")
    client.get(URL)
    assert messages.hlen(MESSAGES) == 2
    assert rows.state["decided_for"] == before


def test_a_heartbeat_may_want_an_api_key_of_its_project(client: FlaskClient, rows: Rows) -> None:
    monitor = a_monitor(type="heartbeat", token=TOKEN, config={"requireApiKey": True})
    project = monitor.project_id
    foreign = an_api_key(a_project())
    mine = an_api_key(_project(project))
    revoked = an_api_key(_project(project), revoked_at=datetime.now(UTC))
    expired = an_api_key(_project(project), expires_at=datetime.now(UTC) - timedelta(seconds=1))
    for wrong in (None, foreign, revoked, expired, "nonsense"):
        headers = {"Authorization": f"Bearer {wrong}"} if wrong else {}
        for suffix in ("", "/start"):
            assert client.get(URL + suffix, headers=headers).status_code == 401
    assert rows.pings == rows.results == []
    assert rows.state["last_ping_at"] is None
    assert client.get(URL, headers={"Authorization": f"Bearer {mine}"}).data == b"OK"
    assert len(rows.results) == 1


def _project(project_id: Any) -> Any:
    from models.tables import Project
    from web.http.extensions import db

    return db.session.get(Project, project_id)


def test_a_success_without_the_expected_keyword_is_a_failure(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN, config={"expectKeyword": "backup complete"})
    client.post(URL, data="42 files, backup complete.")
    client.post(URL, data="backup incomplete")
    client.get(URL)
    assert [result["status"] for result in rows.results] == ["up", "down", "down"]
    assert [ping["kind"] for ping in rows.pings] == ["success", "fail", "fail"]
    assert {result["error_code"] for result in rows.results[1:]} == {"KEYWORD_MISSING"}


def test_the_hour_is_summed_as_checks_are(client: FlaskClient, rows: Rows) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    for suffix in ("/start", "", "/start", "/fail", ""):
        client.get(URL + suffix)
    (rollup,) = rows.rollups
    duration = rows.pings[1]["duration_ms"]
    assert (rollup["up"], rollup["down"], rollup["error"], rollup["location"]) == (2, 1, 0, "")
    assert (rollup["response_count"], rollup["response_sum"]) == (1, pytest.approx(duration))
    assert rollup["histogram"].index(1) == histogram.bucket(duration)
    assert sum(rollup["histogram"]) == 1


def test_connections_that_died_are_replaced_without_losing_a_ping(
    client: FlaskClient, rows: Rows, connection: psycopg.Connection[Any]
) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    client.get(URL)
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database()"
    )
    assert client.get(URL).data == b"OK"
    assert len(rows.pings) == 2


def test_a_database_that_is_away_is_a_503_soon(database_url: str, settings_of: SettingsOf) -> None:
    with an_app(settings_of(database_url="postgresql://nobody@127.0.0.1:1/none")) as app:
        began = time.monotonic()
        answer = app.test_client().get(URL)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert time.monotonic() - began < 8


def test_a_broker_that_is_away_costs_no_ping(
    client: FlaskClient, rows: Rows, messages: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    from actors.broker import broker

    a_monitor(type="heartbeat", token=TOKEN)
    nowhere = redis.Redis(port=1, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(broker, "client", nowhere)
    for script in broker.scripts.values():
        monkeypatch.setattr(script, "registered_client", nowhere)
    assert client.get(URL + "/fail").data == b"OK"
    assert [result["status"] for result in rows.results] == ["down"]
    assert messages.hlen(MESSAGES) == 0


def test_no_session_and_no_cookie_take_part(client: FlaskClient) -> None:
    a_monitor(type="heartbeat", token=TOKEN)
    answer = client.post(URL, data="x", headers={"Cookie": "supercheck_session=forged", "Content-Type": "text/xml"})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers


def test_the_statements_are_short_enough_to_be_remembered() -> None:
    # psycopg parses longer ones at every call, which costs more than all the rest of it.
    assert max(len(pings._END), len(pings._NOTE)) <= 4096


@pytest.mark.parametrize("suffix", ["", "/start", "/log"])
def test_a_ping_that_the_pipeline_does_not_hear_of_is_told_to_open_pages(
    client: FlaskClient, messages: "redis.Redis", suffix: str
) -> None:
    monitor = a_monitor(type="heartbeat", token=TOKEN, state=settled())
    with messages.pubsub() as listening:
        listening.subscribe(f"live:{monitor.project_id}")
        listening.get_message(timeout=5)
        assert client.get(URL + suffix).data == b"OK"
        message = until(lambda: listening.get_message(ignore_subscribe_messages=True, timeout=0.1))
    data = json.loads(message["data"])["data"]
    assert (data["monitorId"], data["status"], data["previousStatus"]) == (str(monitor.id), "up", "up")
    assert data["nextRunAt"].endswith("Z")
    assert (data["result"] or {}).get("status") == (None if suffix else "up")
    assert messages.hlen(MESSAGES) == 0
