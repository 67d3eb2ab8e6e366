"""Live streams on real sockets and a real Valkey."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from flask import Flask
from sqlalchemy import update

from models.queries.rounds import LocationResult
from models.tables import ApiKey, Monitor, Project, Role
from tests.factories import a_monitor, a_project, a_result, an_api_key
from tests.waiting import until
from tests.web.serving import an_app, served
from web.http.auth import hash_of_key
from web.http.extensions import db
from web.live import hub, queue_stats, streams
from web.live.hub import Event, Hub
from web.live.streams import Live, live_of


class Listener:
    """One open stream, as a program reads it."""

    def __init__(self, address: tuple[str, int], path: str, key: str | None, method: str = "GET") -> None:
        self._connection = http.client.HTTPConnection(*address, timeout=10)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._connection.request(method, path, headers=headers)
        self.answer = self._connection.getresponse()

    def block(self) -> str:
        """The next block of lines; empty at the stream's end."""
        lines = []
        while line := self.answer.readline().decode().rstrip("\n"):
            lines.append(line)
        return "\n".join(lines)

    def event(self, wanted: str = "status") -> Any:
        """The data of the next event of that type."""
        while block := self.block():
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if fields.get("event") == wanted:
                return json.loads(fields["data"])
        raise AssertionError("the stream ended")

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


Listen = Callable[..., Listener]


