"""Who is calling, for which project, and what they may do.

A caller is an API key (of one project) or a signed-in person, whose session carries the current project.
`X-Project-Id` overrides the project where the caller may. Someone else's project looks like one that is not there.
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
_MIGHT = list(Role)
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
        """Monitors, providers, tags: make, change, delete, run."""
        return self.role in _EDITORS

    @property
    def can_administer(self) -> bool:
        """Members, API keys and the audit trail of the project."""
        return self.role in _ADMINISTRATORS

    @property
    def can_manage_organization(self) -> bool:
        """Projects of the organisation, and the operator's warnings."""
        return self.role in _ORGANIZATION_ROLES


def outranks(one: Role, other: Role) -> bool:
    """Whether `one` may do more than `other`."""
    return _MIGHT.index(one) < _MIGHT.index(other)


def spans_organization(role: Role) -> bool:
    """Whether `role` holds for a whole organisation, and not for one project."""
    return role in _ORGANIZATION_ROLES


def current_caller() -> Caller:
    """The caller of this request. Raises a 401, 403 or 404 `Problem`."""
    if "caller" not in g:
        g.caller = _by_key() if "Authorization" in request.headers else _by_session()
    found: Caller = g.caller
    return found


def uses_key() -> bool:
    """Whether the request brings an API key, so that no CSRF token is needed."""
    return "Authorization" in request.headers


def hash_of_key(key: str) -> bytes:
    """What `api_keys.key_hash` holds: the keys are long and random, so a plain SHA-256 is enough."""
    return hashlib.sha256(key.encode()).digest()


def _by_key() -> Caller:
    scheme, _, key = request.headers["Authorization"].partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Problem(401, "The Authorization header must read 'Bearer <API key>'.")
    maker_roles = (
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
        select(ApiKey, Project.organization_id, maker_roles)
        .join(Project, Project.id == ApiKey.project_id)
        .where(
            ApiKey.key_hash == hash_of_key(key.strip()),
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()),
        )
    ).one_or_none()
    if row is None:
        raise Problem(401, "This API key is not valid.", guidance="Make a new key under Settings, API keys.")
    found, organization_id, of_maker = row
    wanted = _wanted_project()
    if wanted not in (None, found.project_id):
        raise Problem(404, "There is no such project.")
    _mark_used(found)
    role = bounded(Role(found.role), of_maker or ())
    return Caller(found.project_id, organization_id, role, api_key_id=found.id)


def bounded(role: Role, of_maker: Sequence[str]) -> Role:
    """The role of a key: never mightier than that of the person who made it, as long as they have one here.

    A key of somebody who has left keeps the role that it had at last, so that what depends on it goes on; *API keys* shows it.
    """
    theirs = next((one for one in Role if one.value in of_maker), None)
    return theirs if theirs is not None and outranks(role, theirs) else role


def _mark_used(key: ApiKey) -> None:
    """Remember the last use to the minute only: a write per request would cost more than the request."""
    now = datetime.now(UTC)
    if key.last_used_at is None or now - key.last_used_at > _USE_REMEMBERED:
        db.session.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=now))
        db.session.commit()


def _by_session() -> Caller:
    if not current_user.is_authenticated:
        raise Problem(401, "Nobody is signed in, and no API key was sent.")
    user: User = current_user.user
    if user.must_change_password:
        raise Problem(403, "Choose a password of your own first.", code="PASSWORD_CHANGE_REQUIRED")
    wanted = _wanted_project()
    found = find_membership(user.id, wanted or session.get("project_id"))
    if found is None and wanted is None:
        found = find_membership(user.id, None)  # the session's project is gone: any other one of theirs
    if found is None:
        if wanted:
            raise Problem(404, "There is no such project.")
        raise Problem(403, "You are in no project.", code="NO_PROJECT")
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
    """The project (the oldest of theirs for None) and the person's mightiest role in it; None where they have none."""
    found = projects_of(user_id)
    if project_id is None:
        return found[0] if found else None
    return next((pair for pair in found if pair[0].id == UUID(str(project_id))), None)


def projects_of(user_id: UUID) -> list[tuple[Project, Role]]:
    """The projects a person may see, the oldest first, each with their mightiest role in it."""
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
