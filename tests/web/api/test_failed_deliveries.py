"""Failed deliveries: listed with their errors, and retried by a user."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from dramatiq import Message

from actors import queues
from actors.alerts.deliver import deliver
from actors.broker import broker
from models.tables import Alert
from tests import factories, messages, outside
from tests.web.api.cast import Cast


@pytest.fixture
def hook() -> Iterator[outside.Hook]:
    with outside.hook() as it:
        yield it


def a_failed_delivery(cast: Cast, url: str = "http://127.0.0.1:9/", **values: Any) -> Alert:
    config = {"url": url, "method": "POST", "headers": {}}
    provider = factories.a_provider(cast.project, config=config)
    alert = factories.an_alert(factories.a_monitor(cast.project), provider, status="failed", **values)
    log = [{"at": "2030-01-31T12:00:00+00:00", "durationMs": 9.5, "outcome": "failed", "error": "It answered 404."}]
    factories.changed(alert.deliveries[0], error="It answered 404.", logged=log, attempts=9)
    return alert


def test_failed_deliveries_are_listed_with_their_reason(cast: Cast) -> None:
    alert = a_failed_delivery(cast)
    factories.an_alert(factories.a_monitor(cast.project), factories.a_provider(cast.project))
    factories.an_alert(
        factories.a_monitor(cast.other_project), factories.a_provider(cast.other_project), status="failed"
    )
    [letter] = cast.viewer.get("/failed-deliveries").json["data"]  # type: ignore[index]
    assert cast.viewer.get("/dead-letters").json["data"] == [letter], "the former path"  # type: ignore[index]
    assert letter["id"] == str(alert.deliveries[0].id)
    assert (letter["alertId"], letter["monitorId"]) == (str(alert.id), str(alert.monitor_id))
    assert (letter["error"], letter["attempts"], letter["failedAt"]) == ("It answered 404.", 9, "2030-01-31T12:00:00Z")


def test_a_retried_delivery_keeps_its_id_and_arrives(
    cast: Cast, hook: outside.Hook, connection: psycopg.Connection[Any]
) -> None:
    # Given a delivery that failed a day ago
    alert = a_failed_delivery(cast, hook.url)
    delivery = str(alert.deliveries[0].id)
    connection.execute("UPDATE deliveries SET created_at = now() - interval '2 days'")
    # When a user retries it while the service is still down
    answer = cast.editor.post(f"/deliveries/{delivery}/retry")
    assert answer.status_code == 202, answer.text
    assert (answer.json["status"], answer.json["attempts"]) == ("retrying", 0)  # type: ignore[index]
    assert [one.args[0] for one in messages.waiting(queues.DELIVERIES)] == [delivery]
    assert cast.viewer.get(f"/alerts/{alert.id}").json["status"] == "pending"  # type: ignore[index]
    hook.status = 503
    deliver.fn(delivery)
    # Then it has its whole day again
    assert connection.execute("SELECT status, attempts FROM deliveries").fetchone() == ("retrying", 1)
    hook.status = 200
    connection.execute("UPDATE deliveries SET next_attempt_at = now()")
    deliver.fn(delivery)
    assert [one["deliveryId"] for one in hook.received] == [delivery] * 2
    shown = cast.viewer.get(f"/alerts/{alert.id}").json
    assert shown["status"] == "sent"  # type: ignore[index]
    [one] = shown["deliveries"]  # type: ignore[index]
    assert [made["outcome"] for made in one["attemptLog"]] == ["failed", "retrying", "sent"]
    assert one["nextAttemptAt"] is None
    assert cast.viewer.get("/failed-deliveries").json["data"] == []  # type: ignore[index]
    audit = connection.execute("SELECT action, object_id::text FROM audit_events").fetchall()
    assert audit == [("delivery.retried", delivery)]


def test_only_a_failed_delivery_can_be_retried(cast: Cast, connection: psycopg.Connection[Any]) -> None:
    alert = a_failed_delivery(cast)
    path = f"/deliveries/{alert.deliveries[0].id}/retry"
    for status in ("pending", "retrying", "sent"):
        factories.changed(alert.deliveries[0], status=status)
        assert cast.editor.post(path).status_code == 409
    factories.changed(alert.deliveries[0], status="failed")
    connection.execute("DELETE FROM notification_providers")
    assert cast.editor.post(path).status_code == 409
    assert messages.waiting(queues.DELIVERIES) == []


def test_dead_messages_are_listed_without_what_they_hold(cast: Cast) -> None:
    sent: Message[Any] = Message(
        queue_name=queues.ALERTS, actor_name="alert", args=("a secret",), kwargs={}, options={"traceback": "a secret"}
    )
    key = f"{broker.namespace}:{queues.ALERTS}.XQ"
    died = datetime(2030, 1, 31, 12, tzinfo=UTC).timestamp() * 1000
    broker.client.zadd(key, {"one": died, "gone": died})
    broker.client.hset(f"{key}.msgs", "one", sent.encode())
    answer = cast.owner.get("/dead-messages")
    [found] = answer.json["data"]  # type: ignore[index]
    assert (found["actor"], found["queue"], found["diedAt"]) == ("alert", queues.ALERTS, "2030-01-31T12:00:00Z")
    assert "a secret" not in answer.text
    assert cast.admin.get("/dead-messages").status_code == 403
