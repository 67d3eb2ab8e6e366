"""The members of a project and their roles. A caller cannot grant or remove a role higher than their own."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from models.tables import ApiKey, Member, Project, Role, User
from web.features.members import accounts
from web.features.members.schemas import MemberIn
from web.http.auth import Caller, bounded, outranks, spans_organization
from web.http.errors import Problem, invalid, not_found
from web.http.extensions import db
from web.services import audit_events


def in_scope(caller: Caller) -> ColumnElement[bool]:
    """Match the memberships of the caller's project: its own and those of the organisation."""
    return and_(
        Member.organization_id == caller.organization_id,
        or_(Member.project_id == caller.project_id, Member.project_id.is_(None)),
    )


def find(caller: Caller, member_id: UUID) -> tuple[Member, User]:
    """Return the membership and its person. Raise a 404 `Problem` if it is not in the caller's project."""
    row = db.session.execute(
        select(Member, User).join(User, User.id == Member.user_id).where(Member.id == member_id, in_scope(caller))
    ).one_or_none()
    if row is None:
        raise not_found("member")
    member, user = row
    return member, user


def add(caller: Caller, wanted: MemberIn) -> tuple[Member, User]:
    """Assign a role to a person, and create their account if they have none. Raise a 403, 409 or 422 `Problem`."""
    role = Role(wanted.role)
    _allow(caller, role)
    user = accounts.account_for_member(caller, wanted, role)
    values: dict[str, Any] = {
        "id": uuid4(),
        "user_id": user.id,
        "organization_id": caller.organization_id,
        "project_id": None if spans_organization(role) else caller.project_id,
        "role": role.value,
    }
    made = db.session.scalar(insert(Member).values(**values).on_conflict_do_nothing().returning(Member))
    if made is None:
        raise Problem(409, "This person is already a member.", guidance="Change the role in the list of members.")
    _record(caller, "member.added", made, email=user.email, role=role.value)
    return made, user


def change(caller: Caller, member_id: UUID, role_name: str) -> tuple[Member, User]:
    """Change the member's role to another of the same scope. Raise a 403, 404, 409 or 422 `Problem`."""
    member, user = find(caller, member_id)
    role, before = Role(role_name), Role(member.role)
    _allow(caller, role)
    _allow(caller, before)
    if spans_organization(role) != (member.project_id is None):
        raise invalid({"role": "A project role cannot become an organisation role, or the other way round."})
    if role != before:
        if outranks(role, before) and accounts.needs_new_password(caller, user, role):
            raise Problem(
                409,
                "Someone else chose this account's temporary password and may know it.",
                guidance="Remove the person and add them again with a new temporary password.",
            )
        _keep_an_owner(caller, member)
        member.role = role.value
        _record(caller, "member.changed", member, email=user.email, role=role.value, before=before.value)
        db.session.flush()
    return member, user


def remove(caller: Caller, member_id: UUID, *, revoke_keys: bool = False) -> None:
    """Remove the member. With `revoke_keys`, also revoke their API keys of the project. The account stays.

    Raise a 403, 404 or 409 `Problem` if the caller may not remove them, or they are the last owner.
    """
    member, user = find(caller, member_id)
    _allow(caller, Role(member.role))
    _keep_an_owner(caller, member)
    _bound_keys(member)
    revoked = [key.name for key in keys_of(caller, user)] if revoke_keys else []
    if revoked:
        db.session.execute(update(ApiKey).where(_made_by(caller, user)).values(revoked_at=func.now()))
    _record(caller, "member.removed", member, email=user.email, role=member.role, revokedKeys=revoked)
    db.session.delete(member)
    db.session.flush()


def set_enabled(caller: Caller, member_id: UUID, *, enabled: bool) -> tuple[Member, User]:
    """Enable or disable the member's account. Raise a 403, 404 or 409 `Problem` if that is not allowed."""
    member, user = find(caller, member_id)
    if not enabled:
        _keep_an_owner(caller, member)
    accounts.set_enabled(caller, user, enabled=enabled)
    return member, user


def end_sessions(caller: Caller, member_id: UUID) -> int:
    """End the member's sessions. Return how many. Raise a 403 or 404 `Problem` if that is not allowed."""
    return accounts.end_sessions(caller, find(caller, member_id)[1])


def keys_of(caller: Caller, user: User) -> Sequence[ApiKey]:
    """Return the active API keys of the project that the person created, by name."""
    return db.session.scalars(select(ApiKey).where(_made_by(caller, user)).order_by(ApiKey.name, ApiKey.id)).all()


def _bound_keys(leaving: Member) -> None:
    """Lower the role of the person's API keys to the person's present role, before that is removed.

    A key's role is limited by its creator's role while the creator has one. Without this, removing a person whose role was
    lowered would restore the original role of the key.
    """
    here = Member.project_id.is_(None) | (Member.project_id == ApiKey.project_id)
    roles = (
        select(func.array_agg(Member.role))
        .where(Member.user_id == leaving.user_id, Member.organization_id == leaving.organization_id, here)
        .correlate(ApiKey)
        .scalar_subquery()
    )
    keys = (
        select(ApiKey, roles)
        .join(Project, Project.id == ApiKey.project_id)
        .where(
            ApiKey.created_by == leaving.user_id,
            ApiKey.revoked_at.is_(None),
            Project.organization_id == leaving.organization_id,
        )
    )
    for key, held in db.session.execute(keys):
        key.role = bounded(Role(key.role), held or ()).value


def _made_by(caller: Caller, user: User) -> ColumnElement[bool]:
    return and_(ApiKey.created_by == user.id, ApiKey.project_id == caller.project_id, ApiKey.revoked_at.is_(None))


def _record(caller: Caller, action: str, member: Member, **details: Any) -> None:
    """Add an event to the audit trail of the project or organisation that the role belongs to."""
    record = audit_events.record if member.project_id else audit_events.record_for_organization
    record(caller, action, "member", member.id, **details)


def _allow(caller: Caller, role: Role) -> None:
    if outranks(role, caller.role):
        raise Problem(403, "You cannot grant or change a role higher than your own.")


def _keep_an_owner(caller: Caller, leaving: Member) -> None:
    """Raise a 409 `Problem` if no owner with an enabled account would be left."""
    owners = (Role.SUPER_ADMIN.value, Role.ORG_OWNER.value)
    if leaving.role not in owners:
        return
    locked = (
        select(Member.user_id)
        .join(User, User.id == Member.user_id)
        .where(Member.organization_id == caller.organization_id, Member.role.in_(owners), User.enabled)
        .with_for_update(of=[Member, User])
    )
    if not set(db.session.scalars(locked)) - {leaving.user_id}:
        raise Problem(409, "This is the organisation's last owner.", guidance="Make another member an owner first.")


def count_members(caller: Caller) -> int:
    """Return the number of members of the caller's project."""
    return db.session.scalar(select(func.count()).select_from(Member).where(in_scope(caller))) or 0
