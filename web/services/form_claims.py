"""A form that is sent twice creates once: its token and inputs are claimed in the transaction that creates."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from models.tables import IdempotencyKey
from web.http.auth import Caller
from web.http.extensions import db

_PREFIX = "form:"


def claim(caller: Caller, route: str, token: str, sent: Iterable[tuple[str, str]]) -> UUID | None:
    """Claim the form `token` with the inputs `sent`. Return the id of what they created before, or None.

    The claim is part of the transaction: a second submission waits for the first to end. The same token with other inputs
    is another claim, because a form may be changed and sent again from the browser's history.
    """
    claimed = db.session.scalar(
        insert(IdempotencyKey)
        .values(
            project_id=caller.project_id,
            key=_key(token, sent),
            route=route,
            request_hash=b"",
            response_status=0,
            response_body={},
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    if claimed:
        return None
    return UUID(db.session.get_one(IdempotencyKey, (caller.project_id, _key(token, sent))).response_body["id"])


def remember(caller: Caller, token: str, sent: Iterable[tuple[str, str]], created: UUID) -> None:
    """Store the id of what the form created, in the same transaction."""
    row = db.session.get_one(IdempotencyKey, (caller.project_id, _key(token, sent)))
    row.response_status, row.response_body = 303, {"id": str(created)}


def _key(token: str, sent: Iterable[tuple[str, str]]) -> str:
    # The token is random, so the digest cannot be used to guess a typed password.
    digest = hashlib.sha256(repr((token, sorted(sent))).encode(errors="surrogatepass"))
    return _PREFIX + digest.hexdigest()
