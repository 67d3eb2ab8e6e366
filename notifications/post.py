"""The one way in which channels speak HTTP.

Every request gets a connection of its own. A kept one would save a round trip, but a service may close it at the
very moment at which we write: nobody could then tell whether the message was taken, and it would be lost or doubled.
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
#: So much of a reply is read in order to quote some 200 characters of it.
QUOTED_CHARACTERS = 4096
LONGEST_WAIT_SECONDS = 86_400.0

#: Answers after which trying again may help; every other one from 300 on is final.
_TRANSIENT = frozenset({302, 303, 307, 408, 425, 429})
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


class Reply(NamedTuple):
    """What a service answered; `text` is hostile and not yet fit to be shown."""

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
        self.sock.ends_at = time.monotonic() + READ_SECONDS  # type: ignore[union-attr]  # a BoundedTLSSocket


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _GuardedAdapter(HTTPAdapter):
    """Sends over connections of `dial`; host header, SNI and the certificate's name stay those of the URL."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the authorities to `tls_context`: requests would read its bundle anew for every connection."""


class GuardedSession(requests.Session):
    """A session for one exchange: guarded, bounded in time and size, no redirects, no proxies, no netrc."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.headers = requests.structures.CaseInsensitiveDict(
            {"User-Agent": "Supercheck", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
        )
        self.mount("http://", _GuardedAdapter())
        self.mount("https://", _GuardedAdapter())

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare `request`: its host in ASCII by our rules, its login in UTF-8 (RFC 7617).

        requests knows no emoji in hosts, and encodes logins as Latin-1 or fails.
        """
        request.auth = _login(request)
        request.url = host_names.ascii_url(str(request.url))
        return super().prepare_request(request)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: otherwise requests reads the whole body of a redirect, however long, to prepare the next one."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        """The answer with at most `REPLY_BYTES` of its body, whatever the caller asked for."""
        response = super().send(
            request,
            stream=True,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            verify=True,
            allow_redirects=False,
            proxies={},
        )
        body = b""
        with response, suppress(HTTPError, OSError):  # the status is known: a broken body takes nothing from it
            body = response.raw.read(REPLY_BYTES, decode_content=False)
        response.raw = BytesIO(body)
        return response


def _login(request: requests.Request) -> Any:
    """The login of `request`, of its URL where it has no other one; basic ones as octets."""
    auth = request.auth
    if auth is None:
        try:
            parts = urlsplit(str(request.url))
        except ValueError:
            return None  # requests says what is wrong with it
        if parts.username is None:
            return None
        # What is escaped in the URL is what the user wrote, whatever the charset.
        return unquote_to_bytes(parts.username), unquote_to_bytes(parts.password or "")
    if isinstance(auth, tuple) and len(auth) == 2:
        return tuple(one.encode() if isinstance(one, str) else one for one in auth)
    return auth


def post(url: str, body: bytes, headers: Mapping[str, str], method: str = "POST", secrets: Sequence[str] = ()) -> Reply:
    """Send `body` to `url`; the reply where the service took it, else `NotificationError`.

    Its text names the host and a piece of the reply. URL and headers count as secrets, and so do `secrets`.
    """
    try:
        with GuardedSession() as session:
            # The library writes Latin-1, or fails: what it takes for that is UTF-8, as checks send it.
            sent = {name: value.encode().decode("latin-1") for name, value in headers.items()}
            response = session.request(method, url, data=body, headers=sent)
    except (requests.RequestException, ValueError) as error:
        raise failure(url, error) from None
    judge_response(response, [url, *headers.values(), *secrets])
    return Reply(response.status_code, _text(response))


def failure(url: str, error: Exception) -> NotificationError:
    """Why no answer came from `url`, in our words: those of `error`, which came instead, would hold the URL."""
    if isinstance(error, ValueError):  # all of requests' "this is no URL" and "this is no header" are ValueErrors
        return NotificationError("The URL is not one that can be called.", permanent=True)
    return NotificationError(f"{_host(url)} {_what_happened(error)}", permanent=False)


def judge_response(response: requests.Response, secrets: Sequence[str]) -> None:
    """Raise `NotificationError` unless `response` is 2xx; `secrets` never show in its text, nor parts of URLs among them."""
    status = response.status_code
    if 200 <= status < 300:
        return
    # What was made out of user-info, and what an Apprise service made of its URL.
    login = str(response.request.headers.get("Authorization") or "")
    secrets = [*secrets, login, login.partition(" ")[2]]
    permanent = 300 <= status < 500 and status not in _TRANSIENT
    piece = line(redact(_text(response), secrets), 200)
    message = f"{_host(response.url)} answered {status}" + (f": {piece}" if piece else ".")
    wait = None if permanent else _wait(response)
    raise NotificationError(message, permanent=permanent, retry_after=wait, outage=status >= 500)


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait by a `Retry-After` header (seconds or a date), 0 to a day; None where it says nothing usable."""
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        seconds = float(value)
    else:
        try:
            moment = email.utils.parsedate_to_datetime(value)
        except (ValueError, IndexError, TypeError):
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def _wait(response: requests.Response) -> float | None:
    """What the service asked for: in the header, or as Telegram and Discord do, in the body's `retry_after`."""
    asked = retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
    if asked is not None:
        return asked
    with suppress(ValueError, RecursionError):
        body = json.loads(_text(response))
        if isinstance(body, dict):
            inner = body.get("parameters")
            said = body.get("retry_after", inner.get("retry_after") if isinstance(inner, dict) else None)
            return None if isinstance(said, bool) else retry_after(str(said), datetime.now(UTC))
    return None


def redact(text: str, secrets: Sequence[str]) -> str:
    """The beginning of `text` without URLs, without `secrets` in any spelling, and without the telling parts of the URLs
    among them.
    """
    text = text[:QUOTED_CHARACTERS]
    parts = set(secrets)
    for secret in secrets:
        if "://" in secret:
            parts |= _telling_parts(secret)
    return _URL.sub(redaction.HIDDEN, redaction.without(text, parts))


def _telling_parts(url: str) -> set[str]:
    with suppress(ValueError):
        parts = urlsplit(url)
        segments = {segment for segment in parts.path.split("/") if len(segment) >= 6}
        values = {value for _, value in parse_qsl(parts.query)}
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        # As basic authentication sends them.
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
        return "did not answer in time."
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"could not be trusted: {line(cause.verify_message, 200)}."
    if isinstance(error, requests.exceptions.SSLError):
        return "did not get through the TLS handshake."
    return "broke the connection off, or answered with something that is not HTTP."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
