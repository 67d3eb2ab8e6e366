"""/api/projects, /api/members, /api/api-keys: who may do what."""

from typing import cast
from uuid import UUID

from sqlalchemy import select

from models.tables import ApiKey, Member, Project, User
from web.api.lists import Page, PageQuery, page_of
from web.api.route import May, route
from web.features.api_keys import service as api_keys
from web.features.members import service as members
from web.features.members.schemas import (
    ApiKeyIn,
    ApiKeyOut,
    MemberChange,
    MemberIn,
    MemberOut,
    NewApiKeyOut,
    ProjectIn,
    ProjectOut,
    RemovalQuery,
    RoleName,
)
from web.features.projects import service as projects
from web.http import pagination
from web.http.auth import Caller, projects_of
from web.http.extensions import db

PROJECTS, MEMBERS, KEYS = "Projects", "Members", "API keys"
ONE_PROJECT, ONE_MEMBER, ONE_KEY = "/projects/<uuid:project_id>", "/members/<uuid:member_id>", "/api-keys/<uuid:key_id>"


# --- projects --------------------------------------------------------------------------------


def _project(project: Project, role: str) -> ProjectOut:
    return ProjectOut(id=project.id, name=project.name, role=cast(RoleName, role), created_at=project.created_at)


def _project_again(caller: Caller, project_id: UUID) -> ProjectOut:
    return _project(projects.find(caller, project_id), caller.role)


@route(
    "GET", "/projects", tag=PROJECTS, summary="List your projects by name", query=PageQuery, answers=Page[ProjectOut]
)
def list_projects(caller: Caller, query: PageQuery) -> Page[ProjectOut]:
    found = projects_of(caller.user_id) if caller.user_id else [(projects.find(caller, caller.project_id), caller.role)]
    found.sort(key=lambda pair: (pair[0].name, pair[0].id))
    shown = [_project(project, role) for project, role in found[query.offset : query.offset + query.limit]]
    return page_of(shown, query, len(found))


@route(
    "POST",
    "/projects",
    tag=PROJECTS,
    summary="Make a project",
    may=May.ORGANIZE,
    body=ProjectIn,
    answers=ProjectOut,
    status=201,
    replay=_project_again,
)
def create_project(caller: Caller, body: ProjectIn) -> ProjectOut:
    return _project(projects.create(caller, body.name), caller.role)


@route("GET", ONE_PROJECT, tag=PROJECTS, summary="Show a project", answers=ProjectOut)
def show_project(caller: Caller, project_id: UUID) -> ProjectOut:
    return _project_again(caller, project_id)


@route(
    "PATCH",
    ONE_PROJECT,
    tag=PROJECTS,
    summary="Rename a project",
    may=May.ORGANIZE,
    body=ProjectIn,
    answers=ProjectOut,
)
def rename_project(caller: Caller, project_id: UUID, body: ProjectIn) -> ProjectOut:
    return _project(projects.rename(caller, project_id, body.name), caller.role)


@route(
    "DELETE",
    ONE_PROJECT,
    tag=PROJECTS,
    summary="Delete a project with everything in it",
    may=May.ORGANIZE,
    status=204,
)
def delete_project(caller: Caller, project_id: UUID) -> None:
    projects.delete(caller, project_id)


# --- members ---------------------------------------------------------------------------------


def _member(pair: tuple[Member, User]) -> MemberOut:
    member, user = pair
    return MemberOut(
        id=member.id,
        user_id=user.id,
        email=user.email,
        name=user.name,
        role=cast(RoleName, member.role),
        enabled=user.enabled,
        last_login_at=user.last_login_at,
        created_at=member.created_at,
    )


