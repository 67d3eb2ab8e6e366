"""Making and revoking API keys: the key itself is shown once and only its hash is kept."""

import secrets
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import Select, exists, func, or_, select

from models.tables import ApiKey, Member, Role, User
from web.features.api_keys.schemas import ApiKeyIn
from web.http.auth import Caller, hash_of_key, outranks
from web.http.errors import Problem, invalid, not_found
from web.http.extensions import db
from web.services import audit_events

_MARK = "sck_"
_PREFIX_LENGTH = 10


def find(caller: Caller, key_id: UUID) -> ApiKey:
    """One of the project's keys that is not revoked. Raises a 404 `Problem`."""
    key = db.session.scalar(
        select(ApiKey).where(ApiKey.id == key_id, ApiKey.project_id == caller.project_id, ApiKey.revoked_at.is_(None))
    )
    if key is None:
        raise not_found("API key")
    return key


def create(caller: Caller, wanted: ApiKeyIn) -> tuple[ApiKey, str]:
    """A new key's row and its text. Raises a 403 or 422 `Problem`."""
    if outranks(Role(wanted.role), caller.role):
        raise Problem(403, f"The role {wanted.role} is mightier than yours.")
    if wanted.expires_at is not None and wanted.expires_at <= datetime.now(UTC):
        raise invalid({"expiresAt": "Must lie in the future."})
    text = _MARK + secrets.token_urlsafe(32)
    key = ApiKey(
        id=uuid4(),
        project_id=caller.project_id,
        name=wanted.name,
        prefix=text[:_PREFIX_LENGTH],
        key_hash=hash_of_key(text),
        role=wanted.role,
        created_by=_maker(caller),
        expires_at=wanted.expires_at,
    )
    db.session.add(key)
    audit_events.record(caller, "api_key.created", "api_key", key.id, name=key.name, role=key.role)
    db.session.flush()
    return key, text


def _maker(caller: Caller) -> UUID | None:
    """The person behind the caller: a key that makes another one passes its own maker on, whose role bounds both."""
    if caller.api_key_id is None:
        return caller.user_id
    return db.session.scalar(select(ApiKey.created_by).where(ApiKey.id == caller.api_key_id))


def listed(caller: Caller) -> Select[ApiKey, str | None, bool]:
    """The project's keys that are not revoked, each with its maker's address and whether that person is still a member
    with an enabled account; keys without a maker were made on the command line."""
    present = exists().where(
        Member.user_id == ApiKey.created_by,
        Member.organization_id == caller.organization_id,
        or_(Member.project_id == caller.project_id, Member.project_id.is_(None)),
    )
    return (
        select(ApiKey, User.email, func.coalesce(User.enabled & present, False))
        .outerjoin(User, User.id == ApiKey.created_by)
        .where(ApiKey.project_id == caller.project_id, ApiKey.revoked_at.is_(None))
    )


def maker_of(caller: Caller, key: ApiKey) -> tuple[str | None, bool]:
    """As `listed`, for one key."""
    row = db.session.execute(listed(caller).where(ApiKey.id == key.id)).one()
    return row[1], row[2]


def revoke(caller: Caller, key_id: UUID) -> None:
    """End the key at once. Raises a 404 `Problem`."""
    key = find(caller, key_id)
    key.revoked_at = db.session.scalar(select(func.now()))
    audit_events.record(caller, "api_key.revoked", "api_key", key.id, name=key.name)
    db.session.flush()
