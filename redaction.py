"""Removes secrets from external texts, in whatever encoding they appear there.

A service may repeat a secret escaped for JSON, HTML or a URL, escaped twice, or inside base64 or hexadecimal. No list of
encodings is complete, so the text is decoded instead: each reading undoes one escape and knows where in the text its
characters come from. A secret that is found in any reading is hidden in the text itself.
"""

import base64
import html
import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

#: Names of headers, parameters and fields whose values are credentials. The second line has short words that are
#: credentials only as a whole part of a name: `X-PIN` is one, `X-Pinned` is not.
CREDENTIAL_NAME = re.compile(
    r"auth|cookie|key|token|secret|session|signature|credential|passw|passcode|passphrase|jwt|assertion|saml|bearer"
    r"|hmac|csrf|xsrf|(?:access|pass|security|verification|invite|activation)[-_ ]?code"
    r"|(?:^|[-_.])(?:pin|pass|pwd|pw|otp|totp|sid|sig|psk|pat|code|ticket|nonce|licen[cs]e)(?:$|[-_.])",
    re.IGNORECASE,
)
HIDDEN = "…"
#: Shorter secrets occur in every text. Removing them would reveal more than it hides.
SHORTEST = 4
#: Levels of nested escapes that are undone, and of nested base64 or hexadecimal.
_DEPTH = 4
_CODED_DEPTH = 2
#: Of a backslash and three octal digits; `\\xfc` is as long.
_OCTAL_WIDTH = 4
#: The text is untrusted, so the number of readings is limited.
_MAX_READINGS = 40


class _Reading(NamedTuple):
    """`text`, and `span`, which maps a begin and an end in it to the source."""

    text: str
    span: Callable[[int, int], tuple[int, int]]


#: A character that an escape stands for, and where in the escape it begins and ends.
_Piece = tuple[str, int, int]
_Decode = Callable[[str], Iterable[_Piece]]


