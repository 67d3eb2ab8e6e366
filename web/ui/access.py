"""Access to pages: sign-in, roles, and objects of other projects."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from flask import redirect, request, url_for
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from models.tables import Project
from web.http.auth import Caller, current_caller, projects_of
from web.http.errors import Problem, not_found, shows_error
from web.http.extensions import db

#: The pages for a person whose password was chosen by someone else.
_BEFORE_OWN_PASSWORD = {"pages.first_password.index", "pages.first_password.change", "pages.sign_in.logout"}


def refuse_unreadable() -> None:
    """Raise a 400 `Problem` if the address or the form contains a NUL character, which PostgreSQL cannot store."""
    named = [str(value) for value in (request.view_args or {}).values()]
    if any("\0" in text for text in (*named, *_values(request.args))):
        raise Problem(400, "The address contains a character that is not valid text.")
    if any("\0" in text for text in _values(request.form)):
        raise Problem(400, "The form contains a character that is not valid text.")


def drop_empty_arguments() -> Response | None:
    """Redirect an address with empty arguments to one without: /monitors?q=&status=up to /monitors?status=up.

    Partials are not redirected.
    """
    if (
        request.method != "GET"
        or "/partials/" in request.path
        or not any(value == "" for value in _values(request.args))
    ):
        return None
    kept = [(name, value) for name, values in request.args.lists() for value in values if value]
    return redirect(f"{quote(request.path)}?{urlencode(kept)}" if kept else quote(request.path))


def _values(pairs: MultiDict[str, str]) -> Iterator[str]:
    return (value for values in pairs.listvalues() for value in values)


def require_sign_in() -> Response | None:
    """Redirect to the sign-in page if no user is signed in. After sign-in, the person gets the page they asked for.

    A person whose password was chosen by someone else is redirected to choose their own.
    """
    if current_user.is_authenticated:
        if current_user.user.must_change_password and request.endpoint not in _BEFORE_OWN_PASSWORD:
            return redirect(url_for("pages.first_password.index"))
        return None
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect(url_for("public.sign_in.login", next=wanted if wanted != "/" else None))


def editor() -> Caller:
    """The caller, caller may edit. Raises a 403 `Problem`."""
    found = current_caller()
    if not found.can_edit:
        raise Problem(403, "Your role can view this but not change it.")
    return found


def administrator() -> Caller:
    """The caller, caller may administer the project. Raises a 403 `Problem`."""
    found = current_caller()
    if not found.can_administer:
        raise Problem(403, "Only project administrators can do this.")
    return found


def organizer() -> Caller:
    """The caller, caller may change what holds for the whole installation. Raises a 403 `Problem`."""
    found = current_caller()
    if not found.can_manage_organization:
        raise Problem(403, "Only organisation owners and administrators can do this.")
    return found


class Elsewhere(Problem):
    """A 404 for an object in another project of the signed-in person. Its page offers to switch to `project`."""

    def __init__(self, what: str, project: Project) -> None:
        super().__init__(404, f"This {what} is in another of your projects: {project.name}.")
        self.project = project
        self.address = request.full_path.rstrip("?") if request.method == "GET" else ""


def not_here(what: str, project_id: UUID | None) -> Problem:
    """Return the 404 for an object that is not in the current project but in `project_id`, or in none."""
    if project_id is not None and current_user.is_authenticated:
        for project, _ in projects_of(current_user.user.id):
            if project.id == project_id:
                return Elsewhere(what, project)
    return not_found(what)


def id_of(text: str, what: str) -> UUID:
    """Return `text` as an id. Raise a 404 `Problem` if it is not a UUID, as for an unknown id."""
    try:
        return UUID(text)
    except ValueError:
        raise not_found(what) from None


def safe_next(text: str | None) -> str:
    """Return `text` if it is a path on this site, else the dashboard, so that sign-in never redirects to another site."""
    home: str = url_for("pages.dashboard.index")
    if not text or not text.startswith("/") or text.startswith("//"):
        return home
    # Browsers read a backslash as a slash and drop control characters: such a path may leave the site.
    if "\\" in text or any(ord(letter) < 32 for letter in text):
        return home
    parts = urlsplit(text)
    return home if parts.scheme or parts.netloc else text


def template_context() -> dict[str, Any]:
    """Return the person and project that the layout shows. They are None on error pages and before sign-in."""
    if shows_error() or not current_user.is_authenticated or current_user.user.must_change_password:
        return {"person": None, "project": None, "own_projects": [], "permissions": None}
    caller = current_caller()
    return {
        "person": current_user.user,
        "project": db.session.get(Project, caller.project_id),
        "own_projects": _own_projects(),
        # Jinja reserves the name `caller` for the body of a call block.
        "permissions": caller,
    }


def _own_projects() -> list[Project]:
    """Return the signed-in person's projects by name."""
    projects = [project for project, _ in projects_of(current_user.user.id)]
    return sorted(projects, key=lambda project: (project.name.lower(), project.id))


def uuid_or_none(text: str) -> UUID | None:
    """Return `text` as an id, or None if it is not a UUID."""
    try:
        return UUID(text)
    except ValueError:
        return None
