"""A cookie that records which accounts a browser has signed in to, so that failures of others do not delay it.

The cookie grants nothing. A browser that has it gets its own counters in `web/http/sign_in_delays.py`.
"""

import hashlib
import hmac
import secrets
from typing import Any

from flask import Response, after_this_request, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

import settings

COOKIE = "supercheck_browser"
_SALT = "known-browser"
_DAYS = 365
_MAX_ACCOUNTS = 10


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.get().secret_key, salt=_SALT)


def _mark(email: str) -> str:
    """Return the hash that stands for the account in the cookie, so that the cookie does not reveal the address."""
    key = hashlib.sha256(f"{_SALT}:{settings.get().secret_key}".encode()).digest()
    return hmac.new(key, email.encode(), hashlib.sha256).hexdigest()[:24]


def _read() -> tuple[str, list[str]]:
    """Return the browser's id and the hashes of its accounts, or empty values if there is no valid cookie."""
    try:
        found: Any = _serializer().loads(request.cookies.get(COOKIE, ""), max_age=_DAYS * 24 * 3600)
        return str(found["browser"]), [str(mark) for mark in found["accounts"]]
    except (BadData, KeyError, TypeError):
        return "", []


def known_as(email: str) -> str:
    """Return the id of this browser if it has signed in to the account `email` before, else an empty string."""
    browser, accounts = _read()
    return browser if _mark(email) in accounts else ""


def remember(email: str) -> None:
    """Add the account `email` to the cookie that the response sets."""
    browser, accounts = _read()
    mark = _mark(email)
    kept = [mark, *(other for other in accounts if other != mark)][:_MAX_ACCOUNTS]
    text = str(_serializer().dumps({"browser": browser or secrets.token_urlsafe(16), "accounts": kept}))
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])

    @after_this_request
    def add(response: Response) -> Response:
        response.set_cookie(
            COOKIE, text, max_age=_DAYS * 24 * 3600, path="/login", secure=secure, httponly=True, samesite="Lax"
        )
        return response
