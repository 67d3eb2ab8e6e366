"""Who belongs to the project, and as what."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.tables import Member, Role, User
from web.callers import Caller, is_mightier
from web.errors import Problem
from web.extensions import db
from web.pages.access import administrator, id_of
from web.pages.wording import ROLES
from web.saving import members, unit
from web.schemas.accounts import MemberIn
from web.schemas.wire import validate

blueprint = Blueprint("members", __name__)


@blueprint.get("/settings/members")
def index() -> str:
    """Everybody, by address."""
    return _page(administrator(), {})


@blueprint.post("/settings/members")
def add() -> Response | tuple[str, int]:
    """Give a person a role; who has no account yet gets one with the first password."""
    who = administrator()
    wanted = {name: request.form.get(name, "").strip() for name in ("email", "name", "role")}
    if password := request.form.get("password", ""):
        wanted["password"] = password
    try:
        _, user = members.add(who, validate(MemberIn, wanted))
        unit.commit()
    except Problem as problem:
        if problem.status not in (403, 409, 422):
            raise
        db.session.rollback()
        return _page(who, problem.fields or {"email": problem.message}), 422
    flash(f"{user.email} belongs to it now.", "good")
    return redirect(url_for("pages.members.index"), 303)


@blueprint.post("/settings/members/<member_id>/remove")
def remove(member_id: str) -> Response:
    """Take the role away; the account stays."""
    who = administrator()
    try:
        members.remove(who, id_of(member_id, "member"))
        unit.commit()
    except Problem as problem:
        if problem.status not in (403, 409):
            raise
        db.session.rollback()
        flash(f"{problem.message} {problem.guidance}", "bad")
    else:
        flash("The role is taken away.", "good")
    return redirect(url_for("pages.members.index"), 303)


def _page(who: Caller, problems: dict[str, str]) -> str:
    query = select(Member, User).join(User, User.id == Member.user_id).where(members.in_scope(who))
    return render_template(
        "settings/members.html",
        members=db.session.execute(query.order_by(User.email)).all(),
        names=ROLES,
        roles={word: text for word, text in ROLES.items() if not is_mightier(Role(word), who.role)},
        problems=problems,
        typed=request.form,
    )
