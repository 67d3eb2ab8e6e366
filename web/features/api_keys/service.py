"""Creating and revoking API keys. A key is shown once; only its hash is stored."""

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
    """Return an active key of the project. Raise a 404 `Problem` if there is none."""
    key = db.session.scalar(
        select(ApiKey).where(ApiKey.id == key_id, ApiKey.project_id == caller.project_id, ApiKey.revoked_at.is_(None))
    )
    if key is None:
        raise not_found("API key")
    return key


def create(caller: Caller, wanted: ApiKeyIn) -> tuple[ApiKey, str]:
    """Return the row and the text of a new key. Raise a 403 or 422 `Problem` if it is not allowed or not valid."""
    if outranks(Role(wanted.role), caller.role):
        raise Problem(403, "You cannot grant a role higher than your own.")
    if wanted.expires_at is not None and wanted.expires_at <= datetime.now(UTC):
        raise invalid({"expiresAt": "Must be in the future."})
    text = _MARK + secrets.token_urlsafe(32)
    key = ApiKey(
        id=uuid4(),
        project_id=caller.project_id,
        name=wanted.name,
        prefix=text[:_PREFIX_LENGTH],
        key_hash=hash_of_key(text),
        role=wanted.role,
        created_by=_creator(caller),
        expires_at=wanted.expires_at,
    )
    db.session.add(key)
    audit_events.record(caller, "api_key.created", "api_key", key.id, name=key.name, role=key.role)
    db.session.flush()
    return key, text


def _creator(caller: Caller) -> UUID | None:
    """Return the person behind the caller. The creator of a key is also that of the keys which that key creates."""
    if caller.api_key_id is None:
        return caller.user_id
    return db.session.scalar(select(ApiKey.created_by).where(ApiKey.id == caller.api_key_id))


def listed(caller: Caller) -> Select[ApiKey, str | None, bool]:
    """Return the project's active keys, each with its creator's address, and whether the creator is still a member with
    an enabled account. The command line creates keys without a creator.
    """
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


def creator_of(caller: Caller, key: ApiKey) -> tuple[str | None, bool]:
    """Return the same as `listed` for one key."""
    row = db.session.execute(listed(caller).where(ApiKey.id == key.id)).one()
    return row[1], row[2]


def revoke(caller: Caller, key_id: UUID) -> None:
    """Revoke the key at once. Raise a 404 `Problem` if there is none."""
    key = find(caller, key_id)
    key.revoked_at = db.session.scalar(select(func.now()))
    audit_events.record(caller, "api_key.revoked", "api_key", key.id, name=key.name)
    db.session.flush()
