"""The trail: who did what to which object. Written in the transaction of the change itself."""

from typing import Any
from uuid import UUID

from flask import request

from models.tables import AuditEvent
from web.callers import Caller
from web.correlation import correlation_id
from web.extensions import db


def record(caller: Caller, action: str, object_type: str, object_id: UUID | None, **details: Any) -> None:
    """Add one event, such as `monitor.created`; `details` are JSON types and hold no secret."""
    db.session.add(
        AuditEvent(
            organization_id=caller.organization_id,
            project_id=caller.project_id,
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
