"""Tokens of forms that create something, so that a second click or a reload creates nothing more."""

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
    """Return the token for a form: a new one, or the sent one if the form is shown again with errors."""
    return _sent() or secrets.token_urlsafe(18)


def create(caller: Caller, save: Callable[[], Any]) -> tuple[UUID, Any]:
    """Return (id, row) of what `save` creates. The row is None if the same form created it before. This does not commit."""
    sent = _sent()
    if not sent:
        created = save()
        return created.id, created
    typed = [pair for pair in request.form.items(multi=True) if pair[0] not in _NOT_TYPED]
    before = form_claims.claim(caller, request.path, sent, typed)
    if before is not None:
        return before, None
    created = save()
    form_claims.remember(caller, sent, typed, created.id)
    return created.id, created


def _sent() -> str:
    text = request.form.get(FIELD, "")
    return text if len(text) in _LENGTH else ""
