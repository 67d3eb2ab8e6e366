"""Who belongs to a project, and as what. Nobody gives or takes a role mightier than their own."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from models.tables import Member, Role, User
from web.callers import Caller, is_mightier, spans_organization
from web.errors import Problem, invalid, not_found
from web.extensions import db
from web.saving import audit
from web.schemas.accounts import MemberIn
from web.security import hash_password


def in_scope(who: Caller) -> ColumnElement[bool]:
    """The memberships that count in the caller's project: its own and the organisation's."""
    return and_(
        Member.organization_id == who.organization_id,
        or_(Member.project_id == who.project_id, Member.project_id.is_(None)),
    )


def find(who: Caller, member_id: UUID) -> tuple[Member, User]:
    """The membership and its person. Raises a 404 `Problem`."""
    row = db.session.execute(
        select(Member, User).join(User, User.id == Member.user_id).where(Member.id == member_id, in_scope(who))
    ).one_or_none()
    if row is None:
        raise not_found("member")
    member, user = row
    return member, user


def add(who: Caller, wanted: MemberIn) -> tuple[Member, User]:
    """Give a person a role; their account is made where they have none. Raises a 403, 409 or 422 `Problem`."""
    role = Role(wanted.role)
    _allow(who, role)
    user = _account(wanted)
    values: dict[str, Any] = {
        "id": uuid4(),
        "user_id": user.id,
        "organization_id": who.organization_id,
        "project_id": None if spans_organization(role) else who.project_id,
        "role": role.value,
    }
    made = db.session.scalar(insert(Member).values(**values).on_conflict_do_nothing().returning(Member))
    if made is None:
        raise Problem(409, "This person has a role here already.", guidance="Change that role instead.")
    audit.record(who, "member.added", "member", made.id, email=user.email, role=role.value)
    return made, user


def _account(wanted: MemberIn) -> User:
    user = db.session.scalar(select(User).where(User.email == wanted.email))
    if user is not None:
        if wanted.password is not None:
            raise invalid({"password": "This address has an account already: leave the password out."})
        return user
    if wanted.password is None:
        raise invalid({"password": "This address has no account yet: give it a first password."})
    hashed = hash_password(wanted.password)
    values = {"id": uuid4(), "email": wanted.email, "name": wanted.name, "password_hash": hashed}
    made: User | None = db.session.scalar(insert(User).values(**values).on_conflict_do_nothing().returning(User))
    if made is None:
        raise Problem(409, "Somebody else made an account for this address at the same moment.", guidance="Try again.")
    return made


def change(who: Caller, member_id: UUID, role_name: str) -> tuple[Member, User]:
    """Give the member another role of the same reach. Raises a 403, 404, 409 or 422 `Problem`."""
    member, user = find(who, member_id)
    role, before = Role(role_name), Role(member.role)
    _allow(who, role)
    _allow(who, before)
    if spans_organization(role) != (member.project_id is None):
        raise invalid({"role": "A project's role and the organisation's cannot be changed into one another."})
    if role != before:
        _keep_an_owner(who, before)
        member.role = role.value
        audit.record(who, "member.changed", "member", member.id, email=user.email, role=role.value, before=before.value)
        db.session.flush()
    return member, user


def remove(who: Caller, member_id: UUID) -> None:
    """Take the role away; the person's account stays. Raises a 403, 404 or 409 `Problem`."""
    member, user = find(who, member_id)
    _allow(who, Role(member.role))
    _keep_an_owner(who, Role(member.role))
    audit.record(who, "member.removed", "member", member.id, email=user.email, role=member.role)
    db.session.delete(member)
    db.session.flush()


def _allow(who: Caller, role: Role) -> None:
    if is_mightier(role, who.role):
        raise Problem(403, f"The role {role} is mightier than yours.")


def _keep_an_owner(who: Caller, before: Role) -> None:
    """Raise a 409 `Problem` where the last owner would go: nobody could undo it."""
    owners = (Role.SUPER_ADMIN.value, Role.ORG_OWNER.value)
    if before.value not in owners:
        return
    locked = select(Member.id).where(Member.organization_id == who.organization_id, Member.role.in_(owners))
    if len(db.session.scalars(locked.with_for_update()).all()) < 2:
        raise Problem(409, "This is the organisation's last owner.", guidance="Make somebody else an owner first.")


def count_members(who: Caller) -> int:
    """How many memberships count in the caller's project."""
    return db.session.scalar(select(func.count()).select_from(Member).where(in_scope(who))) or 0
