"""The members of the project and their roles."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.tables import Member, Role, User
from web.api.schema import validate
from web.features.members import service as members
from web.features.members.schemas import MemberIn
from web.http import sessions, transaction
from web.http.auth import Caller, outranks, spans_organization
from web.http.errors import Problem
from web.http.extensions import db
from web.ui.access import administrator, id_of
from web.ui.labels import ROLES

blueprint = Blueprint("members", __name__)


@blueprint.get("/settings/members")
def index() -> str:
    """Return the list of members by address."""
    return _page(administrator(), {})


@blueprint.post("/settings/members")
def add() -> Response | tuple[str, int]:
    """Add a member. A person without an account gets one with a temporary password."""
    caller = administrator()
    wanted = {name: request.form.get(name, "").strip() for name in ("email", "name", "role")}
    if password := request.form.get("password", ""):
        wanted["password"] = password
    try:
        _, user = members.add(caller, validate(MemberIn, wanted))
        transaction.commit()
    except Problem as problem:
        if problem.status not in (403, 409, 422):
            raise
        db.session.rollback()
        return _page(caller, problem.fields or {"email": f"{problem.message} {problem.guidance}"}), 422
    flash(f"{user.email} was added as {ROLES[wanted['role']]}.", "good")
    return redirect(url_for("pages.members.index"), 303)


@blueprint.get("/settings/members/<member_id>/remove")
def confirm_remove(member_id: str) -> str:
    """Ask before the role is taken away, and say what stays."""
    caller = administrator()
    member, user = members.find(caller, id_of(member_id, "member"))
    where = "all projects of the organisation" if member.project_id is None else "this project"
    return render_template(
        "confirm.html",
        title=f"Remove {user.email}?",
        lost=[
            f"{user.email} loses the role {ROLES.get(member.role, member.role)} and access to {where}.",
            "The account itself is not deleted. It keeps its other roles, and you can add it again.",
        ],
        keys=members.keys_of(caller, user),
        button="Remove",
        back=url_for("pages.members.index"),
    )


@blueprint.post("/settings/members/<member_id>/remove")
def remove(member_id: str) -> Response:
    """Remove the member. The account stays."""
    caller, membership_id = administrator(), id_of(member_id, "member")
    revoke_keys = request.form.get("revokeKeys") == "on"
    email = db.session.scalar(
        select(User.email).join(Member, Member.user_id == User.id).where(Member.id == membership_id)
    )
    return _done(lambda: members.remove(caller, membership_id, revoke_keys=revoke_keys), f"{email} was removed.")


@blueprint.post("/settings/members/<member_id>/role")
def change_role(member_id: str) -> Response:
    """Change the role to another of the same scope."""
    caller, membership_id = administrator(), id_of(member_id, "member")
    role = request.form.get("role", "")
    if role not in ROLES:
        raise Problem(422, "Unknown role.")
    return _done(lambda: members.change(caller, membership_id, role), f"Role changed to {ROLES[role]}.")


@blueprint.post("/settings/members/<member_id>/switch")
def switch(member_id: str) -> Response:
    """Enable or disable the account in all projects."""
    caller, membership_id = administrator(), id_of(member_id, "member")
    enabled = request.form.get("enabled") == "on"
    text = "Account enabled." if enabled else "Account disabled and signed out of all browsers."
    return _done(lambda: members.set_enabled(caller, membership_id, enabled=enabled), text)


@blueprint.post("/settings/members/<member_id>/end-sessions")
def end_sessions(member_id: str) -> Response:
    """Sign all browsers of the person out."""
    caller, membership_id = administrator(), id_of(member_id, "member")
    return _done(lambda: members.end_sessions(caller, membership_id), "The user was signed out of all browsers.")


def _done(action: Callable[[], object], text: str) -> Response:
    """Run `action`, flash `text` or the error, and redirect to the list."""
    try:
        action()
        transaction.commit()
    except Problem as problem:
        if problem.status not in (403, 409, 422):
            raise
        db.session.rollback()
        flash(" ".join([problem.message, *problem.fields.values(), problem.guidance]), "bad")
    else:
        flash(text, "good")
    return redirect(url_for("pages.members.index"), 303)


def _page(caller: Caller, problems: dict[str, str]) -> str:
    query = (
        select(Member, User, sessions.number_of(User.id))
        .join(User, User.id == Member.user_id)
        .where(members.in_scope(caller))
    )
    return render_template(
        "members/members.html",
        members=db.session.execute(query.order_by(User.email)).all(),
        names=ROLES,
        organization_roles={role.value for role in Role if spans_organization(role)},
        roles={word: text for word, text in ROLES.items() if not outranks(Role(word), caller.role)},
        problems=problems,
        typed=request.form,
    )
