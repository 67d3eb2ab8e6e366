"""Parsers of single settings: text in, value out; `ValueError` says what the text must be."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

import host_names

LOCATION_CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
API_KEY = re.compile(r"[A-Za-z0-9_-]{32,128}")
HOW_TO_MAKE_A_KEY = "make one with: python3 -c 'import base64, os; print(base64.b64encode(os.urandom(16)).decode())'"
HOW_TO_MAKE_A_SECRET_KEY = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"  # noqa: S105 - a command
MIN_SECRET_KEY_LENGTH = 16
#: Of a password that the operator chooses for the first account.
MIN_ADMIN_PASSWORD_LENGTH = 8
MIN_DIFFERENT_CHARACTERS = 5
#: Each location costs a check worker that serves all of them two threads.
MAX_LOCATIONS = 200
#: What HTTP checks may speak; an operator may narrow it.
PROTOCOLS = ("http", "https")
TLS_VERSIONS = ("1.0", "1.1", "1.2", "1.3")


class LocationSpec(NamedTuple):
    """A location that checks run from: `code` is its queue's suffix, `name` is what people read."""

    code: str
    name: str


def integer(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"a whole number from {low} to {high}") from None
        if not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return parse


def boolean(text: str) -> bool:
    """Return the truth value of `text`."""
    word = text.lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError("true or false")


def choice(*words: str) -> Callable[[str], str]:
    """Return a parser that accepts one of `words`, in any case."""

    def parse(text: str) -> str:
        for word in words:
            if text.lower() == word.lower():
                return word
        raise ValueError("one of " + ", ".join(words))

    return parse


def _split(text: str) -> SplitResult | None:
    """Return the parts of a URL, or None. The library's own error would repeat the URL with its password."""
    try:
        return urlsplit(text)
    except ValueError:
        return None


def url(*schemes: str) -> Callable[[str], str]:
    """Return a parser of URLs with one of `schemes`; a trailing slash is removed."""

    def parse(text: str) -> str:
        parts = _split(text)
        if parts is None or parts.scheme not in schemes or not parts.hostname:
            raise ValueError("a URL such as " + schemes[0] + "://host…")
        return text.rstrip("/")

    return parse


def database_url(text: str) -> str:
    """Return a libpq URL. PaaS vendors' `postgres://` and SQLAlchemy's `postgresql+psycopg://` are accepted."""
    scheme, _, rest = text.partition("://")
    if scheme.partition("+")[0] not in {"postgres", "postgresql"} or not rest:
        raise ValueError("a URL such as postgresql://user:password@host:5432/database")
    return "postgresql://" + rest


def redis_url(text: str) -> str:
    """Return a URL that redis-py understands; `valkey://` and `valkeys://` are accepted."""
    parts = _split(text)
    if parts is None or parts.scheme not in {"redis", "rediss", "unix", "valkey", "valkeys"}:
        raise ValueError("a URL such as redis://host:6379/0 or rediss://…")
    scheme = parts.scheme.replace("valkey", "redis")
    query = [(name, value) for name, value in parse_qsl(parts.query)]
    return urlunsplit((scheme, parts.netloc, parts.path, urlencode(query), ""))


def encryption_keys(text: str) -> tuple[bytes, ...]:
    """Return the keys of a comma-separated list; the first one encrypts."""
    keys = []
    for part in text.split(","):
        try:
            key = base64.b64decode(part.strip(), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != 16:
            raise ValueError("base64 of 16 bytes each, separated by commas; " + HOW_TO_MAKE_A_KEY)
        keys.append(key)
    return tuple(keys)


def location(text: str) -> str:
    """Return `text` if it is a location code."""
    if not LOCATION_CODE.fullmatch(text):
        raise ValueError("a location code: lower-case letters, digits and hyphens, such as eu-central")
    return text


def location_list(text: str) -> tuple[LocationSpec, ...]:
    """Return the locations of a list of `code` or `code=Name`; the first is the default location."""
    specs = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        code, _, name = part.partition("=")
        specs.append(LocationSpec(location(code.strip()), name.strip() or code.strip()))
    if len(specs) > MAX_LOCATIONS:
        raise ValueError(f"at most {MAX_LOCATIONS} locations")
    if not specs or len({spec.code for spec in specs}) != len(specs):
        raise ValueError("a list of distinct codes such as home=Home office,vps=Rented server")
    return tuple(specs)


def internal_targets(text: str) -> tuple[str, ...]:
    """Return networks and host names of a comma-separated list."""
    entries = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        try:
            entries.append(str(ipaddress.ip_network(part, strict=False)) if "/" in part else host_names.bare(part))
        except ValueError:
            raise ValueError("CIDRs and host names separated by commas, such as 10.0.0.0/8,db.internal") from None
    return tuple(entries)


def protocols(text: str) -> tuple[str, ...]:
    """Return some of `PROTOCOLS`, in their order."""
    words = {piece.strip().lower() for piece in text.split(",") if piece.strip()}
    if not words or not words <= set(PROTOCOLS):
        raise ValueError("http, https or both, separated by a comma")
    return tuple(word for word in PROTOCOLS if word in words)


def api_key(text: str) -> str:
    """Return `text` if it can be an API key."""
    if not API_KEY.fullmatch(text):
        raise ValueError("32 to 128 characters of A-Z a-z 0-9 _ -")
    return text


def secret_key(text: str) -> str:
    """Return `text` if it is long and varied enough: anyone who guesses it can sign in as any user."""
    if len(text) < MIN_SECRET_KEY_LENGTH or len(set(text)) < MIN_DIFFERENT_CHARACTERS:
        raise ValueError(f"at least {MIN_SECRET_KEY_LENGTH} random characters; {HOW_TO_MAKE_A_SECRET_KEY}")
    return text


def admin_password(text: str) -> str:
    """Return `text` if it is long and varied enough."""
    if len(text) < MIN_ADMIN_PASSWORD_LENGTH or len(set(text)) < MIN_DIFFERENT_CHARACTERS:
        raise ValueError(
            f"at least {MIN_ADMIN_PASSWORD_LENGTH} characters, {MIN_DIFFERENT_CHARACTERS} of them different;"
            " leave it unset to have one generated"
        )
    return text
