"""/api/tags: the tags of monitors, and how many monitors have each."""

from sqlalchemy import func, select

from models.tables import Monitor
from web.api.pagination import Page, PageQuery, page_of
from web.api.route import May, route
from web.features.tags import service as tags
from web.features.tags.schemas import TagIn, TagOut, TagRename
from web.http import pagination
from web.http.auth import Caller
from web.http.extensions import db

TAG = "Tags"
ONE = "/tags/<string:name>"


@route("GET", "/tags", tag=TAG, summary="List tags by name", query=PageQuery, answers=Page[TagOut])
def list_tags(caller: Caller, query: PageQuery) -> Page[TagOut]:
    words = select(func.unnest(Monitor.tags).label("name")).where(Monitor.project_id == caller.project_id).subquery()
    found = select(words.c.name, func.count().label("monitors")).group_by(words.c.name)
    rows = db.session.execute(found.order_by(words.c.name).limit(query.limit).offset(query.offset)).all()
    return page_of([TagOut(name=name, monitors=count) for name, count in rows], query, pagination.count(found))


@route(
    "POST",
    "/tags",
    tag=TAG,
    summary="Add a tag to monitors",
    may=May.EDIT,
    body=TagIn,
    answers=TagOut,
    status=201,
)
def add_tag(caller: Caller, body: TagIn) -> TagOut:
    return TagOut(name=body.name, monitors=tags.add(caller, body.name, body.monitor_ids))


@route("PATCH", ONE, tag=TAG, summary="Rename a tag everywhere", may=May.EDIT, body=TagRename, answers=TagOut)
def rename_tag(caller: Caller, name: str, body: TagRename) -> TagOut:
    return TagOut(name=body.name, monitors=tags.rename(caller, name, body.name))


@route("DELETE", ONE, tag=TAG, summary="Remove a tag from every monitor", may=May.EDIT, status=204)
def remove_tag(caller: Caller, name: str) -> None:
    tags.remove(caller, name)
