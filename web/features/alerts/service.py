"""Manual alerts, and processing of pending alerts."""

from typing import Any
from uuid import UUID, uuid4

import redis
import structlog
from sqlalchemy import func, or_, select

from models.tables import Alert, Delivery
from web.features.monitors import service as monitors
from web.http import transaction
from web.http.auth import Caller
from web.http.correlation import correlation_id
from web.http.extensions import db
from web.services import audit_events

log = structlog.get_logger()
#: The most alerts or deliveries that one call processes. The next call or the sweep processes the rest.
_BATCH = 500


def notify(caller: Caller, monitor_id: UUID, status: str, message: str) -> UUID:
    """Create a manual alert and return its id. Raise a 404 `Problem` if there is no such monitor."""
    monitor = monitors.find(caller, monitor_id)
    state = monitor.state
    alert = Alert(
        id=uuid4(),
        project_id=caller.project_id,
        monitor_id=monitor.id,
        monitor_name=monitor.name,
        type=f"monitor.{status}",
        manual=True,
        reason=message or "Sent by hand.",
        correlation_id=correlation_id(),
        context={
            "status": status,
            "previousStatus": state.status,
            "errorCode": None,
            "responseTimeMs": state.last_response_time_ms,
            "checkedAt": state.last_check_at.isoformat() if state.last_check_at else None,
            "consecutiveFailureCount": 0,
            "downSince": None,
            "downForSeconds": None,
            "locations": [],
        },
    )
    db.session.add(alert)
    db.session.flush()
    audit_events.record(caller, "monitor.notified", "monitor", monitor.id, status=status)
    transaction.after_commit(lambda: send_on("alert", [[[str(alert.id)]]]))
    return alert.id


def process(caller: Caller) -> int:
    """Send the project's unplanned alerts and due deliveries to their actors. Return how many these are."""
    undecided = db.session.scalars(
        select(Alert.id)
        .where(Alert.project_id == caller.project_id, Alert.planned_at.is_(None), Alert.monitor_id.is_not(None))
        .order_by(Alert.created_at)
        .limit(_BATCH)
    ).all()
    due = db.session.scalars(
        select(Delivery.id)
        .join(Alert, Alert.id == Delivery.alert_id)
        .where(
            Alert.project_id == caller.project_id,
            Delivery.status.in_(("pending", "retrying")),
            Delivery.next_attempt_at <= func.now(),
            or_(Delivery.claimed_until.is_(None), Delivery.claimed_until <= func.now()),
        )
        .order_by(Delivery.next_attempt_at)
        .limit(_BATCH)
    ).all()
    if undecided:
        transaction.after_commit(lambda: send_on("alert", [[[str(alert_id) for alert_id in undecided]]]))
    if due:
        transaction.after_commit(lambda: send_on("deliver", [[str(delivery_id)] for delivery_id in due]))
    return len(undecided) + len(due)


def send_on(actor: str, argument_lists: list[list[Any]]) -> None:
    """Send one message to `actor` for each list of arguments. If the broker is down, the sweep finds the rows."""
    from dramatiq import Message

    from actors import queues
    from actors.broker import broker

    queue = {"alert": queues.ALERTS, "deliver": queues.DELIVERIES}[actor]
    messages: list[Message[Any]] = [
        Message(queue_name=queue, actor_name=actor, args=tuple(arguments), kwargs={}, options={})
        for arguments in argument_lists
    ]
    try:
        broker.enqueue_many(messages)
    except redis.RedisError as error:
        log.warning("alerts_wait_for_the_sweep", error=type(error).__name__)
