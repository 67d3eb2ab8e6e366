import asyncio
import socket
import threading
from pathlib import Path

import pytest

from actors import probes
from actors.probes.outcome import Outcome, Reason, Status

from .checking import check_all, target
from .site import Site


def test_one_hanging_target_delays_none_of_two_hundred_others(site: Site) -> None:
    url = site.answer("/", b"hello")
    hang = site.script("/hang", lambda connection: _wait(site))
    finished: list[str] = []

    async def one(address: str) -> Outcome:
        outcome = await probes.PROBES["http_request"](target("http_request", address, timeout=2.0))
        finished.append(address)
        return outcome

    async def together() -> list[Outcome]:
        return await asyncio.gather(one(hang), *(one(url) for _ in range(200)))

    outcomes = asyncio.run(together())
    probes.release()
    assert outcomes[0].reason is Reason.READ_TIMEOUT
    assert all(outcome.status is Status.UP for outcome in outcomes[1:])
    assert finished[-1] == hang


def test_no_descriptor_is_left_behind(site: Site) -> None:
    url = site.answer("/", b"hello")
    hang = site.script("/hang", lambda connection: _wait(site))
    closed = f"http://127.0.0.1:{_closed_port()}/"
    addresses = [url, hang, closed, "http://no-such-host.invalid/"] * 10
    targets = [target("http_request", address, timeout=0.5) for address in addresses]
    # libcurl keeps the threads of its resolver, and their descriptors, for later: they are made before counting.
    check_all(targets)
    before = _descriptors(site)
    check_all(targets)
    assert _descriptors(site) == before


def test_a_cancelled_check_takes_its_transfer_along(site: Site) -> None:
    arrived = threading.Event()
    gone = threading.Event()

    def hang(connection: socket.socket) -> None:
        arrived.set()
        if not connection.recv(1):
            gone.set()

    address = site.script("/hang", hang)
    url = site.answer("/")

    async def cancel() -> Outcome:
        task = asyncio.ensure_future(probes.http.probe(target("http_request", address, timeout=30)))
        await asyncio.to_thread(arrived.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(gone.wait, 5)
        return await probes.http.probe(target("http_request", url))

    assert asyncio.run(cancel()).status is Status.UP
    probes.release()


def test_every_loop_has_transfers_of_its_own(site: Site) -> None:
    targets = [target("http_request", site.answer("/"))] * 20
    counts: list[int] = []

    def work() -> None:
        outcomes = asyncio.run(_gather())
        counts.append(sum(outcome.status is Status.UP for outcome in outcomes))

    async def _gather() -> list[Outcome]:
        return await asyncio.gather(*(probes.http.probe(one) for one in targets))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    probes.release()
    assert counts == [20] * 4


def _wait(site: Site) -> None:
    site.stopping.wait(5)


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _descriptors(site: Site) -> int:
    site.settle()
    return len(list(Path("/proc/self/fd").iterdir()))