def without(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with an ellipsis in place of each of `secrets`, in whatever encoding.

    The rest of a secret that was cut at the end of `text`, or at the last ellipsis in it, is removed too.
    """
    wanted = frozenset(needle for secret in secrets for needle in _needles(secret))
    if not wanted:
        return text
    source = _Reading(text, lambda begin, end: (begin, end))
    return _hide(text, sorted(set(_find(source, wanted, _CODED_DEPTH))))


def _hide(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return `text` with an ellipsis for each of the sorted `spans`. Overlapping spans are merged."""
    kept, at, hidden_to = "", 0, -1
    for begin, end in spans:
        if begin >= hidden_to:
            kept += text[at:begin] + HIDDEN
        at = hidden_to = max(hidden_to, end)
    return kept + text[at:]


@lru_cache(maxsize=512)
def _needles(secret: str) -> frozenset[str]:
    """Return the texts to search for: `secret` itself, unescaped, and decoded with the wrong charset."""
    if len(secret) < SHORTEST:
        return frozenset()
    found = {reading.text for reading in _readings(_Reading(secret, lambda begin, end: (begin, end)))}
    found |= {unicodedata.normalize(form, one) for one in list(found) for form in ("NFC", "NFD")}
    found |= {one.encode("utf-8", "surrogatepass").decode("latin-1") for one in list(found)}
    return frozenset(_folded(one) for one in found if len(one) >= SHORTEST)


def _folded(text: str) -> str:
    """Return `text` as it is compared: in forms a plus is a space."""
    return text.replace("+", " ")


def _find(source: _Reading, needles: frozenset[str], coded_depth: int) -> Iterator[tuple[int, int]]:
    """Yield where `needles` are in any reading of `source`."""
    shortest = min(map(len, needles))
    for reading in _readings(source):
        text = _folded(reading.text)
        for needle in needles:
            for begin, end in (*_occurrences(text, needle), *_cut(text, needle)):
                yield reading.span(begin, end)
        if coded_depth:
            for inner in _uncoded(reading, shortest):
                yield from _find(inner, needles, coded_depth - 1)


def _occurrences(text: str, needle: str) -> Iterator[tuple[int, int]]:
    at = text.find(needle)
    while at >= 0:
        yield at, at + len(needle)
        at = text.find(needle, at + 1)


def _cut(text: str, needle: str) -> Iterator[tuple[int, int]]:
    """Yield where the beginning of `needle` is: at the end of `text` and before its last ellipsis."""
    begin, last = needle[:SHORTEST], text.rfind(HIDDEN)
    for end in {len(text), last} - {-1}:
        at = text.find(begin, max(0, end - len(needle)), end)
        while at >= 0:
            if needle.startswith(text[at:end]):
                yield at, end
                break
            at = text.find(begin, at + 1, end)


def _readings(source: _Reading) -> Iterator[_Reading]:
    """Yield `source`, then with one kind of escape undone, then with two, and so on."""
    known, level = {source.text}, [source]
    yield source
    for _ in range(_DEPTH):
        following = []
        for reading in level:
            for pattern, decode in _ESCAPES:
                made = _undone(reading, pattern, decode)
                if made is None or made.text in known:
                    continue
                if len(known) >= _MAX_READINGS:
                    return
                known.add(made.text)
                following.append(made)
                yield made
        level = following


def _undone(source: _Reading, pattern: re.Pattern[str], decode: _Decode) -> _Reading | None:
    """Return `source` with all matches of `pattern` decoded, or None if there is no match."""
    parts, at, length = [], 0, 0
    # For each decoded character: its position in the new text, and its begin and end in the old one.
    places, begins, ends = array("L"), array("L"), array("L")
    for match in pattern.finditer(source.text):
        start = match.start()
        parts.append(source.text[at:start])
        length += start - at
        for character, first, last in decode(match[0]):
            parts.append(character)
            places.append(length)
            begins.append(start + first)
            ends.append(start + last)
            length += len(character)
        at = match.end()
    if not parts:
        return None
    parts.append(source.text[at:])

    def span(begin: int, end: int) -> tuple[int, int]:
        first, last = bisect_right(places, begin) - 1, bisect_right(places, end - 1) - 1
        if first >= 0:
            begin = begins[first] if places[first] == begin else ends[first] + begin - places[first] - 1
        if last >= 0:
            end = ends[last] + end - places[last] - 1
        return source.span(begin, end)

    return _Reading("".join(parts), span)


def _octets(width: int) -> _Decode:
    """For escapes of `width` characters, each of which ends with an octet: `%fc`, `\\xfc`, and `\\374` in octal."""

    def octet(escape: str) -> int:
        return int(escape[1:], 8) if escape[1:].isdigit() and len(escape) == _OCTAL_WIDTH else int(escape[-2:], 16)

    def decode(escapes: str) -> Iterator[_Piece]:
        octets = bytes(octet(escapes[at - width : at]) for at in range(width, len(escapes) + 1, width))
        at = 0
        while at < len(octets):
            length = _length(octets, at)
            text = octets[at : at + length].decode("utf-8" if length > 1 else "latin-1")
            yield text, at * width, (at + length) * width
            at += length

    return decode


def _length(octets: bytes, at: int) -> int:
    """How many octets from `at` on are one character in UTF-8; 1 where they are none: then it is Latin-1."""
    lead = octets[at]
    length = 2 if 0xC2 <= lead < 0xE0 else 3 if 0xE0 <= lead < 0xF0 else 4 if 0xF0 <= lead < 0xF5 else 1
    try:
        octets[at : at + length].decode("utf-8")
    except UnicodeDecodeError:
        return 1
    return length


def _percent(escapes: str) -> Iterator[_Piece]:
    """For `%fc` and for `%u00fc`, which old scripts write."""
    if escapes[1] not in "uU":
        yield from _octets(3)(escapes)
        return
    units = [int(escapes[at + 2 : at + 6], 16) for at in range(0, len(escapes), 6)]
    at = 0
    while at < len(units):
        length = 2 if units[at] >> 10 == 0x36 and at + 1 < len(units) and units[at + 1] >> 10 == 0x37 else 1
        octets = b"".join(unit.to_bytes(2, "big") for unit in units[at : at + length])
        yield octets.decode("utf-16-be", "surrogatepass"), at * 6, (at + length) * 6
        at += length


_BACKSLASHED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _backslashed(escape: str) -> Iterator[_Piece]:
    """One escape of JSON or JavaScript."""
    kind, digits = escape[1], escape[2:].strip("{}")
    if kind != "u":
        character = _BACKSLASHED.get(kind, kind)
    elif "\\" in digits:
        high, low = (int(one, 16) for one in digits.split("\\u"))
        character = chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    else:
        code = int(digits, 16)
        character = chr(code) if code <= 0x10FFFF else "\ufffd"
    yield character, 0, len(escape)


def _entity(escape: str) -> Iterator[_Piece]:
    """One entity of HTML, with or without its semicolon."""
    for character in html.unescape(escape) or "\ufffd":
        yield character, 0, len(escape)


_ESCAPES: tuple[tuple[re.Pattern[str], _Decode], ...] = (
    (re.compile(r"(?:%[0-9a-fA-F]{2})+|(?:%[uU][0-9a-fA-F]{4})+"), _percent),
    (
        re.compile(
            r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]{1,8}\}"
            r"""|\\["'\\/bfnrt&=<>$@]"""
        ),
        _backslashed,
    ),
    (re.compile(r"(?:\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2})+"), _octets(_OCTAL_WIDTH)),
    (re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});?"), _entity),
)

