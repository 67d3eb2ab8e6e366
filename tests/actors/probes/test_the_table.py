"""What servers do, under which options, and what a check says of it: one row each, on real sockets."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

import settings
from actors import probes
from actors.probes import http_transfer, resolver
from actors.probes.outcome import Outcome, Reason, Status

from .checking import target
from .misbehaviour import bad_servers
from .rows import ROWS, Row

_AT_ONCE = 24
#: Letter of a row -> the timing that it stands for.
_TIMINGS = {"c": "connectMs", "t": "tlsMs", "f": "firstByteMs", "d": "downloadMs"}


@pytest.fixture(scope="module")
def outcomes(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    """All rows, checked once, some at a time."""
    trusted = Path(tmp_path_factory.mktemp("trusted")) / "authorities.pem"
    authority.cert_pem.write_to_path(trusted)
    allowed = settings.parse({"ALLOWED_INTERNAL_TARGETS": "127.0.0.1,::1,localhost"})
    with pytest.MonkeyPatch.context() as patch, bad_servers(authority) as bases:
        patch.setattr(settings, "get", lambda: allowed)
        patch.setattr(http_transfer, "authorities", lambda: str(trusted))
        resolver.forget()
        yield asyncio.run(_check_all(bases))
    probes.release()


async def _check_all(bases: dict[str, str]) -> dict[str, Outcome]:
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(row: Row) -> Outcome:
        async with room:
            kind = row.config.get("kind", "http_request")
            config: dict[str, Any] = {name: value for name, value in row.config.items() if name != "kind"}
            return await probes.PROBES[kind](target(kind, row.address.format(**bases), row.timeout, **config))

    found = await asyncio.gather(*(one(row) for row in ROWS))
    return {row.name: outcome for row, outcome in zip(ROWS, found, strict=True)}


def test_the_table_is_long_enough_and_no_row_is_there_twice() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) >= 150


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_server_that_behaves_like_this_is_judged_so(row: Row, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[row.name]
    assert (outcome.status, outcome.reason) == (row.status, row.reason), outcome.message
    assert outcome.message.isprintable()
    assert bool(outcome.message) is (row.reason is not None)
    if outcome.reason is Reason.INVALID_CONFIG:
        return
    assert (outcome.response_time_ms is None) is (outcome.status is Status.ERROR)
    timings = outcome.details["timings"]
    assert all(value >= 0 for value in timings.values())
    for letter, name in _TIMINGS.items() if row.reached != "?" else ():
        if letter in row.reached:
            assert timings[name] > 0, name
        # A body that comes with its headers takes no time that could be measured.
        elif letter != "d" or "f" not in row.reached:
            assert name not in timings, name
    # Behind a redirect the last server may not have answered.
    if outcome.status is Status.UP or "f" not in row.reached:
        assert ("statusCode" in outcome.details) is ("f" in row.reached)
    if outcome.response_time_ms is not None:
        assert outcome.response_time_ms <= row.timeout * 1000 + 1000
