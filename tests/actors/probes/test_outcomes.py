"""What holds for every probe."""

import pytest

from actors.probes import PROBES
from actors.probes.outcome import Status

from .checking import check

HOSTILE = [
    "",
    " ",
    "\x00",
    "http://",
    "http://[",
    "http://a b/",
    "http://" + "x" * 300 + ".invalid/",
    "http://ü" + "ü" * 80 + ".invalid/",
    "-",
    "%",
    "999.999.999.999",
    "a..b",
    "x" * 64 + ".invalid",
]


@pytest.mark.parametrize("kind", sorted(set(PROBES) - {"heartbeat"}))
@pytest.mark.parametrize("address", HOSTILE)
def test_a_probe_answers_and_never_raises(kind: str, address: str) -> None:
    outcome = check(kind, address, timeout=3.0, port=9)
    assert outcome.status in {Status.DOWN, Status.ERROR}
    assert outcome.reason is not None
    assert outcome.message.endswith(".")
    assert outcome.message.isprintable()
    assert len(outcome.message) < 400