@route(
    "GET",
    "/members",
    tag=MEMBERS,
    summary="List the project's members by e-mail address",
    may=May.ADMINISTER,
    query=PageQuery,
    answers=Page[MemberOut],
)
def list_members(caller: Caller, query: PageQuery) -> Page[MemberOut]:
    found = select(Member, User).join(User, User.id == Member.user_id).where(members.in_scope(caller))
    rows = db.session.execute(found.order_by(User.email, Member.id).limit(query.limit).offset(query.offset))
    return page_of([_member((member, user)) for member, user in rows], query, members.count_members(caller))


@route(
    "POST",
    "/members",
    tag=MEMBERS,
    summary="Give a person a role",
    may=May.ADMINISTER,
    body=MemberIn,
    answers=MemberOut,
    status=201,
    replay=lambda caller, member_id: _member(members.find(caller, member_id)),
)
def add_member(caller: Caller, body: MemberIn) -> MemberOut:
    return _member(members.add(caller, body))


@route(
    "PATCH",
    ONE_MEMBER,
    tag=MEMBERS,
    summary="Change a member's role",
    may=May.ADMINISTER,
    body=MemberChange,
    answers=MemberOut,
)
def change_member(caller: Caller, member_id: UUID, body: MemberChange) -> MemberOut:
    found = members.find(caller, member_id)
    if body.role is not None:
        found = members.change(caller, member_id, body.role)
    if body.enabled is not None:
        found = members.switch(caller, member_id, enabled=body.enabled)
    return _member(found)


@route(
    "DELETE",
    ONE_MEMBER,
    tag=MEMBERS,
    summary="Take a member's role away",
    may=May.ADMINISTER,
    query=RemovalQuery,
    status=204,
)
def remove_member(caller: Caller, member_id: UUID, query: RemovalQuery) -> None:
    members.remove(caller, member_id, revoke_keys=query.revoke_keys)


@route(
    "DELETE",
    f"{ONE_MEMBER}/sessions",
    tag=MEMBERS,
    summary="Sign all browsers of a member out",
    may=May.ADMINISTER,
    status=204,
)
def end_member_sessions(caller: Caller, member_id: UUID) -> None:
    members.end_sessions(caller, member_id)


# --- API keys --------------------------------------------------------------------------------


def _key(key: ApiKey, maker: str | None, is_member: bool) -> ApiKeyOut:
    return ApiKeyOut(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        role=cast(RoleName, key.role),
        last_used_at=key.last_used_at,
        expires_at=key.expires_at,
        created_at=key.created_at,
        created_by=maker,
        creator_is_member=is_member,
    )


def _new_key(caller: Caller, key: ApiKey, text: str | None) -> NewApiKeyOut:
    return NewApiKeyOut(**_key(key, *api_keys.maker_of(caller, key)).model_dump(), key=text)


@route(
    "GET",
    "/api-keys",
    tag=KEYS,
    summary="List the project's API keys by name",
    may=May.ADMINISTER,
    query=PageQuery,
    answers=Page[ApiKeyOut],
)
def list_keys(caller: Caller, query: PageQuery) -> Page[ApiKeyOut]:
    found = api_keys.listed(caller)
    rows = db.session.execute(found.order_by(ApiKey.name, ApiKey.id).limit(query.limit).offset(query.offset))
    return page_of([_key(*row) for row in rows], query, pagination.count(found))


@route(
    "POST",
    "/api-keys",
    tag=KEYS,
    summary="Make an API key; it is shown this once",
    may=May.ADMINISTER,
    body=ApiKeyIn,
    answers=NewApiKeyOut,
    status=201,
    replay=lambda caller, key_id: _new_key(caller, api_keys.find(caller, key_id), None),
)
def create_key(caller: Caller, body: ApiKeyIn) -> NewApiKeyOut:
    return _new_key(caller, *api_keys.create(caller, body))


@route("DELETE", ONE_KEY, tag=KEYS, summary="Revoke an API key", may=May.ADMINISTER, status=204)
def revoke_key(caller: Caller, key_id: UUID) -> None:
    api_keys.revoke(caller, key_id)
