"""HTTP calls of channels.

Every request uses a new connection. Reusing one would save a round trip, but a service may close it while the request is
written. Then it is unknown whether the message was accepted, and it would be lost or sent twice.
"""

import base64
import email.utils
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, unquote_to_bytes, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

import host_names
import redaction
from notifications.dial import CONNECT_SECONDS, dial, tls_context
from notifications.notice import NotificationError
from notifications.plain import line

READ_SECONDS = 10.0
REPLY_BYTES = 64 * 1024
#: Characters of a reply that are searched for secrets, in order to quote some 200 of them.
QUOTED_CHARACTERS = 4096
MAX_RETRY_AFTER_SECONDS = 86_400.0

#: Statuses that are worth a retry; all others from 300 to 499 are permanent errors.
_TRANSIENT = frozenset({302, 303, 307, 408, 425, 429})
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


class Reply(NamedTuple):
    """The response of a service; `text` is untrusted and must be sanitized before it is shown."""

    status: int
    text: str


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return dial(self._dns_host, self.port or 80, time.monotonic() + CONNECT_SECONDS + READ_SECONDS)


class _TLSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return dial(self._dns_host, self.port or 443, time.monotonic() + CONNECT_SECONDS + READ_SECONDS)

    def connect(self) -> None:
        self.ssl_context = tls_context("http")
        super().connect()
        self.sock.deadline = time.monotonic() + READ_SECONDS  # type: ignore[union-attr]  # a BoundedTLSSocket


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _GuardedAdapter(HTTPAdapter):
    """Connects through `dial`; host header, SNI and certificate name are those of the URL."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Do nothing: `tls_context` has the authorities. requests would read its bundle again for every connection."""


