import pytest

from actors.probes.content_type import decode, detect


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"a": 1}', "application/json"),
        (" [1]\n", "application/json"),
        ("<a/>", "application/xml"),
        ("a=1&b=%20", "application/x-www-form-urlencoded"),
        ("a = 1", "text/plain; charset=utf-8"),
        ("{not json", "text/plain; charset=utf-8"),
        ("[" * 50_000, "text/plain; charset=utf-8"),
        ("hello", "text/plain; charset=utf-8"),
    ],
)
def test_the_kind_of_a_body_is_seen_from_its_text(body: str, kind: str) -> None:
    assert detect(body) == kind


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("ü".encode(), "text/plain", "ü"),
        ("ü".encode("latin-1"), 'text/plain; charset="ISO-8859-1"', "ü"),
        (b"\xef\xbb\xbfhi", "text/plain; charset=latin-1", "hi"),
        ("hi".encode("utf-16"), "text/plain", "hi"),
        ('<meta charset="latin-1">ü'.encode("latin-1"), "text/html", '<meta charset="latin-1">ü'),
        (b"\xff", "text/plain", "\N{REPLACEMENT CHARACTER}"),
        (b"6869", "text/plain; charset=hex", "6869"),
        (b"\\x41", "text/plain; charset=unicode_escape", "\\x41"),
        (b"xn--a", "text/plain; charset=idna", "xn--a"),
        (b"hi", "text/plain; charset=undefined", "hi"),
        (b"hi", "text/plain; charset=" + "x" * 10_000, "hi"),
    ],
)
def test_an_answer_is_decoded_and_never_fails(body: bytes, kind: str, text: str) -> None:
    assert decode(body, kind) == text
