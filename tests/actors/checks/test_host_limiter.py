"""Permits for one host: limited, fair, always released."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from actors.checks.host_limiter import HostLimiter


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


async def hold(limiter: HostLimiter, host: str, until: asyncio.Event, inside: list[str], name: str) -> None:
    async with limiter.permit(host):
        inside.append(name)
        await until.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_no_more_than_the_limit_are_inside_and_the_others_follow_in_their_order() -> None:
    async def story() -> None:
        limiter, inside = HostLimiter(2), []
        ends = [asyncio.Event() for _ in range(4)]
        tasks = [asyncio.create_task(hold(limiter, "a", ends[n], inside, str(n))) for n in range(4)]
        await settle()
        assert inside == ["0", "1"]
        ends[1].set()
        await settle()
        assert inside == ["0", "1", "2"]
        for one in ends:
            one.set()
        await asyncio.gather(*tasks)
        assert inside == ["0", "1", "2", "3"]
        assert not limiter._hosts

    run(story())


@pytest.mark.parametrize("other", ["b", ""])
def test_a_full_host_blocks_no_other_host(other: str) -> None:
    async def story() -> None:
        limiter, inside, end = HostLimiter(1), [], asyncio.Event()
        names = [("a", "first"), ("a", "waits"), (other, "goes"), *([("", "goes too")] if not other else [])]
        tasks = [asyncio.create_task(hold(limiter, host, end, inside, name)) for host, name in names]
        await settle()
        assert "waits" not in inside
        assert len(inside) == len(names) - 1
        end.set()
        await asyncio.gather(*tasks)

    run(story())


@pytest.mark.parametrize("when", ["waiting", "just granted"])
def test_a_cancelled_check_releases_its_permit(when: str) -> None:
    async def story() -> None:
        limiter, inside = HostLimiter(1), []
        ends = [asyncio.Event() for _ in range(3)]
        first, second, third = (asyncio.create_task(hold(limiter, "a", ends[n], inside, str(n))) for n in range(3))
        await settle()
        if when == "just granted":
            ends[0].set()
            while not limiter._hosts["a"]._waiting.get(None) or len(limiter._hosts["a"]._waiting[None]) > 1:
                await asyncio.sleep(0)  # until the first one's permit goes to the second
            second.cancel()
        else:
            second.cancel()
        await settle()
        for one in ends:
            one.set()
        await asyncio.gather(first, third)
        assert second.cancelled()
        assert "1" not in inside
        assert not limiter._hosts

    run(story())
