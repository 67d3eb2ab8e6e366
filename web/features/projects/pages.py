"""The projects of a person. Organisation owners and administrators create and rename them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from models.tables import Project
from web.api.schema import validate
from web.features.projects import service as projects
from web.features.projects.schemas import ProjectIn
from web.http import transaction
from web.http.auth import Caller, current_caller, projects_of, spans_organization
from web.http.errors import Problem
from web.http.extensions import db
from web.ui import form_token
from web.ui.access import id_of, organizer
from web.ui.fields import is_untouched
from web.ui.labels import ROLES

blueprint = Blueprint("projects", __name__)


@blueprint.get("/settings/projects")
def index() -> str:
    """Return the list by name."""
    return _page(current_caller(), "")


@blueprint.post("/settings/projects")
def create() -> Response | tuple[str, int]:
    """Create a project."""
    caller = organizer()
    try:
        name = validate(ProjectIn, {"name": request.form.get("name", "")}).name
        _, made = form_token.create(caller, lambda: projects.create(caller, name))
        transaction.commit()
    except Problem as problem:
        if problem.status != 422:
            raise
        db.session.rollback()
        return _page(caller, " ".join(problem.fields.values())), 422
    if made is not None:
        flash(f"{made.name} was created.", "good")
    return redirect(url_for("pages.projects.index"), 303)


@blueprint.post("/settings/projects/<project_id>/rename")
def rename(project_id: str) -> Response:
    """Rename a project."""
    caller = organizer()
    typed, wanted_id = request.form.get("name", ""), id_of(project_id, "project")
    row = db.session.get(Project, wanted_id)
    if row is not None and is_untouched(typed, row.name):
        return redirect(url_for("pages.projects.index"), 303)
    try:
        projects.rename(caller, wanted_id, validate(ProjectIn, {"name": typed}).name)
        transaction.commit()
    except Problem as problem:
        if problem.status != 422:
            raise
        db.session.rollback()
        flash(" ".join(problem.fields.values()), "bad")
    else:
        flash("Project renamed.", "good")
    return redirect(url_for("pages.projects.index"), 303)


def _page(caller: Caller, problem: str) -> str:
    own = sorted(projects_of(current_user.user.id), key=lambda pair: (pair[0].name.lower(), pair[0].id))
    return render_template(
        "projects/projects.html",
        rows=[
            (project, ROLES[role], caller.can_manage_organization and project.organization_id == caller.organization_id)
            for project, role in own
        ],
        several_organizations=len({project.organization_id for project, _ in own}) > 1,
        whole=spans_organization(caller.role),
        problem=problem,
        typed=request.form,
        token=form_token.token(),
    )