@pytest.fixture
def app(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    monkeypatch.setattr(hub, "_ROUND_SECONDS", 0.05)
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", 0.2)
    with an_app() as made:
        yield made


@pytest.fixture
def project(app: Flask) -> Project:
    return a_project()


@pytest.fixture
def monitor(project: Project) -> Monitor:
    return a_monitor(project, state={"status": "up", "last_verdict": "up"})


@pytest.fixture
def key(project: Project) -> str:
    return an_api_key(project, Role.PROJECT_VIEWER)


@pytest.fixture
def listen(app: Flask) -> Iterator[Listen]:
    opened: list[Listener] = []
    with served(app) as address:

        def begin(path: str, key: str | None, method: str = "GET") -> Listener:
            opened.append(Listener(address, path, key, method))
            return opened[-1]

        yield begin
        for one in opened:
            one.close()
        live_of(app).stop()


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as made:
        yield made


def publish(monitor: Monitor, status: str = "down") -> None:
    """What the pipeline does after a verdict."""
    from actors.verdicts import live

    now = datetime.now(UTC)
    measured = LocationResult(
        monitor.id, now, "us-east", None, status, 12.5, "UNEXPECTED_STATUS", "It answered 500.", now
    )
    live.publish([live.Event(monitor.project_id, monitor.id, status, "up", now, now, measured)])


def path(monitor_id: UUID | str) -> str:
    return f"/api/monitor-status/sse/{monitor_id}"


EVERYTHING = "/api/monitor-status/sse"
QUEUES = "/api/queue-stats/sse"
#: The same in every test process: the names of tests must be.
FOREIGN_ID = UUID("5e0c7a4e-3f0d-4b54-9a39-0d8f4e1b6a11")


def test_a_monitors_stream_begins_with_how_it_stands(listen: Listen, monitor: Monitor, key: str) -> None:
    a_result(monitor, response_time_ms=7.5)
    stream = listen(path(monitor.id), key)
    assert stream.answer.status == 200
    assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
    assert "no-cache" in stream.answer.headers["Cache-Control"]
    assert stream.block() == "retry: 3000"
    block = stream.block()
    assert block.startswith("event: status\ndata: {")
    data = json.loads(block.partition("data: ")[2])
    assert set(data) == {"monitorId", "status", "previousStatus", "lastCheckAt", "nextRunAt", "result"}
    assert (data["monitorId"], data["status"], data["previousStatus"]) == (str(monitor.id), "up", "up")
    assert data["result"]["responseTimeMs"] == 7.5


def test_a_change_reaches_the_monitors_stream_and_no_other(
    listen: Listen, project: Project, monitor: Monitor, key: str
) -> None:
    other = a_monitor(project)
    stream = listen(path(monitor.id), key)
    assert stream.event()["status"] == "up"
    publish(other)
    publish(monitor)
    received = stream.event()
    assert (received["monitorId"], received["status"], received["previousStatus"]) == (str(monitor.id), "down", "up")
    assert received["result"]["errorCode"] == "UNEXPECTED_STATUS"


def test_a_projects_stream_begins_with_a_snapshot_and_tells_every_change(
    listen: Listen, project: Project, monitor: Monitor, key: str
) -> None:
    paused = a_monitor(project, enabled=False)
    stream = listen(EVERYTHING, key)
    snapshot = stream.event("snapshot")
    assert snapshot["total"] == 2
    assert {one["monitorId"]: one["status"] for one in snapshot["monitors"]} == {
        str(monitor.id): "up",
        str(paused.id): "paused",
    }
    publish(monitor)
    publish(paused)
    assert [stream.event()["monitorId"] for _ in range(2)] == [str(monitor.id), str(paused.id)]


def test_another_projects_changes_are_not_told(listen: Listen, monitor: Monitor, key: str) -> None:
    elsewhere = a_monitor(a_project())
    other = listen(EVERYTHING, an_api_key(_project_of(elsewhere)))
    stream = listen(EVERYTHING, key)
    other.event("snapshot")
    stream.event("snapshot")
    publish(elsewhere)
    assert other.event()["monitorId"] == str(elsewhere.id)
    publish(monitor)
    assert stream.event()["monitorId"] == str(monitor.id)


def _project_of(monitor: Monitor) -> Project:
    from web.http.extensions import db

    return db.session.get_one(Project, monitor.project_id)


@pytest.mark.parametrize("name", ["uuid", "nonsense", "%00", "a/b"])
def test_a_monitor_that_is_not_there_is_a_404(listen: Listen, key: str, name: str) -> None:
    stream = listen(path(uuid4() if name == "uuid" else name), key)
    assert stream.answer.status == 404
    assert json.loads(stream.answer.read())["error"]["code"] == "NOT_FOUND"


def test_another_projects_monitor_is_a_404(listen: Listen, monitor: Monitor) -> None:
    assert listen(path(monitor.id), an_api_key(a_project())).answer.status == 404


@pytest.mark.parametrize("route", [EVERYTHING, QUEUES, EVERYTHING + "/" + str(FOREIGN_ID)])
@pytest.mark.parametrize("wrong", [None, "x" * 40])
def test_a_stranger_gets_no_stream(listen: Listen, app: Flask, route: str, wrong: str | None) -> None:
    stream = listen(route, wrong)
    assert stream.answer.status == 401
    assert json.loads(stream.answer.read())["error"]["correlationId"]
    assert len(live_of(app).hub) == 0


def test_many_streams_share_one_connection_and_leave_it_when_they_go(
    listen: Listen, app: Flask, client: "redis.Redis", monitor: Monitor, key: str
) -> None:
    from actors.verdicts import live

    channel = live.channel(monitor.project_id)
    opened = [listen(EVERYTHING, key) for _ in range(5)]
    for one in opened:
        one.event("snapshot")
    assert len(client.client_list(_type="pubsub")) == 1
    assert client.pubsub_numsub(channel) == [(channel, 1)]
    publish(monitor)
    assert {one.event()["status"] for one in opened} == {"down"}
    for one in opened:
        one.close()
    until(lambda: len(live_of(app).hub) == 0)
    until(lambda: client.client_list(_type="pubsub") == [])
    assert client.pubsub_numsub(channel) == [(channel, 0)]


def test_keep_alives_come_while_nothing_happens(listen: Listen, monitor: Monitor, key: str) -> None:
    stream = listen(path(monitor.id), key)
    stream.event()
    assert stream.block() == ": keep-alive"
    assert stream.block() == ": keep-alive"
    publish(monitor)
    assert stream.event()["status"] == "down"


def test_beyond_the_limit_a_stream_is_told_to_come_again(
    listen: Listen, app: Flask, monitor: Monitor, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_of(app).hub, "_limit", 2)
    first, second = listen(EVERYTHING, key), listen(QUEUES, key)
    first.event("snapshot")
    second.event("queues")
    third = listen(path(monitor.id), key)
    assert third.answer.status == 503
    assert int(third.answer.headers["Retry-After"]) > 0
    assert json.loads(third.answer.read())["error"]["code"] == "UNAVAILABLE"
    first.close()
    until(lambda: len(live_of(app).hub) == 1)
    assert listen(path(monitor.id), key).event()["status"] == "up"


def test_one_callers_streams_leave_room_for_others(
    listen: Listen, app: Flask, project: Project, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_of(app).hub, "_holder_limit", 2)
    first = listen(EVERYTHING, key)
    first.event("snapshot")
    listen(QUEUES, key).event("queues")
    third = listen(EVERYTHING, key)
    assert (third.answer.status, json.loads(third.answer.read())["error"]["code"]) == (503, "UNAVAILABLE")
    listen(EVERYTHING, an_api_key(project)).event("snapshot")
    first.close()
    until(lambda: len(live_of(app).hub) == 2)
    listen(EVERYTHING, key).event("snapshot")


@pytest.mark.parametrize("busy", [False, True])
def test_a_stream_ends_soon_after_its_key_is_revoked(
    listen: Listen, monitor: Monitor, project: Project, key: str, busy: bool
) -> None:
    stream, other = listen(EVERYTHING, key), listen(EVERYTHING, an_api_key(project))
    stream.event("snapshot")
    other.event("snapshot")
    db.session.execute(update(ApiKey).where(ApiKey.key_hash == hash_of_key(key)).values(revoked_at=datetime.now(UTC)))
    db.session.commit()

    def ended() -> bool:
        if busy:
            publish(monitor)
        return not stream.block()

    until(ended, what="the stream ends")
    publish(monitor)
    assert other.event()["monitorId"] == str(monitor.id)


def test_a_head_request_takes_no_place(listen: Listen, app: Flask, key: str) -> None:
    listen(EVERYTHING, key, "HEAD").answer.read()
    until(lambda: len(live_of(app).hub) == 0)


def test_streams_end_with_the_process(listen: Listen, app: Flask, monitor: Monitor, key: str) -> None:
    opened = [listen(EVERYTHING, key), listen(path(monitor.id), key), listen(QUEUES, key)]
    for one, begins in zip(opened, ("snapshot", "status", "queues"), strict=True):
        one.event(begins)
    live_of(app).stop()
    for one in opened:
        while block := one.block():
            assert block.startswith((":", "event: queues"))
    assert listen(EVERYTHING, key).answer.status == 503


def test_a_stream_does_not_outlive_a_revoked_key_for_long(
    listen: Listen, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MAX_STREAM_SECONDS", 0.1)
    stream = listen(EVERYTHING, key)
    stream.event("snapshot")
    while block := stream.block():
        assert block == ": keep-alive"


def test_when_the_connection_is_lost_streams_end_and_new_ones_begin(
    listen: Listen, client: "redis.Redis", monitor: Monitor, key: str
) -> None:
    stream = listen(path(monitor.id), key)
    stream.event()
    client.client_kill_filter(_type="pubsub")
    while block := stream.block():
        assert block == ": keep-alive"
    again = listen(path(monitor.id), key)
    again.event()
    publish(monitor)
    assert again.event()["status"] == "down"


def test_without_a_broker_there_is_no_stream(listen: Listen, app: Flask, key: str) -> None:
    nowhere = Hub("redis://127.0.0.1:1", 5)
    app.extensions["live"] = Live(nowhere, live_of(app).watch)
    stream = listen(EVERYTHING, key)
    assert stream.answer.status == 503
    assert int(stream.answer.headers["Retry-After"]) > 0
    assert "broker" in json.loads(stream.answer.read())["error"]["message"]
    assert len(nowhere) == 0


def test_what_is_not_readable_on_a_channel_is_passed_over(
    listen: Listen, client: "redis.Redis", monitor: Monitor, key: str
) -> None:
    from actors.verdicts import live

    stream = listen(path(monitor.id), key)
    stream.event()
    for nonsense in ("no json", "[1]", '{"data": {}, "unknown": 1}', '{"data": "text"}', "\x00"):
        client.publish(live.channel(monitor.project_id), nonsense)
    publish(monitor)
    assert stream.event()["status"] == "down"


def test_a_slow_reader_is_dropped_and_the_others_are_served(redis_url: str) -> None:
    one = Hub(redis_url, 5)
    slow, quick = one.open("queues"), one.open("queues")
    for number in range(hub.BACKLOG + 1):
        one.publish("queues", Event({"number": number}))
        event = quick.wait(5)
        assert event is not None
        assert event.data == {"number": number}
    assert slow.ended
    assert slow.wait(5) is None
    assert not quick.ended
    one.stop()


def test_closing_twice_gives_back_one_place(redis_url: str) -> None:
    one = Hub(redis_url, 5)
    first, _second = one.open("queues"), one.open("queues")
    one.close(first)
    one.close(first)
    assert len(one) == 1
    one.stop()


def test_the_queues_are_told_again_and_again(
    listen: Listen, client: "redis.Redis", key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_stats, "EVERY_SECONDS", 0.05)
    stream = listen(QUEUES, key)
    assert {"queue": "alerts", "depth": 0, "delayed": 0, "dead": 0, "consumers": 0, "lagSeconds": 0.0} in stream.event(
        "queues"
    )
    client.lpush("dramatiq:alerts", "a", "b")
    client.lpush("dramatiq:alerts.DQ", "c")
    client.zadd("dramatiq:alerts.XQ", {"d": 1})
    client.set("supercheck:process:worker:x", 1)
    client.set("supercheck:worker:us-east:y", 1)
    wanted = {"queue": "alerts", "depth": 2, "delayed": 1, "dead": 1, "consumers": 1, "lagSeconds": 0.0}
    while wanted not in (received := stream.event("queues")):
        pass
    assert {
        "queue": "monitor-execution.us-east",
        "depth": 0,
        "delayed": 0,
        "dead": 0,
        "consumers": 1,
        "lagSeconds": 0.0,
    } in received
    assert {
        "queue": "monitor-execution.eu-central",
        "depth": 0,
        "delayed": 0,
        "dead": 0,
        "consumers": 0,
        "lagSeconds": 0.0,
    } in received


def test_queues_are_measured_once_for_all_who_watch_and_not_at_all_without_them(
    listen: Listen, app: Flask, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_stats, "EVERY_SECONDS", 0.05)
    measured: list[int] = []

    def measure(_client: object) -> list[dict[str, int]]:
        measured.append(0)
        return [{"turn": len(measured)}]

    monkeypatch.setattr(queue_stats, "measure", measure)
    opened = [listen(QUEUES, key) for _ in range(4)]
    for one in opened:
        one.event("queues")
    complete = len(measured)
    for one in opened:
        while (turn := one.event("queues")[0]["turn"]) <= complete:
            pass
        received = [one.event("queues")[0]["turn"] for _ in range(4)]
        assert received == list(range(turn + 1, turn + 5))  # measured for each of them, they would skip
    for one in opened:
        one.close()
    until(lambda: not any(thread.name == "queue-stats" for thread in threading.enumerate()))