#: Broken into lines or not.
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+(?:\r?\n[A-Za-z0-9+/_-]+)*={0,2}")
_LINE_ENDS = frozenset("\r\n=")
_URL_SAFE = str.maketrans("-_", "+/")
_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2})+[0-9a-fA-F]?")


def _uncoded(source: _Reading, shortest: int) -> Iterator[_Reading]:
    """What base64 and hexadecimal in `source` stand for, as Latin-1, where it is as long as `shortest`.

    At the end of the text it may be the beginning of a secret, and so may be shorter.
    """
    for match in _BASE64.finditer(source.text):
        least = SHORTEST if match.end() == len(source.text) else shortest
        if len(match[0]) * 3 >= least * 4:
            for offset in range(4):
                yield from _from_base64(source, match, offset)
    for match in _HEXADECIMAL.finditer(source.text):
        least = SHORTEST if match.end() == len(source.text) else shortest
        if len(match[0]) >= least * 2:
            for offset in range(2):
                yield _from_hexadecimal(source, match.start() + offset, match.end())


def _from_base64(source: _Reading, match: re.Match[str], offset: int) -> Iterator[_Reading]:
    """The octets of base64 that begins `offset` characters after the match does; its beginning may be other text."""
    places: Sequence[int] = range(match.start() + offset, match.start() + len(match[0].rstrip("=")))
    if "\n" in match[0]:
        places = [at for at in range(*match.span()) if source.text[at] not in _LINE_ENDS][offset:]
    digits = match[0].rstrip("=").replace("\r", "").replace("\n", "")[offset:].translate(_URL_SAFE)
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    if not digits:
        return
    octets = base64.b64decode(digits + "=" * (-len(digits) % 4))

    def span(begin: int, end: int) -> tuple[int, int]:
        last = places[(end * 8 - 1) // 6] + 1
        # What fills it up goes with the last octet.
        return source.span(places[begin * 8 // 6], match.end() if end == len(octets) else last)

    yield _Reading(octets.decode("latin-1"), span)


def _from_hexadecimal(source: _Reading, begin: int, end: int) -> _Reading:
    octets = bytes.fromhex(source.text[begin : end - (end - begin) % 2])
    return _Reading(octets.decode("latin-1"), lambda first, last: source.span(begin + 2 * first, begin + 2 * last))
