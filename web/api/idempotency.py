"""`Idempotency-Key`: a creating request that is sent twice creates once, and has the same response twice.

The id of the created object is stored, not the response, because a response may contain a secret that is shown once.
"""

import hashlib
import hmac

from flask import request
from sqlalchemy.dialects.postgresql import insert

import settings
from models.tables import IdempotencyKey
from web.http.auth import Caller
from web.http.errors import Problem, invalid
from web.http.extensions import db

HEADER = "Idempotency-Key"
_MAX_LENGTH = 255


def _key() -> bytes:
    """Return the key of the hashes. It prevents guessing passwords in bodies from a stolen table."""
    return hmac.new(settings.get().secret_key.encode(), b"idempotency-key", hashlib.sha256).digest()


def begin(caller: Caller) -> str | None:
    """Claim the request's key. Return the id or code of the object it created before, or None if there is none.

    The claim is part of the transaction: a second request with the same key waits for the first to end.
    Raise a 409 `Problem` if another request used the key before.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 0 < len(key) <= _MAX_LENGTH or not key.isascii() or not key.isprintable():
        raise invalid({HEADER: f"Must have 1 to {_MAX_LENGTH} printable ASCII characters."})
    route = f"{request.method} {request.path}"
    digest = hmac.new(_key(), request.get_data(), hashlib.sha256).digest()
    claimed = db.session.scalar(
        insert(IdempotencyKey)
        .values(
            project_id=caller.project_id,
            key=key,
            route=route,
            request_hash=digest,
            response_status=0,
            response_body={},
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    if claimed:
        return None
    row = db.session.get_one(IdempotencyKey, (caller.project_id, key))
    if row.route != route or row.request_hash != digest:
        raise Problem(409, "Another request has used this Idempotency-Key.", code="IDEMPOTENCY_KEY_REUSED")
    return str(row.response_body["id"])


def finish(caller: Caller, created: str, status: int) -> None:
    """Store the id or code of the object that the request created, in the same transaction."""
    key = request.headers.get(HEADER)
    if key is not None:
        row = db.session.get_one(IdempotencyKey, (caller.project_id, key))
        row.response_status = status
        row.response_body = {"id": created}
