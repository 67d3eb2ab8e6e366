"""Deliveries that failed permanently, and their retry by a person."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from models.tables import Alert, Delivery
from web.features.alerts import service as alerts
from web.http import transaction
from web.http.auth import Caller
from web.http.errors import Problem, not_found
from web.http.extensions import db
from web.services import audit_events


def failed(project_id: UUID) -> Select[Delivery]:
    """Return the project's deliveries that failed permanently, with their alerts, newest first."""
    return (
        select(Delivery)
        .join(Delivery.alert)
        .options(joinedload(Delivery.alert))
        .where(Alert.project_id == project_id, Delivery.status == "failed")
        .order_by(Delivery.created_at.desc(), Delivery.id)
    )


def retry(caller: Caller, delivery_id: UUID) -> Delivery:
    """Retry a failed delivery under its id, with all attempts. Raise a 404 or 409 `Problem` if that is not possible."""
    query = (
        select(Delivery).join(Delivery.alert).where(Delivery.id == delivery_id, Alert.project_id == caller.project_id)
    )
    delivery = db.session.scalar(query.with_for_update(of=Delivery).execution_options(populate_existing=True))
    if delivery is None:
        raise not_found("delivery")
    if delivery.status != "failed":
        raise Problem(409, "Only a delivery that failed permanently can be retried.")
    if delivery.provider_id is None:
        raise Problem(409, "The notification provider of this delivery was deleted.")
    now = datetime.now(UTC)
    delivery.status, delivery.attempts, delivery.sent_at = "retrying", 0, None
    delivery.next_attempt_at = delivery.restarted_at = now
    delivery.claimed_until = delivery.claimed_by = None
    delivery.alert.status = "pending"
    audit_events.record(caller, "delivery.retried", "delivery", delivery.id, provider=delivery.provider_name)
    db.session.flush()
    transaction.after_commit(lambda: alerts.send_on("deliver", [[str(delivery_id)]]))
    return delivery
