"""The locations and their workers. Organisation owners and administrators add and change them."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from models.rules import locations as rules
from models.tables import Location, OperatorWarning
from web.api.schema import validate
from web.features.locations import health as location_health
from web.features.locations import service as locations
from web.features.locations.schemas import LocationChange, LocationIn
from web.http import transaction
from web.http.auth import Caller, current_caller
from web.http.errors import Problem, not_found
from web.http.extensions import db
from web.ui.access import organizer
from web.ui.fields import is_untouched
from web.ui.parts import part

blueprint = Blueprint("locations", __name__)
#: The kinds of operator warnings that are about locations.
_WARNINGS = ("no_worker", "location_silent", "location_unanswered")


@blueprint.get("/locations")
def index() -> str:
    """Return all locations in their order. The first enabled one is the default."""
    return _page(current_caller(), {})


@blueprint.get("/locations/partials/list")
def partial() -> Response:
    """Return the part that the page fetches every few seconds."""
    return part("locations/_locations.html", **_content(current_caller()))


@blueprint.post("/locations")
def add() -> Response | tuple[str, int]:
    """Add a location."""
    caller = organizer()
    wanted = {name: request.form.get(name, "").strip() for name in ("code", "name")}
    try:
        made = locations.add(
            caller, **validate(LocationIn, {**wanted, "name": wanted["name"] or wanted["code"]}).model_dump()
        )
        transaction.commit()
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        db.session.rollback()
        fields = dict.fromkeys(problem.fields, "") | {"code": _sentence(problem)}
        return _page(caller, fields), 422
    flash(f"{made.name} was created. Workers that serve all locations start using it within seconds.", "good")
    return redirect(url_for("pages.locations.index"), 303)


@blueprint.post("/locations/<code>/rename")
def rename(code: str) -> Response:
    """Rename a location."""
    name = request.form.get("name", "")
    row = db.session.get(Location, code)
    if row is not None and is_untouched(name, row.name):
        organizer()
        return redirect(url_for("pages.locations.index"), 303)
    return _do(
        lambda caller: locations.change(caller, code, name=validate(LocationChange, {"name": name}).name),
        "Location renamed.",
    )


@blueprint.post("/locations/<code>/switch")
def switch(code: str) -> Response:
    """Enable or disable a location."""
    wanted = request.form.get("enabled") == "1"
    answer = _do(
        lambda caller: locations.change(caller, code, enabled=wanted),
        f"{code} was {'enabled' if wanted else 'disabled'}.",
    )
    stranded = 0 if wanted else rules.stranded(db.session(), code)
    if stranded:
        monitors = "1 monitor has" if stranded == 1 else f"{stranded} monitors have"
        flash(
            f"{monitors} no enabled location left. Enable a location or select another one to resume checks.", "warning"
        )
    return answer


@blueprint.post("/locations/<code>/default")
def make_default(code: str) -> Response:
    """Where monitors without locations of their own are checked from."""
    return _do(lambda caller: locations.change(caller, code, default=True), f"{code} is now the default location.")


@blueprint.get("/locations/<code>/remove")
def confirm_remove(code: str) -> str:
    """Return the page that asks for confirmation."""
    organizer()
    row = db.session.scalar(select(Location).where(Location.code == code))
    if row is None:
        raise not_found("location")
    return render_template(
        "confirm.html",
        title=f"Delete {row.name}?",
        lost=[
            f"Workers that serve only {code} get no more checks. Existing results are kept.",
            "To use it again later, disable it instead.",
        ],
        button="Delete",
        back=url_for("pages.locations.index"),
    )


@blueprint.post("/locations/<code>/remove")
def remove(code: str) -> Response:
    """Away with it, where nothing names it."""
    return _do(lambda caller: locations.remove(caller, code), f"{code} was deleted.")


def _do(action: Callable[[Caller], object], done: str) -> Response:
    """Run `action`, flash `done` or the error, and redirect to the list."""
    caller = organizer()
    try:
        action(caller)
        transaction.commit()
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        db.session.rollback()
        flash(_sentence(problem), "bad")
    else:
        flash(done, "good")
    return redirect(url_for("pages.locations.index"), 303)


def _sentence(problem: Problem) -> str:
    if "code" in problem.fields:
        return "Enter 1 to 32 lower-case letters, digits or hyphens, such as eu-central."
    return " ".join(problem.fields.values()) or problem.message


def _page(caller: Caller, problems: dict[str, str]) -> str:
    return render_template("locations/locations.html", problems=problems, typed=request.form, **_content(caller))


def _content(caller: Caller) -> dict[str, object]:
    rows = rules.ordered(db.session())
    open_ones = select(OperatorWarning).where(
        OperatorWarning.resolved_at.is_(None), OperatorWarning.kind.in_(_WARNINGS)
    )
    warnings = (
        db.session.scalars(open_ones.order_by(OperatorWarning.first_seen_at)).all()
        if caller.can_manage_organization
        else []
    )
    return {
        "locations": rows,
        "default": rules.default_of(rows),
        "health": location_health.current(),
        "warnings": warnings,
        "manages": caller.can_manage_organization,
    }
