"""Secrets taken out of texts of others, however they are spelled there."""

import base64
import html
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redaction import HIDDEN, without

SECRET = 'c4n/ry "&ü+x'

Spell = Callable[[str], str]
SPELLINGS: list[Spell] = [
    lambda text: text,
    quote,
    lambda text: quote(text, safe=""),
    quote_plus,
    html.escape,
    lambda text: json.dumps(text)[1:-1],
    lambda text: text.encode().hex(),
    lambda text: base64.b64encode(text.encode()).decode(),
]


@pytest.mark.parametrize("spell", SPELLINGS)
def test_every_spelling_of_a_secret_goes(spell: Spell) -> None:
    assert without(f"you said {spell(SECRET)} to us", [SECRET]) == f"you said {HIDDEN} to us"


def _every(text: str, pattern: str) -> str:
    return "".join(pattern.format(ord(one)) for one in text)


#: One layer each: what frameworks and languages make of a text that they put into JSON, HTML or a URL.
LAYERS: dict[str, Spell] = {
    "json": lambda text: json.dumps(text)[1:-1],
    "json in utf-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json of php": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json of go": lambda text: re.sub("[<>&]", lambda one: f"\\u{ord(one[0]):04x}", json.dumps(text)[1:-1]),
    "json, all escaped": lambda text: "".join(rf"\u{unit:04X}" for unit in _utf16(text)),
    "javascript": lambda text: _octets_as(text, r"\x{:02x}"),
    "html": html.escape,
    "html in decimal": lambda text: _every(text, "&#{};"),
    "html in hexadecimal": lambda text: _every(text, "&#x{:X};"),
    "html of apostrophes": lambda text: text.replace("&", "&amp;").replace("'", "&apos;").replace("<", "&lt;"),
    "url": lambda text: quote(text, safe=""),
    "url in lower case": lambda text: re.sub("%..", lambda one: one[0].lower(), quote(text, safe="")),
    "url, all escaped": lambda text: _octets_as(text, "%{:02X}"),
    "url in latin-1": lambda text: quote(text, safe="", encoding="latin-1", errors="ignore"),
    "url of old scripts": lambda text: "".join(f"%u{unit:04X}" for unit in _utf16(text)),
    "octal": lambda text: _octets_as(text, r"\{:03o}"),
    "form": quote_plus,
}


def _utf16(text: str) -> list[int]:
    octets = text.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2)]


def _octets_as(text: str, pattern: str) -> str:
    return "".join(pattern.format(octet) for octet in text.encode())


#: What generators of passwords and people use, and all that escapes change.
SECRETS = st.text(st.sampled_from("abcXYZ0189/+=&<>'\"\\%#; .:@~üé€😀-_"), min_size=6, max_size=24).filter(
    lambda text: text.strip() == text and len(set(text)) > 3
)


@pytest.mark.parametrize("outer", LAYERS)
@pytest.mark.parametrize("inner", LAYERS)
def test_escapes_within_escapes_are_undone(inner: str, outer: str) -> None:
    # Latin-1 is the layer that can hold less than others
    secret = "c4n/ry \"&ü+x'<é" if "latin" in inner + outer else "c4n/ry \"&ü+x'<€😀"
    spelled = LAYERS[outer](LAYERS[inner](secret))
    assert without(f"you said {spelled} to us", [secret]) == f"you said {HIDDEN} to us"


@settings(max_examples=300, deadline=None)
@given(SECRETS, st.lists(st.sampled_from([one for one in LAYERS if "latin" not in one]), max_size=3))
def test_no_spelling_survives(secret: str, layers: list[str]) -> None:
    spelled = secret
    for layer in layers:
        spelled = LAYERS[layer](spelled)
    assert without(f"[{spelled}]", [secret]) == f"[{HIDDEN}]"


