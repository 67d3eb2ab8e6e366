"""What the command line does, in the audit trail of the organisation that it concerns."""

import os
import pwd
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AuditEvent, Organization


def operator() -> str:
    """The system user who runs this command; behind `sudo` the one who called it."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind} as {name}" if behind and behind != name else name


def record(
    db: Session, organization_id: UUID, action: str, object_type: str, object_id: UUID | None, **details: Any
) -> None:
    """Add one event in the transaction of the change itself; `details` are JSON types and hold no secret."""
    db.add(
        AuditEvent(
            organization_id=organization_id,
            action=action,
            object_type=object_type,
            object_id=object_id,
            details={"commandLine": operator(), **details},
        )
    )


def record_for_all(db: Session, action: str, object_type: str, **details: Any) -> None:
    """Add one event to the trail of every organisation: it concerns the whole installation."""
    for organization_id in db.scalars(select(Organization.id)):
        record(db, organization_id, action, object_type, None, **details)
