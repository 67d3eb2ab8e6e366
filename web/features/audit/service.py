"""Queries of the audit trail, for the page and the API."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, cast, exists, func, not_, or_, select

from models.tables import ApiKey, AuditEvent, Project, User
from web.http.auth import Caller
from web.http.errors import Problem

#: Actions that processes record by themselves, often.
MACHINE_ACTIONS = ("credential.used",)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Filters of events; None and an empty string filter nothing.

    `actor` is a part of a person's address or of a key's name, `text` a part of the details. `machines` includes the
    events of processes. `scope` is `project` or `organization`.
    """

    scope: str = "project"
    action: str | None = None
    object_type: str | None = None
    object_id: UUID | None = None
    user_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    actor: str = ""
    text: str = ""
    machines: bool = True


def events(caller: Caller, wanted: AuditFilter) -> Select[AuditEvent, str | None]:
    """Return the matching events, newest first, each with its actor: the person's address or the key's name.

    Raise a 403 `Problem` if the caller may not read the organisation's trail.
    """
    actor = func.coalesce(User.email, ApiKey.name)
    found = (
        select(AuditEvent, actor)
        .outerjoin(User, User.id == AuditEvent.user_id)
        .outerjoin(ApiKey, ApiKey.id == AuditEvent.api_key_id)
        .where(in_scope(caller, wanted.scope))
        .order_by(AuditEvent.created_at.desc(), AuditEvent.id)
    )
    equal = {
        AuditEvent.action: wanted.action,
        AuditEvent.object_type: wanted.object_type,
        AuditEvent.object_id: wanted.object_id,
        AuditEvent.user_id: wanted.user_id,
    }
    found = found.where(*(column == value for column, value in equal.items() if value is not None))
    if wanted.since is not None:
        found = found.where(AuditEvent.created_at >= wanted.since)
    if wanted.until is not None:
        found = found.where(AuditEvent.created_at < wanted.until)
    if wanted.actor:
        found = found.where(actor.icontains(wanted.actor, autoescape=True))
    if wanted.text:
        found = found.where(cast(AuditEvent.details, String).icontains(wanted.text, autoescape=True))
    if not wanted.machines:
        found = found.where(not_(is_machine()))
    return found


def in_scope(caller: Caller, scope: str) -> ColumnElement[bool]:
    """Match the events of the caller's project, or those of the organisation and of its deleted projects.

    Raise a 403 `Problem` if the caller may not read the organisation's trail.
    """
    if scope != "organization":
        return AuditEvent.project_id == caller.project_id
    if not caller.can_manage_organization:
        raise Problem(403, "Only organisation owners and administrators may read this audit trail.")
    project_is_deleted = ~exists().where(Project.id == AuditEvent.project_id)
    return and_(
        AuditEvent.organization_id == caller.organization_id, or_(AuditEvent.project_id.is_(None), project_is_deleted)
    )


def is_machine() -> ColumnElement[bool]:
    """Match events that a process recorded by itself."""
    return and_(AuditEvent.action.in_(MACHINE_ACTIONS), AuditEvent.user_id.is_(None), AuditEvent.api_key_id.is_(None))
