import pytest

from actors.probes.wording import plain, public_url, seconds


def test_plain_text_is_short_and_on_one_line() -> None:
    assert plain("a\r\nb\x1b[31m\u202ec") == "a b [31m c"
    assert plain("x" * 1000) == "x" * 299 + "…"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ann:s3cret@host:8443/a/b?token=s3cret#s3cret", "https://host:8443/a/b"),
        ("http://[::1]/", "http://[::1]/"),
        ("http://[::1", "an unreadable URL"),
    ],
)
def test_a_shown_url_holds_no_secrets(url: str, shown: str) -> None:
    assert public_url(url) == shown


def test_seconds_are_counted_in_words() -> None:
    assert [seconds(1), seconds(0.3), seconds(30.0)] == ["1 second", "0.3 seconds", "30 seconds"]
