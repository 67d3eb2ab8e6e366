"""/api/projects, /api/members, /api/api-keys, /api/audit: who may do what, and who did."""

from typing import cast
from uuid import UUID

from sqlalchemy import select

from models.tables import ApiKey, AuditEvent, Member, Project, User
from web import history
from web.api import paging
from web.api.route import May, route
from web.callers import Caller, projects_of
from web.extensions import db
from web.saving import api_keys, members, projects
from web.schemas.accounts import (
    ApiKeyIn,
    ApiKeyOut,
    AuditOut,
    AuditQuery,
    MemberChange,
    MemberIn,
    MemberOut,
    NewApiKeyOut,
    ProjectIn,
    ProjectOut,
    RoleName,
)
from web.schemas.lists import Page, PageQuery, page_of

PROJECTS, MEMBERS, KEYS = "Projects", "Members", "API keys"
ONE_PROJECT, ONE_MEMBER, ONE_KEY = "/projects/<uuid:project_id>", "/members/<uuid:member_id>", "/api-keys/<uuid:key_id>"


# --- projects --------------------------------------------------------------------------------


def _project(project: Project, role: str) -> ProjectOut:
    return ProjectOut(id=project.id, name=project.name, role=cast(RoleName, role), created_at=project.created_at)


def _project_again(who: Caller, project_id: UUID) -> ProjectOut:
    return _project(projects.find(who, project_id), who.role)


@route(
    "GET", "/projects", tag=PROJECTS, summary="List your projects by name", query=PageQuery, answers=Page[ProjectOut]
)
def list_projects(who: Caller, query: PageQuery) -> Page[ProjectOut]:
    found = projects_of(who.user_id) if who.user_id else [(projects.find(who, who.project_id), who.role)]
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
def create_project(who: Caller, body: ProjectIn) -> ProjectOut:
    return _project(projects.create(who, body.name), who.role)


@route("GET", ONE_PROJECT, tag=PROJECTS, summary="Show a project", answers=ProjectOut)
def show_project(who: Caller, project_id: UUID) -> ProjectOut:
    return _project_again(who, project_id)


@route(
    "PATCH",
    ONE_PROJECT,
    tag=PROJECTS,
    summary="Rename a project",
    may=May.ORGANIZE,
    body=ProjectIn,
    answers=ProjectOut,
)
def rename_project(who: Caller, project_id: UUID, body: ProjectIn) -> ProjectOut:
    return _project(projects.rename(who, project_id, body.name), who.role)


@route(
    "DELETE",
    ONE_PROJECT,
    tag=PROJECTS,
    summary="Delete a project with everything in it",
    may=May.ORGANIZE,
    status=204,
)
def delete_project(who: Caller, project_id: UUID) -> None:
    projects.delete(who, project_id)


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
def list_members(who: Caller, query: PageQuery) -> Page[MemberOut]:
    found = select(Member, User).join(User, User.id == Member.user_id).where(members.in_scope(who))
    rows = db.session.execute(found.order_by(User.email, Member.id).limit(query.limit).offset(query.offset))
    return page_of([_member((member, user)) for member, user in rows], query, members.count_members(who))


@route(
    "POST",
    "/members",
    tag=MEMBERS,
    summary="Give a person a role",
    may=May.ADMINISTER,
    body=MemberIn,
    answers=MemberOut,
    status=201,
    replay=lambda who, member_id: _member(members.find(who, member_id)),
)
def add_member(who: Caller, body: MemberIn) -> MemberOut:
    return _member(members.add(who, body))


@route(
    "PATCH",
    ONE_MEMBER,
    tag=MEMBERS,
    summary="Change a member's role",
    may=May.ADMINISTER,
    body=MemberChange,
    answers=MemberOut,
)
def change_member(who: Caller, member_id: UUID, body: MemberChange) -> MemberOut:
    return _member(members.change(who, member_id, body.role))


@route("DELETE", ONE_MEMBER, tag=MEMBERS, summary="Take a member's role away", may=May.ADMINISTER, status=204)
def remove_member(who: Caller, member_id: UUID) -> None:
    members.remove(who, member_id)


# --- API keys --------------------------------------------------------------------------------


def _key(key: ApiKey) -> ApiKeyOut:
    return ApiKeyOut(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        role=cast(RoleName, key.role),
        last_used_at=key.last_used_at,
        expires_at=key.expires_at,
        created_at=key.created_at,
    )


def _new_key(key: ApiKey, text: str | None) -> NewApiKeyOut:
    return NewApiKeyOut(**_key(key).model_dump(), key=text)


@route(
    "GET",
    "/api-keys",
    tag=KEYS,
    summary="List the project's API keys by name",
    may=May.ADMINISTER,
    query=PageQuery,
    answers=Page[ApiKeyOut],
)
def list_keys(who: Caller, query: PageQuery) -> Page[ApiKeyOut]:
    found = select(ApiKey).where(ApiKey.project_id == who.project_id, ApiKey.revoked_at.is_(None))
    rows, total = paging.fetch(found.order_by(ApiKey.name, ApiKey.id), query)
    return page_of([_key(row) for row in rows], query, total)


@route(
    "POST",
    "/api-keys",
    tag=KEYS,
    summary="Make an API key; it is shown this once",
    may=May.ADMINISTER,
    body=ApiKeyIn,
    answers=NewApiKeyOut,
    status=201,
    replay=lambda who, key_id: _new_key(api_keys.find(who, key_id), None),
)
def create_key(who: Caller, body: ApiKeyIn) -> NewApiKeyOut:
    return _new_key(*api_keys.create(who, body))


@route("DELETE", ONE_KEY, tag=KEYS, summary="Revoke an API key", may=May.ADMINISTER, status=204)
def revoke_key(who: Caller, key_id: UUID) -> None:
    api_keys.revoke(who, key_id)


# --- audit -----------------------------------------------------------------------------------


@route(
    "GET",
    "/audit",
    tag="Audit",
    summary="List who did what, the newest first",
    may=May.ADMINISTER,
    query=AuditQuery,
    answers=Page[AuditOut],
)
def list_audit(who: Caller, query: AuditQuery) -> Page[AuditOut]:
    found = history.trail(who.project_id, query.model_dump(exclude={"page", "limit"}))
    newest = found.limit(query.limit).offset(query.offset)
    shown = [_event(event, actor) for event, actor in db.session.execute(newest)]
    return page_of(shown, query, paging.count(found))


def _event(event: AuditEvent, actor: str | None) -> AuditOut:
    return AuditOut(
        id=event.id,
        action=event.action,
        object_type=event.object_type,
        object_id=event.object_id,
        user_id=event.user_id,
        api_key_id=event.api_key_id,
        actor=actor,
        details=event.details,
        ip=event.ip,
        correlation_id=event.correlation_id,
        created_at=event.created_at,
    )
