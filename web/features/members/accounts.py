"""The accounts of members: temporary passwords, disabling and enabling, ending sessions.

An account may have roles in several projects. Only a caller whose role covers all of them may change it.
"""

from uuid import UUID, uuid4

from sqlalchemy import or_, select

from models.tables import ApiKey, Member, Role, User
from web.features.members.schemas import MemberIn
from web.http import passwords, sessions
from web.http.auth import Caller, outranks, spans_organization
from web.http.errors import Problem, invalid
from web.http.extensions import db
from web.services import audit_events


def account_for_member(caller: Caller, wanted: MemberIn, role: Role) -> User:
    """Return the account that is to get `role`, and create it if the address has none.

    A temporary password that someone else chose is replaced, because that person may still know it. Raise a 409 or 422
    `Problem` if the caller may not replace it, or `wanted` has no password for it.
    """
    user = db.session.scalar(select(User).where(User.email == wanted.email))
    if user is None:
        return _create_account(caller, wanted)
    if needs_new_password(caller, user, role):
        return _replace_password(caller, user, wanted.password)
    if wanted.password is not None:
        raise invalid({"password": "This address already has an account. Leave the password empty."})
    return user


def _create_account(caller: Caller, wanted: MemberIn) -> User:
    if wanted.password is None:
        raise invalid({"password": "This address has no account yet. Enter a temporary password."})
    user = User(
        id=uuid4(),
        email=wanted.email,
        name=wanted.name,
        password_hash=passwords.hash_password(wanted.password),
        must_change_password=True,
        prepared_by=caller.user_id or caller.api_key_id,
    )
    db.session.add(user)
    db.session.flush()
    return user


def _replace_password(caller: Caller, user: User, password: str | None) -> User:
    if not covers_roles_of(caller, user):
        raise Problem(
            409,
            "Someone else chose this account's temporary password, and the account has roles that you do not cover.",
            guidance="Ask an organisation administrator to assign the role.",
        )
    if password is None:
        raise invalid(
            {"password": "Someone else chose this account's temporary password and may know it. Enter a new one."}
        )
    user.password_hash = passwords.hash_password(password)
    user.must_change_password = True
    user.prepared_by = caller.user_id or caller.api_key_id
    sessions.end_all(user.id)
    audit_events.record_for_organization(caller, "password.reset", "user", user.id, email=user.email)
    db.session.flush()
    return user


def needs_new_password(caller: Caller, user: User, role: Role) -> bool:
    """Return whether `user` needs a new password before `caller` assigns `role`.

    The preparer, who chose the temporary password, may still control the account, and would gain the role. If the preparer
    is the caller, or has the role or a higher one, they gain nothing.
    """
    preparer = user.prepared_by
    if preparer is None or preparer in (caller.user_id, caller.api_key_id):
        return False
    held = _role_of(preparer, caller)
    return held is None or outranks(role, held)


def _role_of(preparer: UUID, caller: Caller) -> Role | None:
    """Return the highest role of the person or API key `preparer` in the caller's project, or None."""
    of_person = (
        select(Member.role)
        .join(User, User.id == Member.user_id)
        .where(
            Member.user_id == preparer,
            User.enabled,
            Member.organization_id == caller.organization_id,
            or_(Member.project_id == caller.project_id, Member.project_id.is_(None)),
        )
    )
    of_key = select(ApiKey.role).where(
        ApiKey.id == preparer, ApiKey.project_id == caller.project_id, ApiKey.revoked_at.is_(None)
    )
    words = {*db.session.scalars(of_person), *db.session.scalars(of_key)}
    return next((role for role in Role if role.value in words), None)


def covers_roles_of(caller: Caller, user: User) -> bool:
    """Return whether the role of `caller` covers every role of the account."""
    for member in db.session.scalars(select(Member).where(Member.user_id == user.id)):
        if member.organization_id != caller.organization_id or outranks(Role(member.role), caller.role):
            return False
        if not spans_organization(caller.role) and member.project_id != caller.project_id:
            return False
    return True


def set_enabled(caller: Caller, user: User, *, enabled: bool) -> None:
    """Enable the account, or disable it and end its sessions. Raise a 403 or 409 `Problem` if that is not allowed."""
    if enabled == user.enabled:
        return
    _require_cover(caller, user)
    if user.id == caller.user_id:
        raise Problem(409, "This is your own account.", guidance="Ask another administrator to disable it.")
    user.enabled = enabled
    if not enabled:
        sessions.end_all(user.id)
    word = "account.enabled" if enabled else "account.disabled"
    audit_events.record_for_organization(caller, word, "user", user.id, email=user.email)
    db.session.flush()


def end_sessions(caller: Caller, user: User) -> int:
    """End all sessions of the person. Return how many. Raise a 403 `Problem` if the caller may not do this."""
    _require_cover(caller, user)
    ended = sessions.end_all(user.id)
    audit_events.record_for_organization(caller, "session.ended", "user", user.id, email=user.email, sessions=ended)
    return ended


def _require_cover(caller: Caller, user: User) -> None:
    if not covers_roles_of(caller, user):
        raise Problem(
            403,
            "This account has roles that you do not cover.",
            guidance="Ask an organisation administrator.",
        )
