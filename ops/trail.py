"""Record the actions of the command line in the audit log of the organisation that they concern."""

import os
import pwd
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables import AuditEvent, Organization


def operator() -> str:
    """Return the system user who runs this command; under `sudo` also the user who called it."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind} as {name}" if behind and behind != name else name


def record(
    db: Session, organization_id: UUID, action: str, object_type: str, object_id: UUID | None, **details: Any
) -> None:
    """Add one event in the transaction of the change. `details` are JSON types without secrets."""
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
    """Add one event to the audit log of every organisation, for a change of the whole installation."""
    for organization_id in db.scalars(select(Organization.id)):
        record(db, organization_id, action, object_type, None, **details)
