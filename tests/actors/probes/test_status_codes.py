import pytest

from actors.probes.invalid_config import InvalidConfig
from actors.probes.status_codes import parse


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("200-299", range(200, 300)),
        ("2xx", range(200, 300)),
        ("4XX", range(400, 500)),
        ("200,204,301-302", [200, 204, 301, 302]),
        (" 200 , ,404 ", [200, 404]),
    ],
)
def test_lists_ranges_and_wildcards_are_read(text: str, codes: range | list[int]) -> None:
    assert parse(text) == frozenset(codes)


@pytest.mark.parametrize("text", ["", ",", "abc", "20", "2000", "x2x", "200-", "299-200", "-200", "0xx", "٢٠٠"])
def test_anything_else_is_invalid(text: str) -> None:
    with pytest.raises(InvalidConfig):
        parse(text)
