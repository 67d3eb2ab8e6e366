"""Host names in ASCII: IDNA 2008 with UTS 46, as browsers do it."""

import re
from pathlib import Path

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

import host_names

LONGEST = 63


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Four letters that IDNA 2003 turned into others: another owner's domain.
        ("straße.de", "xn--strae-oqa.de"),
        ("ΒΌΛΟΣ.com", "xn--nxasmq6b.com"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("क्‍ष.com", "xn--11b2ezcw70k.com"),
        # Mapped to one spelling
        ("Bücher.Example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("日本語。ＪＰ", "xn--wgv71a119e.jp"),
        ("１２７.0.0.1", "127.0.0.1"),
        ("_srv.bücher.de", "_srv.xn--bcher-kva.de"),
        # Refused by IDNA 2008, sold all the same
        ("i♥ny.example", "xn--iny-zx5a.example"),
        ("☕.example", "xn--53h.example"),
        ("❤\ufe0f.example", "xn--qei.example"),
        ("👍🏽.example", "xn--on8h5e.example"),
        # ASCII is let be
        ("Example.COM.", "example.com."),
        ("xn--strae-oqa.de", "xn--strae-oqa.de"),
        ("münchen.de.", "xn--mnchen-3ya.de."),
        ("2001:DB8::7", "2001:db8::7"),
        ("", ""),
    ],
)
def test_a_name_has_the_form_that_browsers_ask_for(name: str, expected: str) -> None:
    assert host_names.to_ascii(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "\u0301a.de",
        "a\u200db.de",
        "ü<x.de",
        "ü b.de",
        "℀.de",
        "ü/.de",
        "ü@b.de",
        "ü" * 70,
        "".join(chr(0x1F300 + 7 * index) for index in range(30)),
        "ü\x00.de",
        "\ud800.de",
    ],
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(UnicodeError):
        host_names.to_ascii(name)


@given(st.text(max_size=40))
def test_every_text_is_refused_or_has_one_form_that_stays(text: str) -> None:
    try:
        name = host_names.to_ascii(text)
    except UnicodeError:
        return
    assert name.isascii()
    assert host_names.to_ascii(name) == name
    if not text.isascii():
        labels = name.split(".")
        assert all(re.fullmatch(r"[a-z0-9_-]*", label) and len(label) <= LONGEST for label in labels if "xn--" in label)


@given(st.text(st.characters(categories=["Ll", "Lo", "Nd"]), min_size=1, max_size=20))
def test_what_idna_2008_takes_has_its_form(label: str) -> None:
    try:
        expected = idna.encode(label, uts46=True).decode()
    except idna.IDNAError:
        return
    assert host_names.to_ascii(label) == expected.lower()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("API.example.com.", "api.example.com"), ("straße.de.", "xn--strae-oqa.de"), ("ü b.", "ü b"), ("a..", "a.")],
)
def test_a_bare_name_has_no_final_dot(name: str, expected: str) -> None:
    assert host_names.bare(name) == expected


def test_the_systems_own_names_are_asked_for_without_the_final_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1\tlocalhost # db.test\n\n10.0.0.7 App.internal app\n")
    monkeypatch.setattr(host_names, "_HOSTS", hosts)
    names = ["App.internal.", "app.", "app", "db.test.", "LocalHost.", "x.localhost.", "Straße.de."]
    asked = ["app.internal", "app", "app", "db.test.", "localhost", "x.localhost", "xn--strae-oqa.de."]
    assert [host_names.to_lookup(name) for name in names] == asked
    hosts.unlink()
    assert host_names.to_lookup("app.internal.") == "app.internal."


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://straße.de/ä?ö=ü#ß", "https://xn--strae-oqa.de/ä?ö=ü#ß"),
        ("https://ä:ö@Straße.de:8443/", "https://ä:ö@xn--strae-oqa.de:8443/"),
        ("https://☕.example", "https://xn--53h.example"),
        ("https://[2001:db8::7]/ä", "https://[2001:db8::7]/ä"),
        ("https://Example.com/ä", "https://Example.com/ä"),
        ("https://example.com/%zz", "https://example.com/%zz"),
    ],
)
def test_only_the_host_of_a_url_changes(url: str, expected: str) -> None:
    assert host_names.ascii_url(url) == expected


@pytest.mark.parametrize("url", ["https://ü\u0301\u0301 b/", "https://ü:99999/", "https://[ü/"])
def test_a_url_without_a_readable_host_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        host_names.ascii_url(url)
