"""Who may see a page: everybody who is signed in, and editing needs the role."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from flask import redirect, request, url_for
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from models.tables import Project
from web.http.auth import Caller, caller, projects_of
from web.http.errors import Problem, not_found, shows_error
from web.http.extensions import db

_OPEN = {"pages.sign_in.login", "pages.sign_in.submit"}
#: All that somebody may use whose password was chosen by another.
_BEFORE_OWN_PASSWORD = {"pages.first_password.index", "pages.first_password.change", "pages.sign_in.logout"}


def refuse_unreadable() -> None:
    """Raise a 400 `Problem` where the address or the form holds what no column can hold."""
    named = [str(value) for value in (request.view_args or {}).values()]
    if any("\0" in text for text in (*named, *_values(request.args))):
        raise Problem(400, "The address holds a character that is not valid text.")
    if any("\0" in text for text in _values(request.form)):
        raise Problem(400, "The form holds a character that is not valid text.")


def drop_empty_arguments() -> Response | None:
    """Send a form's empty fields away from the address: /monitors?q=&status=up is /monitors?status=up. Parts of pages stay as they are."""
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
    """Send strangers to the sign-in page, and afterwards back to where they were going.

    Who signed in with a password that somebody else chose is sent to choose another one.
    """
    if request.endpoint in _OPEN:
        return None
    if current_user.is_authenticated:
        if current_user.user.must_change_password and request.endpoint not in _BEFORE_OWN_PASSWORD:
            return redirect(url_for("pages.first_password.index"))
        return None
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect(url_for("pages.sign_in.login", next=wanted if wanted != "/" else None))


def editor() -> Caller:
    """The caller, who may edit. Raises a 403 `Problem`."""
    found = caller()
    if not found.may_edit:
        raise Problem(403, "Your role can view this but not change it.")
    return found


def administrator() -> Caller:
    """The caller, who may administer the project. Raises a 403 `Problem`."""
    found = caller()
    if not found.may_administer:
        raise Problem(403, "Only project administrators can do this.")
    return found


def organizer() -> Caller:
    """The caller, who may change what holds for the whole installation. Raises a 403 `Problem`."""
    found = caller()
    if not found.may_organize:
        raise Problem(403, "Only organisation owners and administrators can do this.")
    return found


class Elsewhere(Problem):
    """A 404 for what is in another project of the signed-in person; the page offers to switch to `project`."""

    def __init__(self, what: str, project: Project) -> None:
        super().__init__(404, f"This {what} is in another of your projects: {project.name}.")
        self.project = project
        self.address = request.full_path.rstrip("?") if request.method == "GET" else ""


def not_here(what: str, project_id: UUID | None) -> Problem:
    """The 404 for what is not in the current project; `project_id` is where it is, None if nowhere."""
    if project_id is not None and current_user.is_authenticated:
        for project, _ in projects_of(current_user.user.id):
            if project.id == project_id:
                return Elsewhere(what, project)
    return not_found(what)


def id_of(text: str, what: str) -> UUID:
    """`text` as an id; a malformed one is a 404 like an unknown one."""
    try:
        return UUID(text)
    except ValueError:
        raise not_found(what) from None


def safe_next(text: str | None) -> str:
    """`text` where it is a path of ours, else the dashboard: nobody is sent elsewhere after signing in."""
    home: str = url_for("pages.dashboard.index")
    if not text or not text.startswith("/") or text.startswith("//"):
        return home
    # Browsers read a backslash as a slash and drop control characters: such a path may leave the site.
    if "\\" in text or any(ord(letter) < 32 for letter in text):
        return home
    parts = urlsplit(text)
    return home if parts.scheme or parts.netloc else text


def template_context() -> dict[str, Any]:
    """What the layout shows of the person and the project; nothing for strangers and on error pages."""
    if shows_error() or not current_user.is_authenticated or current_user.user.must_change_password:
        return {"person": None, "project": None, "own_projects": [], "who": None}
    who = caller()
    return {
        "person": current_user.user,
        "project": db.session.get(Project, who.project_id),
        "own_projects": _own_projects(),
        "who": who,
    }


def _own_projects() -> list[Project]:
    """The signed-in person's projects, by name."""
    found = [project for project, _ in projects_of(current_user.user.id)]
    return sorted(found, key=lambda one: (one.name.lower(), one.id))


def uuid_or_none(text: str) -> UUID | None:
    """Return `text` as an id; None for nonsense."""
    try:
        return UUID(text)
    except ValueError:
        return None
