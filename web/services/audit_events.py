"""The audit trail: who did what to which object. An event is written in the transaction of its change."""

from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy import select

from models.tables import AuditEvent, Member
from web.http.auth import Caller
from web.http.correlation import correlation_id
from web.http.extensions import db


def record(caller: Caller, action: str, object_type: str, object_id: UUID | None, **details: Any) -> None:
    """Add one event, such as `monitor.created`. `details` are JSON types and contain no secret."""
    _add(caller, caller.project_id, action, object_type, object_id, details)


def record_for_organization(
    caller: Caller, action: str, object_type: str, object_id: UUID | None, **details: Any
) -> None:
    """Like `record`, for the whole organisation: the event stays after the project was deleted."""
    _add(caller, None, action, object_type, object_id, details)


def _add(
    caller: Caller, project_id: UUID | None, action: str, object_type: str, object_id: UUID | None, details: Any
) -> None:
    db.session.add(
        AuditEvent(
            organization_id=caller.organization_id,
            project_id=project_id,
            user_id=caller.user_id,
            api_key_id=caller.api_key_id,
            action=action,
            object_type=object_type,
            object_id=object_id,
            details=details,
            ip=request.remote_addr,
            correlation_id=correlation_id(),
        )
    )


def record_for_account(user_id: UUID, action: str, *, actor: UUID | None, **details: Any) -> None:
    """Add one event about a person's account to the audit trail of each of their organisations."""
    organizations = select(Member.organization_id).where(Member.user_id == user_id).distinct()
    for organization_id in db.session.scalars(organizations):
        db.session.add(
            AuditEvent(
                organization_id=organization_id,
                user_id=actor,
                action=action,
                object_type="user",
                object_id=user_id,
                details=details,
                ip=request.remote_addr,
                correlation_id=correlation_id(),
            )
        )
