"""What counts as easily guessed."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.secrets.strength import weaknesses

GOOD = "tr0ubador-Kx91-zebra"


@pytest.mark.parametrize(
    "path, value",
    [
        ("auth.password", "password"),
        ("auth.password", "Passw0rd123!"),
        ("password", "changeme2026"),
        ("auth.password", "alexandra-the-great"),
        ("auth.password", "aaaaaaaaaaaaaaaa"),
        ("auth.password", "abcabcabcabcabcabc"),
        ("auth.token", "abcdefghijklmnopqrst"),
        ("secret", "01234567890123456789"),
        ("secret", "poiuytrewq"),
        ("password", "K7x!pQ2z"),
        ("auth.token", "K7x!pQ2zW9m"),
        ("headers.X-Api-Key", "secret"),
        ("headers.Authorization", "Bearer secret"),
        ("headers.Authorization", "Basic " + base64.b64encode(b"me:letmein").decode()),
    ],
)
def test_what_is_easily_guessed_is_named(path: str, value: str) -> None:
    found = weaknesses({path: value}, "Alexandra-the-Great")
    assert list(found) == [path]
    assert value not in found[path]


@pytest.mark.parametrize(
    "path, value",
    [
        ("auth.password", GOOD),
        ("auth.token", "8f14e45fceea167a5a36dedd4bea2543"),
        ("headers.Authorization", "Bearer 8f14e45fceea167a5a36dedd4bea2543"),
        ("headers.Authorization", "Basic " + base64.b64encode(f"me:{GOOD}".encode()).decode()),
        ("headers.Authorization", "Basic %%%"),
        # What others chose, and what is no credential
        ("headers.Cookie", "a=1"),
        ("headers.X-Team", "ops"),
        ("heartbeatToken", "short"),
        ("webhookUrl", "https://x.test/1"),
        ("url", "password"),
        ("botToken", "1:a"),
    ],
)
def test_what_is_hard_to_guess_or_was_not_chosen_here_is_left_alone(path: str, value: str) -> None:
    assert weaknesses({path: value}) == {}


@given(st.text(max_size=60), st.sampled_from(["auth.password", "auth.token", "secret", "headers.Authorization"]))
def test_any_text_is_judged_without_an_error_and_never_repeated(value: str, path: str) -> None:
    for sentence in weaknesses({path: value}).values():
        assert len(value) < 6 or value not in sentence
