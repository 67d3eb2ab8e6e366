"""The alert history, alerts by hand, and alerts that got stuck."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from dramatiq import Message

from actors import queues
from actors.broker import broker
from tests import factories
from tests.web.api.cast import Cast


def messages(queue: str) -> list[Message[Any]]:
    """What waits in the queue."""
    raw = broker.client.hvals(f"{broker.namespace}:{queue}.msgs")
    return [Message.decode(one) for one in raw]  # type: ignore[arg-type]


def test_the_history_tells_every_deliverys_state(cast: Cast) -> None:
    monitor, provider = factories.a_monitor(cast.project), factories.a_provider(cast.project)
    alert = factories.an_alert(monitor, provider)
    alert.deliveries[0].status = "retrying"
    alert.deliveries[0].error = "The service answered 500."
    factories.an_alert(monitor, alert_number=2, status="suppressed", suppressed_because="mute: for a while")
    factories.an_alert(factories.a_monitor(cast.other_project))
    suppressed, sent_alert = cast.viewer.get("/alerts").json["data"]  # type: ignore[index]
    assert (suppressed["status"], suppressed["suppressedBecause"]) == ("suppressed", "mute: for a while")
    assert sent_alert["monitorId"] == str(monitor.id)
    [delivery] = sent_alert["deliveries"]
    assert (delivery["status"], delivery["attempts"], delivery["error"]) == ("retrying", 1, "The service answered 500.")
    assert (delivery["providerId"], delivery["type"]) == (str(provider.id), "webhook")


def test_the_history_is_filtered(cast: Cast) -> None:
    one, other = factories.a_monitor(cast.project), factories.a_monitor(cast.project)
    factories.an_alert(one)
    factories.an_alert(one, type="monitor.up", alert_number=None, status="failed")
    factories.an_alert(other)
    for query, count in {
        "": 3,
        f"?monitorId={one.id}": 2,
        "?type=monitor.up": 1,
        "?status=failed": 1,
        f"?monitorId={other.id}&status=failed": 0,
    }.items():
        assert cast.viewer.get(f"/alerts{query}").json["pagination"]["total"] == count, query  # type: ignore[index]
    for wrong in ("monitorId=nonsense", "type=monitor.sideways", "status=lost"):
        assert cast.viewer.get(f"/alerts?{wrong}").status_code == 422


@pytest.mark.parametrize("status", ["up", "down"])
def test_an_alert_by_hand_is_written_and_handed_on(
    status: str, cast: Cast, connection: psycopg.Connection[Any]
) -> None:
    monitor = factories.a_monitor(cast.project)
    answer = cast.editor.post(
        f"/monitors/{monitor.id}/notify",
        {"status": status, "message": "Moving house"},
        headers={"X-Correlation-ID": "by-hand-1"},
    )
    assert answer.status_code == 202
    alert_id = answer.json["alertId"]  # type: ignore[index]
    row = connection.execute("SELECT id::text, type, manual, reason, correlation_id FROM alerts").fetchone()
    assert row == (alert_id, f"monitor.{status}", True, "Moving house", "by-hand-1")
    [message] = messages(queues.ALERTS)
    assert (message.actor_name, list(message.args), message.options["correlation_id"]) == (
        "alert",
        [[alert_id]],
        "by-hand-1",
    )
    assert cast.editor.post(f"/monitors/{monitor.id}/notify", {"status": "sideways"}).status_code == 422


def test_stuck_alerts_are_driven_on_and_others_left_alone(cast: Cast) -> None:
    monitor, provider = factories.a_monitor(cast.project), factories.a_provider(cast.project)
    undecided = factories.an_alert(monitor, status="pending")
    now = datetime.now(UTC)
    ids = []
    deliveries: list[dict[str, Any]] = [
        {"status": "pending"},
        {"status": "retrying", "next_attempt_at": now - timedelta(seconds=1)},
        {"status": "retrying", "next_attempt_at": now + timedelta(hours=1)},
        {"status": "pending", "claimed_until": now + timedelta(minutes=1)},
        {"status": "sent"},
    ]
    for number, values in enumerate(deliveries):
        alert = factories.an_alert(monitor, provider, alert_number=number + 2, planned_at=now)
        ids.append(str(alert.deliveries[0].id))
        factories.changed(alert.deliveries[0], **values)
    factories.an_alert(factories.a_monitor(cast.other_project), status="pending")
    assert cast.editor.post("/alerts/process").json == {"processed": 3}
    assert [list(one.args) for one in messages(queues.ALERTS)] == [[[str(undecided.id)]]]
    assert {one.args[0] for one in messages(queues.DELIVERIES)} == set(ids[:2])


def test_alerts_are_filtered_by_words_provider_time_and_failed_deliveries(cast: Cast) -> None:
    monitor = factories.a_monitor(cast.project, name="Shop")
    provider = factories.a_provider(cast.project)
    at = datetime(2030, 1, 31, 12, tzinfo=UTC)
    factories.an_alert(monitor, provider, status="failed", created_at=at, reason="First")
    factories.an_alert(monitor, created_at=at + timedelta(days=1), alert_number=2, reason="Second")
    expected = {
        "q=first": ["First"],
        "q=shop": ["Second", "First"],
        f"providerId={provider.id}": ["First"],
        "undelivered=true": ["First"],
        "from=2030-02-01T00:00:00Z": ["Second"],
        "to=2030-02-01T00:00:00Z": ["First"],
    }
    for query, reasons in expected.items():
        data = cast.viewer.get(f"/alerts?{query}").json["data"]  # type: ignore[index]
        assert [one["reason"] for one in data] == reasons, query
