"""/api/notification-providers: list, make, show, change, delete, try out."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from models.tables import NotificationProvider
from web.api.pagination import Page, page_of
from web.api.route import May, route
from web.features.notification_providers import health as provider_health
from web.features.notification_providers import service as providers
from web.features.notification_providers import trials as provider_trials
from web.features.notification_providers import uses as provider_uses
from web.features.notification_providers.schemas import ProviderIn, ProviderOut, ProvidersQuery, TestOut, UsedOut
from web.features.notification_providers.service import shown, shown_saved
from web.http import pagination
from web.http.auth import Caller

TAG = "Notification providers"
ONE = "/notification-providers/<uuid:provider_id>"


def _again(who: Caller, provider_id: UUID) -> ProviderOut:
    return shown(providers.find(who, provider_id))


@route(
    "GET",
    "/notification-providers",
    tag=TAG,
    summary="List providers by name",
    query=ProvidersQuery,
    answers=Page[ProviderOut],
)
def list_providers(who: Caller, query: ProvidersQuery) -> Page[ProviderOut]:
    found = select(NotificationProvider).where(NotificationProvider.project_id == who.project_id)
    if query.type:
        found = found.where(NotificationProvider.type == query.type)
    rows, total = pagination.fetch(found.order_by(NotificationProvider.name, NotificationProvider.id), query)
    figures = provider_health.count([row.id for row in rows])
    return page_of([shown(row, figures[row.id]) for row in rows], query, total)


@route(
    "POST",
    "/notification-providers",
    tag=TAG,
    summary="Make a provider",
    may=May.EDIT,
    body=ProviderIn,
    raw_body=True,
    answers=ProviderOut,
    status=201,
    replay=_again,
)
def create_provider(who: Caller, body: dict[str, Any]) -> ProviderOut:
    return shown_saved(providers.create(who, body))


@route(
    "POST",
    "/notification-providers/test",
    tag=TAG,
    summary="Send a real test message through a provider that is not saved; 200 also when it failed. With the `id` of a"
    " provider, the body is a change to it, and masked secrets stand for its own",
    may=May.EDIT,
    body=ProviderIn,
    raw_body=True,
    answers=TestOut,
)
def test_unsaved_provider(who: Caller, body: dict[str, Any]) -> TestOut:
    return provider_trials.try_unsaved(who, body, provider_trials.id_in(body))


@route("GET", ONE, tag=TAG, summary="Show a provider", answers=ProviderOut)
def show_provider(who: Caller, provider_id: UUID) -> ProviderOut:
    return _again(who, provider_id)


@route(
    "PUT",
    ONE,
    tag=TAG,
    summary="Change a provider; absent fields stay as they are",
    may=May.EDIT,
    body=ProviderIn,
    raw_body=True,
    answers=ProviderOut,
)
@route(
    "PATCH",
    ONE,
    tag=TAG,
    summary="Change a provider; absent fields stay as they are",
    may=May.EDIT,
    body=ProviderIn,
    raw_body=True,
    answers=ProviderOut,
)
def change_provider(who: Caller, provider_id: UUID, body: dict[str, Any]) -> ProviderOut:
    changed = providers.change(who, provider_id, body)
    answer = shown_saved(changed)
    answer.warnings += provider_uses.warnings(changed)
    return answer


@route(
    "POST",
    f"{ONE}/use-for-all",
    tag=TAG,
    summary="Have every monitor of the project notify the provider",
    may=May.EDIT,
    answers=UsedOut,
)
def use_provider_for_all(who: Caller, provider_id: UUID) -> UsedOut:
    return UsedOut(added=provider_uses.use_for_all(who, provider_id))


@route("DELETE", ONE, tag=TAG, summary="Delete a provider", may=May.EDIT, status=204)
def delete_provider(who: Caller, provider_id: UUID) -> None:
    providers.delete(who, provider_id)


@route(
    "POST",
    f"{ONE}/test",
    tag=TAG,
    summary="Send a real test message; 200 also when it failed",
    may=May.EDIT,
    answers=TestOut,
)
def test_provider(who: Caller, provider_id: UUID) -> TestOut:
    return provider_trials.try_out(who, provider_id)
