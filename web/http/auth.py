"""The caller of a request: who it is, for which project, and with which permissions.

A caller is an API key of one project, or a signed-in person, whose session holds the current project. The header
`X-Project-Id` selects another project. A project that the caller may not see does not exist for them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import g, request, session
from flask_login import current_user
from sqlalchemy import func, or_, select, update

from models.tables import ApiKey, Member, Project, Role, User
from web.http.errors import Problem
from web.http.extensions import db

_ORGANIZATION_ROLES = {Role.SUPER_ADMIN, Role.ORG_OWNER, Role.ORG_ADMIN}
_ADMINISTRATORS = _ORGANIZATION_ROLES | {Role.PROJECT_ADMIN}
_EDITORS = _ADMINISTRATORS | {Role.PROJECT_EDITOR}
#: From the highest to the lowest.
_RANKS = list(Role)
_USE_REMEMBERED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated caller in one project; `user_id` or `api_key_id` is set."""

    project_id: UUID
    organization_id: UUID
    role: Role
    user_id: UUID | None = None
    api_key_id: UUID | None = None

    @property
    def can_edit(self) -> bool:
        """Whether the caller may create, change, delete and run monitors, providers and tags."""
        return self.role in _EDITORS

    @property
    def can_administer(self) -> bool:
        """Whether the caller may manage the members, API keys and audit trail of the project."""
        return self.role in _ADMINISTRATORS

    @property
    def can_manage_organization(self) -> bool:
        """Whether the caller may manage the organisation's projects and see the operator's warnings."""
        return self.role in _ORGANIZATION_ROLES


def outranks(one: Role, other: Role) -> bool:
    """Whether `one` may do more than `other`."""
    return _RANKS.index(one) < _RANKS.index(other)


def spans_organization(role: Role) -> bool:
    """Return whether `role` applies to a whole organisation instead of one project."""
    return role in _ORGANIZATION_ROLES


def current_caller() -> Caller:
    """Return the caller of this request. Raise a 401, 403 or 404 `Problem` if it has none."""
    if "caller" not in g:
        g.caller = _by_key() if "Authorization" in request.headers else _by_session()
    caller: Caller = g.caller
    return caller


def uses_key() -> bool:
    """Return whether the request has an API key, and so needs no CSRF token."""
    return "Authorization" in request.headers


def hash_of_key(key: str) -> bytes:
    """Return the value of `api_keys.key_hash`. Keys are long and random, so plain SHA-256 is enough."""
    return hashlib.sha256(key.encode()).digest()


def _by_key() -> Caller:
    scheme, _, key = request.headers["Authorization"].partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Problem(401, "The Authorization header must read 'Bearer <API key>'.")
    creator_roles = (
        select(func.array_agg(Member.role))
        .where(
            Member.user_id == ApiKey.created_by,
            Member.organization_id == Project.organization_id,
            or_(Member.project_id == ApiKey.project_id, Member.project_id.is_(None)),
        )
        .correlate(ApiKey, Project)
        .scalar_subquery()
    )
    row = db.session.execute(
        select(ApiKey, Project.organization_id, creator_roles)
        .join(Project, Project.id == ApiKey.project_id)
        .where(
            ApiKey.key_hash == hash_of_key(key.strip()),
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()),
        )
    ).one_or_none()
    if row is None:
        raise Problem(401, "This API key is not valid.", guidance="Create a new key under Settings, API keys.")
    key_row, organization_id, creator_roles = row
    wanted = _wanted_project()
    if wanted not in (None, key_row.project_id):
        raise Problem(404, "There is no such project.")
    _mark_used(key_row)
    role = bounded(Role(key_row.role), creator_roles or ())
    return Caller(key_row.project_id, organization_id, role, api_key_id=key_row.id)


def bounded(role: Role, creator_roles: Sequence[str]) -> Role:
    """Return the role of a key: at most that of its creator, while the creator has a role in the project.

    After its creator has left, a key keeps its last role, so that programs that use it continue to work. The page
    *API keys* shows such keys.
    """
    highest = next((candidate for candidate in Role if candidate.value in creator_roles), None)
    return highest if highest is not None and outranks(role, highest) else role


def _mark_used(key: ApiKey) -> None:
    """Store the last use, at most once a minute: a write for each request would cost more than the request."""
    now = datetime.now(UTC)
    if key.last_used_at is None or now - key.last_used_at > _USE_REMEMBERED:
        db.session.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=now))
        db.session.commit()


def _by_session() -> Caller:
    if not current_user.is_authenticated:
        raise Problem(401, "Sign in, or send an API key.")
    user: User = current_user.user
    if user.must_change_password:
        raise Problem(403, "Choose your own password first.", code="PASSWORD_CHANGE_REQUIRED")
    wanted = _wanted_project()
    found = find_membership(user.id, wanted or session.get("project_id"))
    if found is None and wanted is None:
        found = find_membership(user.id, None)  # the session's project was deleted: use another one
    if found is None:
        if wanted:
            raise Problem(404, "There is no such project.")
        raise Problem(403, "You are not a member of any project.", code="NO_PROJECT")
    project, role = found
    return Caller(project.id, project.organization_id, role, user_id=user.id)


def _wanted_project() -> UUID | None:
    text = request.headers.get("X-Project-Id")
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Problem(404, "There is no such project.") from None


def find_membership(user_id: UUID, project_id: UUID | str | None) -> tuple[Project, Role] | None:
    """Return the project and the person's highest role in it, or None if they have no role.

    If `project_id` is None, the project is the oldest that they may see.
    """
    found = projects_of(user_id)
    if project_id is None:
        return found[0] if found else None
    return next((pair for pair in found if pair[0].id == UUID(str(project_id))), None)


def projects_of(user_id: UUID) -> list[tuple[Project, Role]]:
    """Return the projects that a person may see, oldest first, each with their highest role in it."""
    query = (
        select(Project, Member.role)
        .join(
            Member,
            or_(
                Member.project_id == Project.id,
                Member.project_id.is_(None) & (Member.organization_id == Project.organization_id),
            ),
        )
        .where(Member.user_id == user_id)
        .order_by(Project.created_at, Project.id)
    )
    best: dict[UUID, tuple[Project, Role]] = {}
    for project, word in db.session.execute(query):
        role = Role(word)
        if project.id not in best or outranks(role, best[project.id][1]):
            best[project.id] = (project, role)
    return list(best.values())
