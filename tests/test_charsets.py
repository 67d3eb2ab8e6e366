"""Text out of bytes in any charset."""

import encodings.aliases

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charsets import contains, decode


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("ü".encode(), "text/plain", "ü"),
        ("ü".encode("latin-1"), 'text/plain; charset="ISO-8859-1"', "ü"),
        (b"\xef\xbb\xbfhi", "text/plain; charset=latin-1", "hi"),
        ("hi".encode("utf-16"), "text/plain", "hi"),
        ('<meta charset="latin-1">ü'.encode("latin-1"), "text/html", '<meta charset="latin-1">ü'),
        (b"\xff", "text/plain", "ÿ"),
        (b"\xff", "text/plain; charset=utf-8", "\N{REPLACEMENT CHARACTER}"),
        ("grün".encode("latin-1"), "text/html", "grün"),
        ("2 €".encode("cp1252"), "text/html", "2 €"),
        ("2 €".encode("cp1252"), "text/html; charset=iso-8859-1", "2 €"),
        ("①".encode("cp932"), "text/html; charset=shift_jis", "①"),
        ("ü".encode(), "text/html; charset=klingon", "ü"),
        ("ü".encode("latin-1"), "text/html; charset=klingon", "ü"),
        (
            '<?xml version="1.0" encoding="ISO-8859-1"?><a>grün</a>'.encode("latin-1"),
            "application/xml",
            '<?xml version="1.0" encoding="ISO-8859-1"?><a>grün</a>',
        ),
        ("<?xml version='1.0'?><a>ü</a>".encode("utf-16-le"), "application/xml", "<?xml version='1.0'?><a>ü</a>"),
        ("<?xml version='1.0'?><a>ü</a>".encode("utf-16-be"), "application/xml", "<?xml version='1.0'?><a>ü</a>"),
        ('<meta charset="utf-16">ü'.encode(), "text/html", '<meta charset="utf-16">ü'),
        ('<meta charset="klingon">ü'.encode("latin-1"), "text/html", '<meta charset="klingon">ü'),
        ('["<meta charset=latin-1>ü"]'.encode(), "application/json", '["<meta charset=latin-1>ü"]'),
        ("<meta charset=latin-1>ü".encode("latin-1"), "", "<meta charset=latin-1>ü"),
        # One broken byte does not spoil a page that is otherwise in UTF-8.
        ("grün, schön ".encode() + b"\xff", "text/html", "grün, schön \N{REPLACEMENT CHARACTER}"),
        (b"6869", "text/plain; charset=hex", "6869"),
        (b"\\x41", "text/plain; charset=unicode_escape", "\\x41"),
        (b"xn--a", "text/plain; charset=idna", "xn--a"),
        (b"hi", "text/plain; charset=undefined", "hi"),
        (b"hi", "text/plain; charset=" + "x" * 10_000, "hi"),
    ],
)
def test_an_answer_is_decoded_and_never_fails(body: bytes, kind: str, text: str) -> None:
    assert decode(body, kind) == text


def test_a_body_that_was_cut_within_a_character_is_still_utf_8() -> None:
    assert decode("ü".encode()[:1], "text/html", is_cut=True) == ""
    assert decode("ü".encode()[:1], "text/html") == "Ã"


@given(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x24F, exclude_categories=["Cc"])),
    st.sampled_from(["", "text/html"]),
)
def test_text_in_utf_8_is_read_as_such_without_a_declaration(words: str, kind: str) -> None:
    assume("<meta" not in words.lower())
    assert decode(words.encode(), kind) == words


@given(st.binary(), st.text(max_size=40), st.booleans())
def test_any_bytes_under_any_declaration_are_text(body: bytes, kind: str, is_cut: bool) -> None:
    decode(body, f"text/html; charset={kind}", is_cut=is_cut).encode()
    decode(body, kind, is_cut=is_cut).encode()


@pytest.mark.parametrize("name", sorted({*encodings.aliases.aliases, *encodings.aliases.aliases.values()}))
def test_no_codec_of_python_makes_a_target_fail_the_check(name: str) -> None:
    decode(bytes(range(256)), f"text/plain; charset={name}").encode()


@pytest.mark.parametrize(
    ("name", "codec", "words"),
    [
        ("x-sjis", "cp932", "日本①"),
        ("x-euc-jp", "euc_jp", "日本"),
        ("windows-874", "cp874", "ไทย"),
        ("x-gbk", "gb18030", "中国"),
        ("x-cp1251", "cp1251", "мир"),
        ("koi", "koi8_r", "мир"),
        ("x-x-big5", "big5hkscs", "中國"),
        ("iso-8859-8-i", "iso8859_8", "שלום"),
        ("x-mac-cyrillic", "mac_cyrillic", "мир"),
        ("ks_c_5601-1987", "cp949", "한국"),
        ("latin1", "cp1252", "2 €"),
    ],
)
def test_names_of_charsets_mean_what_they_mean_in_browsers(name: str, codec: str, words: str) -> None:
    assert decode(words.encode(codec), f"text/html; charset={name}") == words


def test_a_charset_in_a_comment_is_not_that_of_the_page() -> None:
    page = "<!-- <meta charset=koi8-r> --><meta charset=utf-8>grün"
    assert decode(page.encode(), "text/html") == page


def test_accents_are_found_however_they_are_composed() -> None:
    composed, decomposed = "Größe", "Gro\u0308ße"
    for text in (composed, decomposed):
        assert contains(f"Die {text} ist 5", composed)
        assert contains(f"Die {text} ist 5", decomposed)
    assert not contains("Grosse", composed)
