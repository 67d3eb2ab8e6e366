"""/api/api-keys: the API keys of the project."""

from typing import cast
from uuid import UUID

from models.tables import ApiKey
from web.api.pagination import Page, PageQuery, page_of
from web.api.route import May, route
from web.features.api_keys import service as api_keys
from web.features.api_keys.schemas import ApiKeyIn, ApiKeyOut, NewApiKeyOut
from web.features.members.schemas import RoleName
from web.http import pagination
from web.http.auth import Caller
from web.http.extensions import db

TAG = "API keys"
ONE = "/api-keys/<uuid:key_id>"


def _key(key: ApiKey, creator: str | None, is_member: bool) -> ApiKeyOut:
    return ApiKeyOut(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        role=cast(RoleName, key.role),
        last_used_at=key.last_used_at,
        expires_at=key.expires_at,
        created_at=key.created_at,
        created_by=creator,
        creator_is_member=is_member,
    )


def _new_key(caller: Caller, key: ApiKey, text: str | None) -> NewApiKeyOut:
    return NewApiKeyOut(**_key(key, *api_keys.creator_of(caller, key)).model_dump(), key=text)


@route(
    "GET",
    "/api-keys",
    tag=TAG,
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
    tag=TAG,
    summary="Create an API key; it is shown only once",
    may=May.ADMINISTER,
    body=ApiKeyIn,
    answers=NewApiKeyOut,
    status=201,
    replay=lambda caller, key_id: _new_key(caller, api_keys.find(caller, key_id), None),
)
def create_key(caller: Caller, body: ApiKeyIn) -> NewApiKeyOut:
    return _new_key(caller, *api_keys.create(caller, body))


@route("DELETE", ONE, tag=TAG, summary="Revoke an API key", may=May.ADMINISTER, status=204)
def revoke_key(caller: Caller, key_id: UUID) -> None:
    api_keys.revoke(caller, key_id)