class GuardedSession(requests.Session):
    """A session for one request: guarded, limited in time and size, without redirects, proxies and netrc."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.headers = requests.structures.CaseInsensitiveDict(
            {"User-Agent": "Supercheck", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
        )
        self.mount("http://", _GuardedAdapter())
        self.mount("https://", _GuardedAdapter())

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare `request`, with its host converted to ASCII and its login encoded as UTF-8 (RFC 7617).

        requests does not support emoji in hosts, and encodes logins as Latin-1 or fails.
        """
        request.auth = _login(request)
        request.url = host_names.ascii_url(str(request.url))
        return super().prepare_request(request)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: otherwise requests reads the whole body of a redirect, whatever its length."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        """Return the response with at most `REPLY_BYTES` of its body."""
        response = super().send(
            request,
            stream=True,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            verify=True,
            allow_redirects=False,
            proxies={},
        )
        body = b""
        with response, suppress(HTTPError, OSError):  # the status is known, and a broken body does not change it
            body = response.raw.read(REPLY_BYTES, decode_content=False)
        response.raw = BytesIO(body)
        return response


def _login(request: requests.Request) -> Any:
    """Return the login of `request` or of its URL; basic authentication as bytes."""
    auth = request.auth
    if auth is None:
        try:
            parts = urlsplit(str(request.url))
        except ValueError:
            return None  # requests reports the invalid URL
        if parts.username is None:
            return None
        # Percent-encoded bytes are sent as they are, whatever their charset.
        return unquote_to_bytes(parts.username), unquote_to_bytes(parts.password or "")
    if isinstance(auth, tuple) and len(auth) == 2:
        return tuple(part.encode() if isinstance(part, str) else part for part in auth)
    return auth


def post(url: str, body: bytes, headers: Mapping[str, str], method: str = "POST", secrets: Sequence[str] = ()) -> Reply:
    """Send `body` to `url` and return the reply. Raise `NotificationError` if the service did not accept it.

    The error names the host and quotes the reply, without the URL, the headers and `secrets`.
    """
    try:
        with GuardedSession() as session:
            # The library encodes headers as Latin-1. Decoding their UTF-8 bytes as Latin-1 makes it send UTF-8, as checks do.
            sent = {name: value.encode().decode("latin-1") for name, value in headers.items()}
            response = session.request(method, url, data=body, headers=sent)
    except (requests.RequestException, ValueError) as error:
        raise failure(url, error) from None
    check_response(response, [url, *headers.values(), *secrets])
    return Reply(response.status_code, _text(response))


def failure(url: str, error: Exception) -> NotificationError:
    """Return the error for a failed call to `url`. The text of `error` is not used, because it contains the URL."""
    if isinstance(error, ValueError):  # requests raises ValueErrors for invalid URLs and headers
        return NotificationError("The URL cannot be called.", permanent=True)
    return NotificationError(f"{_host(url)} {_what_happened(error)}", permanent=False)


def check_response(response: requests.Response, secrets: Sequence[str]) -> None:
    """Raise `NotificationError` unless `response` is 2xx. Its text contains neither `secrets` nor parts of URLs among them."""
    status = response.status_code
    if 200 <= status < 300:
        return
    # The header that was made from the URL's user-info, or by an Apprise service.
    login = str(response.request.headers.get("Authorization") or "")
    secrets = [*secrets, login, login.partition(" ")[2]]
    permanent = 300 <= status < 500 and status not in _TRANSIENT
    piece = line(redact(_text(response), secrets), 200)
    message = f"{_host(response.url)} responded with HTTP {status}" + (f": {piece}" if piece else ".")
    wait = None if permanent else _wait(response)
    raise NotificationError(message, permanent=permanent, retry_after=wait, outage=status >= 500)


def retry_after(value: str, now: datetime) -> float | None:
    """Return the delay of a `Retry-After` header (seconds or a date) in seconds, 0 to a day; None if it is invalid."""
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        seconds = float(value)
    else:
        try:
            moment = email.utils.parsedate_to_datetime(value)
        except (ValueError, IndexError, TypeError):
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _wait(response: requests.Response) -> float | None:
    """Return the delay that the service asks for: in the header, or in the body's `retry_after` (Telegram, Discord)."""
    seconds = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
    if seconds is not None:
        return seconds
    with suppress(ValueError, RecursionError):
        body = json.loads(_text(response))
        if isinstance(body, dict):
            inner = body.get("parameters")
            said = body.get("retry_after", inner.get("retry_after") if isinstance(inner, dict) else None)
            return None if isinstance(said, bool) else retry_after(str(said), datetime.now(UTC))
    return None


def redact(text: str, secrets: Sequence[str]) -> str:
    """Return the beginning of `text` without URLs, without `secrets` in any encoding, and without the parts of URLs among
    `secrets` that may be credentials.
    """
    text = text[:QUOTED_CHARACTERS]
    parts = set(secrets)
    for secret in secrets:
        if "://" in secret:
            parts |= _secret_parts(secret)
    return _URL.sub(redaction.HIDDEN, redaction.without(text, parts))


def _secret_parts(url: str) -> set[str]:
    with suppress(ValueError):
        parts = urlsplit(url)
        segments = {segment for segment in parts.path.split("/") if len(segment) >= 6}
        values = {value for _, value in parse_qsl(parts.query)}
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        # As basic authentication sends it.
        login = base64.b64encode(f"{user}:{password}".encode()).decode() if password else ""
        return {parts.path, parts.query, user, password, login, *segments, *values}
    return set()


def _host(url: str) -> str:
    try:
        return line(urlsplit(url).hostname or "", 100) or "The service"
    except ValueError:
        return "The service"


def _text(response: requests.Response) -> str:
    return response.content.decode("utf-8", "replace")


def _what_happened(error: Exception) -> str:
    causes = list(_causes(error))
    if any(isinstance(cause, requests.exceptions.Timeout | TimeoutError) for cause in causes):
        return "did not respond in time."
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"has an untrusted certificate: {line(cause.verify_message, 200)}."
    if isinstance(error, requests.exceptions.SSLError):
        return "failed the TLS handshake."
    return "closed the connection or sent an invalid HTTP response."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
