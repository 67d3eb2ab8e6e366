"""Audit events in the API: filters and responses."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from web.api.pagination import PageQuery
from web.api.schema import Out, Time


class AuditQuery(PageQuery):
    action: str | None = Field(default=None, max_length=100)
    object_type: str | None = Field(default=None, max_length=100)
    object_id: UUID | None = None
    user_id: UUID | None = None
    since: Time | None = None
    until: Time | None = None
    scope: Literal["project", "organization"] = Field(
        default="project",
        description="The organisation's trail has its projects, roles, accounts and sign-ins, and what is left of"
        " deleted projects.",
    )


class AuditOut(Out):
    """One event. `actor` is the person's address or the key's name."""

    id: UUID
    action: str
    object_type: str
    object_id: UUID | None
    user_id: UUID | None
    api_key_id: UUID | None
    actor: str | None
    details: dict[str, Any]
    ip: str | None
    correlation_id: str | None
    created_at: datetime
