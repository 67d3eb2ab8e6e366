"""`Idempotency-Key`: a creating request sent twice creates once and is answered alike.

Kept is the id of what was made, not the answer: answers may hold what is shown only once.
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
    """The key of the hashes: without it, a stolen table does not let anybody try out passwords against bodies."""
    return hmac.new(settings.get().secret_key.encode(), b"idempotency-key", hashlib.sha256).digest()


def begin(caller: Caller) -> str | None:
    """Claim the request's key; the id (or the code) of what it made before, or None where it is to be made now.

    The claim belongs to the transaction: a second request with the same key waits for the end of the first.
    Raises a 409 `Problem` where the key came with another request before.
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
        raise Problem(409, "This Idempotency-Key came with another request before.", code="IDEMPOTENCY_KEY_REUSED")
    return str(row.response_body["id"])


def finish(caller: Caller, made: str, status: int) -> None:
    """Remember what the request made, in the same transaction."""
    key = request.headers.get(HEADER)
    if key is not None:
        row = db.session.get_one(IdempotencyKey, (caller.project_id, key))
        row.response_status = status
        row.response_body = {"id": made}
