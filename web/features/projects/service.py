"""Projects of the caller's organisation."""

from uuid import UUID, uuid4

from sqlalchemy import func, select

from models.tables import Project
from web.http.auth import Caller, find_membership
from web.http.errors import Problem, not_found
from web.http.extensions import db
from web.services import audit_events


def find(caller: Caller, project_id: UUID) -> Project:
    """Return a project that the caller may see. Raise a 404 `Problem` if there is none."""
    if caller.user_id is None:
        project = db.session.get(Project, project_id) if project_id == caller.project_id else None
    else:
        membership = find_membership(caller.user_id, project_id)
        project = membership[0] if membership else None
    if project is None:
        raise not_found("project")
    return project


def create(caller: Caller, name: str) -> Project:
    """Create a project in the caller's organisation."""
    project = Project(id=uuid4(), organization_id=caller.organization_id, name=name)
    db.session.add(project)
    audit_events.record_for_organization(caller, "project.created", "project", project.id, name=name)
    db.session.flush()
    return project


def rename(caller: Caller, project_id: UUID, name: str) -> Project:
    """Rename the project. Raise a 404 `Problem` if it is not in the caller's organisation."""
    project = _of_organization(caller, project_id)
    audit_events.record_for_organization(
        caller, "project.changed", "project", project.id, name=name, before=project.name
    )
    project.name = name
    db.session.flush()
    return project


def delete(caller: Caller, project_id: UUID) -> None:
    """Delete the project and everything in it. Raise a 404 `Problem` if there is none, a 409 if it is the last."""
    project = _of_organization(caller, project_id)
    siblings = select(func.count()).where(Project.organization_id == caller.organization_id)
    if (db.session.scalar(siblings) or 0) < 2:
        raise Problem(409, "This is the organisation's last project.")
    audit_events.record_for_organization(caller, "project.deleted", "project", project.id, name=project.name)
    db.session.delete(project)
    db.session.flush()


def _of_organization(caller: Caller, project_id: UUID) -> Project:
    """Return one of the organisation's projects. All of them are locked, so that their number does not change."""
    query = select(Project).where(Project.organization_id == caller.organization_id).order_by(Project.id)
    for project in db.session.scalars(query.with_for_update(key_share=True)):
        if project.id == project_id:
            return project
    raise not_found("project")
