"""Secrets taken out of texts of others, however they are spelled there."""

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
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


@given(st.text(max_size=80), st.lists(st.text(max_size=30), max_size=3))
def test_any_text_and_any_secrets_are_taken(text: str, secrets: list[str]) -> None:
    left = without(text, secrets)
    assert all(secret not in left for secret in secrets if len(secret) >= 4 and HIDDEN not in secret)


def test_a_hostile_text_cannot_make_the_search_slow() -> None:
    secret = "s" * 8000 + "t"
    began = time.process_time()
    without("s" * 50_000, [secret])
    without("ssss…" * 10_000, [secret])
    assert time.process_time() - began < 1
