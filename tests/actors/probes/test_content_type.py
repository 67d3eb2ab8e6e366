import pytest

from actors.probes.content_type import detect


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
