"""Warnings about secrets that are easy to guess. Weak secrets are accepted: often another system imposes them.

The first rule that applies is reported: a common password; the user name; very few different characters; a sequence of
the alphabet, of digits or of the keyboard; too short (12 characters for passwords, 16 for generated tokens).
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from redaction import CREDENTIAL_NAME

MIN_PASSWORD_LENGTH = 12
MIN_TOKEN_LENGTH = 16
MIN_DIFFERENT_CHARACTERS = 5
#: Common passwords, also when followed by digits and symbols.
_COMMON_PASSWORDS = frozenset(
    [
        "admin",
        "administrator",
        "apikey",
        "api-key",
        "api_key",
        "changeit",
        "changeme",
        "default",
        "demo",
        "example",
        "foobar",
        "guest",
        "hello",
        "hunter",
        "iloveyou",
        "letmein",
        "login",
        "monitor",
        "monitoring",
        "pass",
        "passwd",
        "password",
        "passw0rd",
        "p@ssw0rd",
        "p@ssword",
        "root",
        "secret",
        "service",
        "superuser",
        "supercheck",
        "test",
        "testing",
        "token",
        "user",
        "welcome",
    ]
)
_SUFFIX = re.compile(r"[\d!?.#*$@_-]*\Z")
_SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)
_SCHEME = re.compile(r"(?:bearer|token|apikey|key|negotiate)\s+", re.IGNORECASE)
_BASIC = re.compile(r"basic\s+(\S+)", re.IGNORECASE)

_COMMON = "It is one of the first values that attackers try."
_NAME = "It is the same as the user name."
_FEW = "It repeats a few characters."
_SEQUENCE = "It is a sequence of letters, digits or keys."
_SHORT = "It is short. Use {} characters or more."


def weaknesses(secrets: Mapping[str, str], username: str = "") -> dict[str, str]:
    """Return {path: one sentence} for the weak ones of `secrets` (by path, as `models.secrets.fields.split` returns them).

    URLs, bot tokens and heartbeat tokens are not examined: they are generated.
    """
    weak = {}
    for path, value in secrets.items():
        for secret, min_length in _examined(path, value):
            sentence = _weakness(secret, username, min_length)
            if sentence:
                weak[path] = sentence
    return weak


def _examined(path: str, value: str) -> Iterator[tuple[str, int]]:
    """Yield the part of the secret at `path` to examine, and its minimum length."""
    if path in {"auth.password", "password"}:
        yield value, MIN_PASSWORD_LENGTH
    elif path in {"auth.token", "secret"}:
        yield value, MIN_TOKEN_LENGTH
    name = path.removeprefix("headers.")
    # The target chooses its cookies.
    if name != path and CREDENTIAL_NAME.search(name) and "cookie" not in name.lower():
        yield from _header(value.strip())


def _header(value: str) -> Iterator[tuple[str, int]]:
    basic = _BASIC.fullmatch(value)
    if basic is None:
        yield _SCHEME.sub("", value, count=1), MIN_TOKEN_LENGTH
        return
    try:
        login = base64.b64decode(basic[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    yield login.partition(":")[2], MIN_PASSWORD_LENGTH


def _weakness(value: str, username: str, min_length: int) -> str:
    plain = value.lower()
    if _SUFFIX.sub("", plain) in _COMMON_PASSWORDS or plain in _COMMON_PASSWORDS:
        return _COMMON
    if username and plain == username.lower():
        return _NAME
    if len(set(plain)) < MIN_DIFFERENT_CHARACTERS:
        return _FEW
    if any(plain in sequence or plain in sequence[::-1] for sequence in _SEQUENCES):
        return _SEQUENCE
    return _SHORT.format(min_length) if len(value) < min_length else ""
