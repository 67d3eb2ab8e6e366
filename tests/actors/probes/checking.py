"""One check, from a test's point of view."""

import asyncio
from typing import Any
from uuid import UUID

import check_types
from actors import probes
from actors.probes.outcome import Outcome
from actors.probes.target import Target


def target(kind: str, address: str, timeout: float = 5.0, **config: Any) -> Target:
    return Target(UUID(int=1), kind, address, timeout, check_types.with_defaults(kind, config))


def check(kind: str, address: str, timeout: float = 5.0, **config: Any) -> Outcome:
    return check_all([target(kind, address, timeout, **config)])[0]


def check_all(targets: list[Target]) -> list[Outcome]:
    """All at once, in a loop of their own."""

    async def together() -> list[Outcome]:
        return await asyncio.gather(*(probes.PROBES[one.kind](one) for one in targets))

    try:
        return asyncio.run(together())
    finally:
        probes.release()


def http(url: str, timeout: float = 5.0, **config: Any) -> Outcome:
    return check("http_request", url, timeout, **config)
