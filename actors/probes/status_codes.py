"""Lists of HTTP status codes as people write them: `200-299`, `2xx`, `200,204,301-302`."""

import re
from functools import lru_cache

from actors.probes.invalid_config import InvalidConfig

_PART = re.compile(r"(?P<low>[1-9][0-9]{2})(?:-(?P<high>[1-9][0-9]{2}))?|(?P<hundred>[1-9])[xX]{2}")


@lru_cache(maxsize=1024)
def parse(text: str) -> frozenset[int]:
    """The codes that `text` names. Raises `InvalidConfig`."""
    codes: set[int] = set()
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        found = _PART.fullmatch(part)
        if found is None:
            raise InvalidConfig("The expected status codes are unreadable: write them like 200-299, 2xx or 200,204.")
        if found["hundred"]:
            low = int(found["hundred"]) * 100
            high = low + 99
        else:
            low = int(found["low"])
            high = int(found["high"] or low)
        codes.update(range(low, high + 1))
    if not codes:
        raise InvalidConfig("The expected status codes name no code: write them like 200-299, 2xx or 200,204.")
    return frozenset(codes)