@settings(max_examples=200, deadline=None)
@given(
    SECRETS,
    st.lists(st.sampled_from([one for one in LAYERS if "latin" not in one]), max_size=2),
    st.sampled_from(["base64", "base64 of mime", "base64 for urls", "hexadecimal", "base64 twice"]),
    st.lists(st.sampled_from([one for one in LAYERS if "latin" not in one]), max_size=1),
    st.binary(max_size=7),
    st.binary(max_size=7),
)
def test_no_spelling_survives_inside_of_base64(
    secret: str, inside: list[str], kind: str, outside: list[str], before: bytes, after: bytes
) -> None:
    spelled = secret
    for layer in inside:
        spelled = LAYERS[layer](spelled)
    plain = before + b"{" + spelled.encode() + b"}" + after
    coded = _coded(kind, plain)
    for layer in outside:
        coded = LAYERS[layer](coded)
    left = without(f"Basic {coded}", [secret])
    assert HIDDEN in left
    # What stands around may stay, and of the secret an octet at each end at the most, whose bits are its neighbours'.
    assert len(left) <= len("Basic ") + len(coded) - len(_coded("base64 for urls", spelled.encode())) // 2


def _coded(kind: str, plain: bytes) -> str:
    match kind:
        case "base64 of mime":
            return base64.encodebytes(plain).decode()
        case "base64 for urls":
            return base64.urlsafe_b64encode(plain).decode().rstrip("=")
        case "hexadecimal":
            return plain.hex()
        case "base64 twice":
            return base64.b64encode(base64.b64encode(plain)).decode()
    return base64.b64encode(plain).decode()


@pytest.mark.parametrize("layer", LAYERS)
def test_what_was_cut_goes_in_every_spelling(layer: str) -> None:
    secret = "c4n/ry &+longer than that"
    for cut in range(6, len(secret)):
        spelled = LAYERS[layer](secret[:cut])
        assert without(f"it said {spelled}", [secret]).startswith(f"it said {HIDDEN}")


def test_a_text_in_the_wrong_charset_holds_no_secret() -> None:
    wrong = SECRET.encode().decode("latin-1")
    assert without(f"you said {wrong} to us", [SECRET]) == f"you said {HIDDEN} to us"


def test_what_looks_like_an_escape_in_the_secret_itself_is_found() -> None:
    for secret in ("ab%41cd", "ab&amp;cd", "a\\u0041bcd", "%2525", "QUJDREVG"):
        for spell in (*LAYERS.values(), str):
            assert without(f"[{spell(secret)}]", [secret]) == f"[{HIDDEN}]"


def test_ordinary_text_stays_as_it_is() -> None:
    text = "The 50% offer & more: https://shop.example/a%20b?x=1&copy=2 \\n QmFzZTY0IHRleHQ= deadbeefcafe &nosuch; &#1;"
    assert without(text, ["another secret"]) == text


@settings(deadline=None)
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=40),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=7),
)
def test_a_secret_inside_of_base64_is_found_whatever_stands_around_it(secret: str, before: str) -> None:
    coded = base64.b64encode(f"{before}{secret}:end".encode()).decode()
    left = without(coded, [secret]).replace(HIDDEN, " ")
    for piece in left.split():
        readable = base64.b64decode(piece[: len(piece) // 4 * 4] or "", validate=False).decode("latin-1")
        assert secret[:6] not in readable


@pytest.mark.parametrize("cut", range(4, len(SECRET)))
@pytest.mark.parametrize("end", ["", "…", '…"', "… (and so on)"])
def test_what_is_left_of_a_secret_that_was_cut_goes_as_well(cut: int, end: str) -> None:
    assert without(f"it said {SECRET[:cut]}{end}", [SECRET]).startswith(f"it said {HIDDEN}")


def test_texts_without_a_secret_stay_and_so_does_what_is_too_short_to_be_one() -> None:
    assert without("a tab", ["a", "", "ta"]) == "a tab"
    assert without("nothing of it here", [SECRET]) == "nothing of it here"
    assert without("as it is", []) == "as it is"


@settings(deadline=None)
@given(st.text(max_size=80), st.lists(st.text(max_size=30), max_size=3))
def test_any_text_and_any_secrets_are_taken(text: str, secrets: list[str]) -> None:
    left = without(text, secrets)
    assert all(secret not in left for secret in secrets if len(secret) >= 4 and HIDDEN not in secret)


def test_a_hostile_text_cannot_make_the_search_slow() -> None:
    secret = "s" * 8000 + "t"
    began = time.process_time()
    without("s" * 50_000, [secret])
    without("ssss…" * 10_000, [secret])
    short = "the-secret-of-somebody"
    for piece in ("%41", "%2541", "&#65;%5cx41\\u0041", "\\\\u0041", "QUJD", "41", "&amp;amp;", "%"):
        without((piece * 4096)[:4096], [short, secret])
    assert time.process_time() - began < 3
