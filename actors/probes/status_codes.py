"""Lists of HTTP status codes as users write them: `200-299`, `2xx`, `200,204,301-302`."""

import re
from functools import lru_cache

from actors.probes.invalid_config import InvalidConfig

_PART = re.compile(r"(?P<low>[1-9][0-9]{2})(?:-(?P<high>[1-9][0-9]{2}))?|(?P<hundred>[1-9])[xX]{2}")


@lru_cache(maxsize=1024)
def parse(text: str) -> frozenset[int]:
    """Return the codes in `text`. Raise `InvalidConfig`."""
    codes: set[int] = set()
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = _PART.fullmatch(part)
        if match is None:
            raise InvalidConfig("The expected status codes are not valid. Write them like 200-299, 2xx or 200,204.")
        if match["hundred"]:
            low = int(match["hundred"]) * 100
            high = low + 99
        else:
            low = int(match["low"])
            high = int(match["high"] or low)
        codes.update(range(low, high + 1))
    if not codes:
        raise InvalidConfig("The expected status codes are empty. Write them like 200-299, 2xx or 200,204.")
    return frozenset(codes)
