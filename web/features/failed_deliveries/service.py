"""Deliveries that have failed for good: found, and tried anew by a person."""

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


def dead(project_id: UUID) -> Select[Delivery]:
    """The project's deliveries that have failed for good, with their alerts, the newest first."""
    return (
        select(Delivery)
        .join(Delivery.alert)
        .options(joinedload(Delivery.alert))
        .where(Alert.project_id == project_id, Delivery.status == "failed")
        .order_by(Delivery.created_at.desc(), Delivery.id)
    )


def retry(caller: Caller, delivery_id: UUID) -> Delivery:
    """Try a failed delivery from the beginning, under its own id. Raises a 404 or 409 `Problem`."""
    query = (
        select(Delivery).join(Delivery.alert).where(Delivery.id == delivery_id, Alert.project_id == caller.project_id)
    )
    found = db.session.scalar(query.with_for_update(of=Delivery).execution_options(populate_existing=True))
    if found is None:
        raise not_found("delivery")
    if found.status != "failed":
        raise Problem(409, "Only a delivery that has failed for good can be tried anew.")
    if found.provider_id is None:
        raise Problem(409, "Its notification provider was deleted: there is nobody left to send it to.")
    now = datetime.now(UTC)
    found.status, found.attempts, found.sent_at = "retrying", 0, None
    found.next_attempt_at = found.restarted_at = now
    found.claimed_until = found.claimed_by = None
    found.alert.status = "pending"
    audit_events.record(caller, "delivery.retried", "delivery", found.id, provider=found.provider_name)
    db.session.flush()
    transaction.after_commit(lambda: alerts.send_on("deliver", [[str(delivery_id)]]))
    return found
