"""Whether a secret is easily guessed. Only that: it is taken all the same, because often another's rules chose it.

The rules, the first that holds being told: a word that everybody tries; the user's own name; hardly any different
characters; a run of the alphabet, of numbers or of the keyboard; too short (12 characters for what people choose, 16
for what programs make).
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from models.secrets.fields import CREDENTIAL_HEADER

LEAST_OF_A_PASSWORD = 12
LEAST_OF_A_TOKEN = 16
LEAST_DIFFERENT = 5
#: What everybody tries, also with digits and signs behind it.
_TRIED = frozenset(
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
_TAIL = re.compile(r"[\d!?.#*$@_-]*\Z")
_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)
_SCHEME = re.compile(r"(?:bearer|token|apikey|key|negotiate)\s+", re.IGNORECASE)
_BASIC = re.compile(r"basic\s+(\S+)", re.IGNORECASE)

_COMMON = "This is among the first things that anybody would try."
_NAME = "This is the user name again."
_FEW = "This consists of a few characters over and over."
_RUN = "This follows the alphabet, the numbers or the keyboard."
_SHORT = "This is short: {} characters or more are hard to guess."


def weaknesses(secrets: Mapping[str, str], username: str = "") -> dict[str, str]:
    """{path: one sentence} for the weak ones of `secrets` (by path, as `models.secrets.fields.split` answers them).

    URLs that a service gave, bot tokens and heartbeat tokens are not judged: nobody here chose them.
    """
    found = {}
    for path, value in secrets.items():
        for judged, least in _judged(path, value):
            sentence = _weakness(judged, username, least)
            if sentence:
                found[path] = sentence
    return found


def _judged(path: str, value: str) -> Iterator[tuple[str, int]]:
    """What of the secret at `path` is judged, and how long it should be."""
    if path in {"auth.password", "password"}:
        yield value, LEAST_OF_A_PASSWORD
    elif path in {"auth.token", "secret"}:
        yield value, LEAST_OF_A_TOKEN
    name = path.removeprefix("headers.")
    # A cookie is many things at once, and the other side's.
    if name != path and CREDENTIAL_HEADER.search(name) and "cookie" not in name.lower():
        yield from _header(value.strip())


def _header(value: str) -> Iterator[tuple[str, int]]:
    basic = _BASIC.fullmatch(value)
    if basic is None:
        yield _SCHEME.sub("", value, count=1), LEAST_OF_A_TOKEN
        return
    try:
        login = base64.b64decode(basic[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    yield login.partition(":")[2], LEAST_OF_A_PASSWORD


def _weakness(value: str, username: str, least: int) -> str:
    plain = value.lower()
    if _TAIL.sub("", plain) in _TRIED or plain in _TRIED:
        return _COMMON
    if username and plain == username.lower():
        return _NAME
    if len(set(plain)) < LEAST_DIFFERENT:
        return _FEW
    if any(plain in run or plain in run[::-1] for run in _RUNS):
        return _RUN
    return _SHORT.format(least) if len(value) < least else ""
