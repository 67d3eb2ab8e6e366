"""/api/members: the members of the project and their roles."""

from typing import cast
from uuid import UUID

from sqlalchemy import select

from models.tables import Member, User
from web.api.pagination import Page, PageQuery, page_of
from web.api.route import May, route
from web.features.members import service as members
from web.features.members.schemas import MemberChange, MemberIn, MemberOut, RemovalQuery, RoleName
from web.http.auth import Caller
from web.http.extensions import db

TAG = "Members"
ONE = "/members/<uuid:member_id>"


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
    tag=TAG,
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
    tag=TAG,
    summary="Add a member",
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
    ONE,
    tag=TAG,
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
        found = members.set_enabled(caller, member_id, enabled=body.enabled)
    return _member(found)


@route(
    "DELETE",
    ONE,
    tag=TAG,
    summary="Remove a member",
    may=May.ADMINISTER,
    query=RemovalQuery,
    status=204,
)
def remove_member(caller: Caller, member_id: UUID, query: RemovalQuery) -> None:
    members.remove(caller, member_id, revoke_keys=query.revoke_keys)


@route(
    "DELETE",
    f"{ONE}/sessions",
    tag=TAG,
    summary="End all sessions of a member",
    may=May.ADMINISTER,
    status=204,
)
def end_member_sessions(caller: Caller, member_id: UUID) -> None:
    members.end_sessions(caller, member_id)
