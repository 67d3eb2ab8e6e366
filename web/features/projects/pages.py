"""One's projects: which there are, which is shown; owners and administrators of the organisation make and rename them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from models.tables import Project
from web.api.schema import validate
from web.features.members.schemas import ProjectIn
from web.features.projects import service as projects
from web.http import transaction
from web.http.auth import Caller, caller, projects_of, spans_organization
from web.http.errors import Problem
from web.http.extensions import db
from web.ui import form_token
from web.ui.access import id_of, organizer
from web.ui.fields import is_untouched
from web.ui.labels import ROLES

blueprint = Blueprint("projects", __name__)


@blueprint.get("/settings/projects")
def index() -> str:
    """The list, by name."""
    return _page(caller(), "")


@blueprint.post("/settings/projects")
def create() -> Response | tuple[str, int]:
    """A new project of the organisation."""
    who = organizer()
    try:
        name = validate(ProjectIn, {"name": request.form.get("name", "")}).name
        _, made = form_token.create(who, lambda: projects.create(who, name))
        transaction.commit()
    except Problem as problem:
        if problem.status != 422:
            raise
        db.session.rollback()
        return _page(who, " ".join(problem.fields.values())), 422
    if made is not None:
        flash(f"{made.name} was created.", "good")
    return redirect(url_for("pages.projects.index"), 303)


@blueprint.post("/settings/projects/<project_id>/rename")
def rename(project_id: str) -> Response:
    """Another name for one of the organisation's projects."""
    who = organizer()
    typed, found = request.form.get("name", ""), id_of(project_id, "project")
    row = db.session.get(Project, found)
    if row is not None and is_untouched(typed, row.name):
        return redirect(url_for("pages.projects.index"), 303)
    try:
        projects.rename(who, found, validate(ProjectIn, {"name": typed}).name)
        transaction.commit()
    except Problem as problem:
        if problem.status != 422:
            raise
        db.session.rollback()
        flash(" ".join(problem.fields.values()), "bad")
    else:
        flash("Project renamed.", "good")
    return redirect(url_for("pages.projects.index"), 303)


def _page(who: Caller, problem: str) -> str:
    own = sorted(projects_of(current_user.user.id), key=lambda pair: (pair[0].name.lower(), pair[0].id))
    return render_template(
        "settings/projects.html",
        rows=[
            (project, ROLES[role], who.may_organize and project.organization_id == who.organization_id)
            for project, role in own
        ],
        several_organizations=len({project.organization_id for project, _ in own}) > 1,
        whole=spans_organization(who.role),
        problem=problem,
        typed=request.form,
        token=form_token.token(),
    )
