"""/api/projects: the caller's projects."""

from typing import cast
from uuid import UUID

from models.tables import Project
from web.api.pagination import Page, PageQuery, page_of
from web.api.route import May, route
from web.features.members.schemas import RoleName
from web.features.projects import service as projects
from web.features.projects.schemas import ProjectIn, ProjectOut
from web.http.auth import Caller, projects_of

TAG = "Projects"
ONE = "/projects/<uuid:project_id>"


def _project(project: Project, role: str) -> ProjectOut:
    return ProjectOut(id=project.id, name=project.name, role=cast(RoleName, role), created_at=project.created_at)


def _replay(caller: Caller, project_id: UUID) -> ProjectOut:
    return _project(projects.find(caller, project_id), caller.role)


@route("GET", "/projects", tag=TAG, summary="List your projects by name", query=PageQuery, answers=Page[ProjectOut])
def list_projects(caller: Caller, query: PageQuery) -> Page[ProjectOut]:
    found = projects_of(caller.user_id) if caller.user_id else [(projects.find(caller, caller.project_id), caller.role)]
    found.sort(key=lambda pair: (pair[0].name, pair[0].id))
    shown = [_project(project, role) for project, role in found[query.offset : query.offset + query.limit]]
    return page_of(shown, query, len(found))


@route(
    "POST",
    "/projects",
    tag=TAG,
    summary="Create a project",
    may=May.ORGANIZE,
    body=ProjectIn,
    answers=ProjectOut,
    status=201,
    replay=_replay,
)
def create_project(caller: Caller, body: ProjectIn) -> ProjectOut:
    return _project(projects.create(caller, body.name), caller.role)


@route("GET", ONE, tag=TAG, summary="Show a project", answers=ProjectOut)
def show_project(caller: Caller, project_id: UUID) -> ProjectOut:
    return _replay(caller, project_id)


@route(
    "PATCH",
    ONE,
    tag=TAG,
    summary="Rename a project",
    may=May.ORGANIZE,
    body=ProjectIn,
    answers=ProjectOut,
)
def rename_project(caller: Caller, project_id: UUID, body: ProjectIn) -> ProjectOut:
    return _project(projects.rename(caller, project_id, body.name), caller.role)


@route(
    "DELETE",
    ONE,
    tag=TAG,
    summary="Delete a project with everything in it",
    may=May.ORGANIZE,
    status=204,
)
def delete_project(caller: Caller, project_id: UUID) -> None:
    projects.delete(caller, project_id)
