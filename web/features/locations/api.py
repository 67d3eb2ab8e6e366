"""/api/locations: the locations that checks run from."""

from collections.abc import Sequence
from typing import Any, cast

from models.rules import locations as rules
from models.tables import Location
from web.api.pagination import Page, PageQuery, page_of
from web.api.route import May, route
from web.features.locations import health as location_health
from web.features.locations import service as locations
from web.features.locations.schemas import LocationChange, LocationIn, LocationOut
from web.http.auth import Caller
from web.http.errors import not_found
from web.http.extensions import db

TAG = "Locations"
ONE = "/locations/<string:code>"


@route(
    "GET",
    "/locations",
    tag=TAG,
    summary="List the locations that checks run from, the default first",
    query=PageQuery,
    answers=Page[LocationOut],
)
def list_locations(caller: Caller, query: PageQuery) -> Page[LocationOut]:  # noqa: ARG001 - everybody's
    rows = rules.ordered(db.session())
    default = rules.default_of(rows)
    rows.sort(key=lambda row: row.code != default)
    return page_of(_locations(rows)[query.offset : query.offset + query.limit], query, len(rows))


@route(
    "POST",
    "/locations",
    tag=TAG,
    summary="Add a location",
    may=May.ORGANIZE,
    body=LocationIn,
    answers=LocationOut,
    status=201,
    replay=lambda caller, code: cast(LocationOut, show_location(caller, code)),
    coded=True,
)
def add_location(caller: Caller, body: LocationIn) -> LocationOut:
    return _location(locations.add(caller, body.code, body.name))


@route("GET", ONE, tag=TAG, summary="Show a location", answers=LocationOut)
def show_location(caller: Caller, code: str) -> LocationOut:  # noqa: ARG001 - everybody's
    row = db.session.get(Location, code)
    if row is None:
        raise not_found("location")
    return _location(row)


_CHANGE: dict[str, Any] = {
    "tag": TAG,
    "summary": "Rename a location, switch it on or off, or make it the default one",
    "may": May.ORGANIZE,
    "body": LocationChange,
    "answers": LocationOut,
}


@route("PUT", ONE, **_CHANGE)
@route("PATCH", ONE, **_CHANGE)
def change_location(caller: Caller, code: str, body: LocationChange) -> LocationOut:
    return _location(locations.change(caller, code, **body.model_dump()))


@route("DELETE", ONE, tag=TAG, summary="Remove a location that nothing names", may=May.ORGANIZE, status=204)
def remove_location(caller: Caller, code: str) -> None:
    locations.remove(caller, code)


def _location(row: Location) -> LocationOut:
    return next(one for one in _locations(rules.ordered(db.session())) if one.code == row.code)


def _locations(rows: Sequence[Location]) -> list[LocationOut]:
    health = location_health.current()
    default = rules.default_of(rows)
    return [
        LocationOut(
            code=row.code,
            name=row.name,
            queue=f"monitor-execution.{row.code}",
            enabled=row.enabled,
            default=row.code == default,
            workers_online=None if health is None else health.workers[row.code],
            last_seen_at=row.last_seen_at,
            rounds_unanswered=None if health is None else health.unanswered[row.code],
        )
        for row in rows
    ]
