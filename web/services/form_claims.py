"""A form that is sent twice creates once: its token and what was typed are claimed together with what it makes."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from models.tables import IdempotencyKey
from web.http.auth import Caller
from web.http.extensions import db

_PREFIX = "form:"


def claim(caller: Caller, route: str, token: str, sent: Iterable[tuple[str, str]]) -> UUID | None:
    """Claim the form `token` with the inputs `sent`; the id of what they made before, None if it is to be made now.

    The claim belongs to the transaction: a second submission waits for the end of the first. The same token with other
    inputs is another claim, for a form that is changed and sent again from the browser's history.
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


def remember(caller: Caller, token: str, sent: Iterable[tuple[str, str]], made: UUID) -> None:
    """Store what the form made, in the same transaction."""
    row = db.session.get_one(IdempotencyKey, (caller.project_id, _key(token, sent)))
    row.response_status, row.response_body = 303, {"id": str(made)}


def _key(token: str, sent: Iterable[tuple[str, str]]) -> str:
    # The token is random: without it nobody can look for a typed password in the digest.
    digest = hashlib.sha256(repr((token, sorted(sent))).encode(errors="surrogatepass"))
    return _PREFIX + digest.hexdigest()
