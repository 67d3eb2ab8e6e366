"""/api/maintenance-windows: list, make, show, change, end, delete."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import selectinload

from models.tables import MaintenanceWindow
from web.api.pagination import Page, page_of
from web.api.route import May, route
from web.features.maintenance_windows import scope as window_scope
from web.features.maintenance_windows import service as maintenance
from web.features.maintenance_windows.schemas import WindowIn, WindowOut, WindowsQuery
from web.features.maintenance_windows.service import shown, shown_saved
from web.http import pagination
from web.http.auth import Caller

TAG = "Maintenance windows"
ONE = "/maintenance-windows/<uuid:window_id>"


def _again(who: Caller, window_id: UUID) -> WindowOut:
    return shown(maintenance.find(who, window_id))


@route(
    "GET",
    "/maintenance-windows",
    tag=TAG,
    summary="List maintenance windows by name",
    query=WindowsQuery,
    answers=Page[WindowOut],
)
def list_windows(who: Caller, query: WindowsQuery) -> Page[WindowOut]:
    rows, total = pagination.fetch(
        maintenance.query(who, query, datetime.now(UTC)).options(selectinload(MaintenanceWindow.links)), query
    )
    names = window_scope.names_of(rows)
    return page_of([shown(row, names) for row in rows], query, total)


@route(
    "POST",
    "/maintenance-windows",
    tag=TAG,
    summary="Plan maintenance, or begin it now",
    may=May.EDIT,
    body=WindowIn,
    raw_body=True,
    answers=WindowOut,
    status=201,
    replay=_again,
)
def create_window(who: Caller, body: dict[str, Any]) -> WindowOut:
    return shown_saved(maintenance.create(who, body))


@route("GET", ONE, tag=TAG, summary="Show a maintenance window", answers=WindowOut)
def show_window(who: Caller, window_id: UUID) -> WindowOut:
    return _again(who, window_id)


@route(
    "PUT",
    ONE,
    tag=TAG,
    summary="Change a maintenance window; absent fields stay as they are",
    may=May.EDIT,
    body=WindowIn,
    raw_body=True,
    answers=WindowOut,
)
@route(
    "PATCH",
    ONE,
    tag=TAG,
    summary="Change a maintenance window; absent fields stay as they are",
    may=May.EDIT,
    body=WindowIn,
    raw_body=True,
    answers=WindowOut,
)
def change_window(who: Caller, window_id: UUID, body: dict[str, Any]) -> WindowOut:
    return shown_saved(maintenance.change(who, window_id, body))


@route(
    "POST",
    f"{ONE}/end",
    tag=TAG,
    summary="End the window's present time now; 409 where it is not on",
    may=May.EDIT,
    answers=WindowOut,
)
def end_window(who: Caller, window_id: UUID) -> WindowOut:
    return shown(maintenance.end(who, window_id))


@route("DELETE", ONE, tag=TAG, summary="Delete a maintenance window", may=May.EDIT, status=204)
def delete_window(who: Caller, window_id: UUID) -> None:
    maintenance.delete(who, window_id)
