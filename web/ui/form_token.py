"""A form that makes something carries a token, so that a second click, or a reload, makes nothing more."""

import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import request

from web.http.auth import Caller
from web.services import form_claims

#: The name of the hidden input.
FIELD = "formToken"
_NOT_TYPED = frozenset({FIELD, "csrf_token"})
_LENGTH = range(16, 65)


def token() -> str:
    """The token for a form that is shown: a new one, or the one it came with if it is shown again with what is wrong."""
    return _sent() or secrets.token_urlsafe(18)


def create(caller: Caller, save: Callable[[], Any]) -> tuple[UUID, Any]:
    """(id, row) of what `save` makes; the row is None if the same form made it before. The caller commits."""
    sent = _sent()
    if not sent:
        made = save()
        return made.id, made
    typed = [pair for pair in request.form.items(multi=True) if pair[0] not in _NOT_TYPED]
    before = form_claims.claim(caller, request.path, sent, typed)
    if before is not None:
        return before, None
    made = save()
    form_claims.remember(caller, sent, typed, made.id)
    return made.id, made


def _sent() -> str:
    text = request.form.get(FIELD, "")
    return text if len(text) in _LENGTH else ""
