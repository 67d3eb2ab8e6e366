"""The HTTP request of a check: built from the monitor's configuration, rebuilt at every redirect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import host_names
from actors.probes import content_type
from actors.probes.invalid_config import InvalidConfig
from actors.probes.target import Target
from actors.probes.wording import text
from redaction import CREDENTIAL_NAME

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
_PORTS = {"http": 80, "https": 443}
_URL_SAFE = "%/:=&?~#+!$,;'@()*[]"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOST = re.compile(rb"[^/?#]*")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
#: Headers that are also sent to another origin: they identify neither a person nor a program.
_PUBLIC_HEADERS = frozenset({"accept", "accept-encoding", "accept-language", "cache-control", "pragma", "user-agent"})
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin that credentials belong to. `rooted` is True if the host has a final dot, which `lookup` keeps."""

    scheme: str
    host: str
    port: int
    rooted: bool = field(default=False, compare=False)

    @property
    def lookup(self) -> str:
        """Return the name to look up."""
        return f"{self.host}." if self.rooted else self.host


@dataclass(frozen=True, slots=True)
class Request:
    """One request with its secrets: never log it. `url` is ASCII. `basic` is a user name and a password."""

    url: str
    origin: Origin
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    basic: tuple[str, str] | None = None

    def redirected(self, status: int, url: str) -> "Request":
        """Return the request that follows a redirect to `url`. Raise `InvalidConfig` if `url` is not http or https.

        303 turns everything but HEAD into GET, 301 and 302 turn POST into GET, as browsers do; 307 and 308 keep all.
        Another origin gets no credentials: neither the login nor headers that look like credentials. It gets neither the body
        nor the user's own headers, unless it is the same host over https: they may contain secrets, and the target chooses
        where the redirect leads.
        """
        url, origin, _ = _parse(url)
        request = replace(self, url=url, origin=origin)
        if (status == 303 and self.method != "HEAD") or (status in {301, 302} and self.method == "POST"):
            kept = tuple(header for header in self.headers if not header[0].lower().startswith("content-"))
            request = replace(request, method="GET", body=None, headers=kept)
        if origin != self.origin:
            kept = tuple(
                header
                for header in request.headers
                if header[0].lower() != "host" and not CREDENTIAL_NAME.search(header[0])
            )
            request = replace(request, headers=kept, basic=None)
            if not _is_upgrade(self.origin, origin):
                kept = tuple(header for header in kept if header[0].lower() in _PUBLIC_HEADERS)
                request = replace(request, headers=kept, body=None)
        return request


def readable_url(raw: bytes) -> str:
    """Return the URL `raw` of a response as text. Non-ASCII bytes after the host are percent-encoded unchanged."""
    scheme, slashes, rest = raw.partition(b"://")
    host = _HOST.match(rest)
    end = host.end() if host else 0
    tail = _BEYOND_ASCII.sub(lambda found: b"%%%02X" % found[0][0], rest[end:])
    return text(scheme) + text(slashes + rest[:end]) + text(tail)


def _is_upgrade(before: Origin, after: Origin) -> bool:
    """Return whether `after` is the host of `before` over https, both on their default ports."""
    return (before.host, before.scheme, before.port) == (after.host, "http", 80) and (after.scheme, after.port) == (
        "https",
        443,
    )


def build(target: Target) -> Request:
    """Return the first request of a check. Raise `InvalidConfig`."""
    url, origin, basic = _parse(target.address)
    auth = target.config.get("auth")
    if target.kind == "website" and not auth:
        return Request(url, origin, basic=basic)
    headers: dict[str, str] = {}
    method, body = "GET", None
    if target.kind != "website":
        headers = _headers(target.config.get("headers") or {})
        method = str(target.config["method"]).upper()
        if method not in METHODS:
            raise InvalidConfig(f"The method must be one of {', '.join(sorted(METHODS))}.")
        written = target.config.get("body")
        if written and method != "HEAD":
            body = str(written).encode()
            if not any(name.lower() == "content-type" for name in headers):
                headers["Content-Type"] = content_type.detect(str(written))
    if auth:
        basic = _authenticate(auth, headers) or basic
    return Request(url, origin, method, tuple(headers.items()), body, basic)


def _authenticate(auth: Mapping[str, Any], headers: dict[str, str]) -> tuple[str, str] | None:
    """Return the login for basic authentication, or add a bearer token to `headers`."""
    kind = auth.get("type") or "none"
    if kind != "none":
        # The user's own header would replace the login, or be sent twice.
        for name in [name for name in headers if name.lower() == "authorization"]:
            del headers[name]
    if kind == "basic":
        return str(auth.get("username") or ""), str(auth.get("password") or "")
    if kind == "bearer":
        headers.update(_headers({"Authorization": f"Bearer {auth.get('token') or ''}"}))
    elif kind != "none":
        raise InvalidConfig("The authentication type must be none, basic or bearer.")
    return None


def _headers(given: Mapping[str, Any]) -> dict[str, str]:
    headers = {}
    for name, value in given.items():
        if not _HEADER_NAME.fullmatch(name) or _CONTROLS.search(str(value)):
            # The message omits the name, because it may be a secret typed into the wrong input.
            raise InvalidConfig("A request header has a name or value that HTTP does not allow.")
        headers[name] = str(value).strip()
    return headers


@lru_cache(maxsize=4096)
def _parse(url: str) -> tuple[str, Origin, tuple[str, str] | None]:
    """Return `url` in ASCII without user-info, its origin, and the login in its user-info."""
    try:
        parts = urlsplit(url.strip())
        origin = Origin(parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))
        if origin.scheme not in _PORTS or not origin.host:
            raise InvalidConfig("The target must be a URL that begins with http:// or https:// and names a host.")
        rooted = origin.host.endswith(".")
        if url.isascii() and url.isprintable() and " " not in url and "@" not in parts.netloc and not rooted:
            return url, origin, None
        host = host_names.to_ascii(origin.host).removesuffix(".")
    except ValueError:
        # Also UnicodeError: a host name that cannot be written in ASCII.
        raise InvalidConfig("The target is not a valid URL.") from None
    netloc = f"[{host}]" if ":" in host else host
    if parts.port:
        netloc += f":{parts.port}"
    tail = (quote(piece, safe=_URL_SAFE) for piece in (parts.path, parts.query, parts.fragment))
    basic = (unquote(parts.username), unquote(parts.password or "")) if parts.username is not None else None
    return urlunsplit((parts.scheme, netloc, *tail)), replace(origin, host=host, rooted=rooted), basic
