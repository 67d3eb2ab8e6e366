"""Ping: ICMP echo requests, and how many of them come back."""

import asyncio
import time

from actors.probes import address_fallback, icmp_socket, resolver, socket_failure
from actors.probes.address_fallback import Attempt
from actors.probes.icmp_socket import NotPermitted
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Target
from actors.probes.wording import plain, seconds

_SPACING = 0.15
# Once one reply is here, the others are given so long after the last request: seconds, and times the slowest so far.
_PATIENCE = 1.0
_TIMES_SLOWEST = 4


async def probe(target: Target) -> Outcome:
    """Send `packetCount` requests and judge the loss.

    If nothing comes back from an address of the name, the next one is tried; `ipVersion` leaves those of the other family
    out.
    """
    started = time.monotonic()
    found = await resolver.find_all(target.address, target.config["ipVersion"], target.timeout)
    if isinstance(found, Outcome):
        return found

    async def ping_at(ip: str, deadline: float) -> Attempt:
        return await _ping(target, ip, deadline)

    return await address_fallback.first_reached(found, started + target.timeout, ping_at)


async def _ping(target: Target, ip: str, deadline: float) -> Attempt:
    config = target.config
    count = min(10, max(1, int(config["packetCount"])))
    payload = (bytes(range(256)) * 6)[: min(1400, max(0, int(config["packetSize"])))]
    try:
        round_trips = await _exchange(ip, count, payload, deadline)
    except NotPermitted as error:
        return Attempt(Outcome(Status.ERROR, reason=Reason.PING_NOT_PERMITTED, message=str(error)), reached=False)
    except OSError as error:
        return Attempt(socket_failure.explain(error, target.address, [ip]), reached=False)
    if not round_trips and (cut := socket_failure.cut_off_by_gateway([ip])) is not None:
        return Attempt(cut, reached=False)
    return Attempt(judge(target, ip, count, [one * 1000 for one in round_trips]), bool(round_trips))


async def _exchange(ip: str, count: int, payload: bytes, deadline: float) -> list[float]:
    """The round-trip times, in seconds, of the requests that were answered before `deadline`.

    Raises `NotPermitted` and `OSError`.
    """
    echo = icmp_socket.running(resolver.family_of(ip))
    spacing = min(_SPACING, max(0.0, deadline - time.monotonic()) / (2 * count))
    replies: list[asyncio.Future[float]] = []
    try:
        for index in range(count):
            if index:
                await asyncio.sleep(spacing)
            replies.append(echo.send(ip, payload))
        await asyncio.wait(replies, timeout=deadline - time.monotonic(), return_when=asyncio.FIRST_COMPLETED)
        so_far = [reply.result() for reply in replies if _answered(reply)]
        if so_far:
            patience = max(_PATIENCE, _TIMES_SLOWEST * max(so_far))
            await asyncio.wait(replies, timeout=min(patience, deadline - time.monotonic()))
        return [reply.result() for reply in replies if _answered(reply)]
    finally:
        for reply in replies:
            reply.cancel()


def _answered(reply: asyncio.Future[float]) -> bool:
    return reply.done() and not reply.cancelled() and reply.exception() is None


def judge(target: Target, ip: str, count: int, milliseconds: list[float]) -> Outcome:
    """The outcome of `count` requests of which some came back, after so many milliseconds each."""
    loss = round(100 * (count - len(milliseconds)) / count, 1)
    details: dict[str, object] = {"resolvedIp": ip, "packetLossPercent": loss}
    outcome = Outcome(Status.UP, details=details)
    if milliseconds:
        average = sum(milliseconds) / len(milliseconds)
        outcome.response_time_ms = round(average, 3)
        details["rttMs"] = {
            "min": round(min(milliseconds), 3),
            "avg": round(average, 3),
            "max": round(max(milliseconds), 3),
        }
    if loss > float(target.config["maxPacketLossPercent"]):
        outcome.status = Status.DOWN
        host = plain(target.address, 100)
        if milliseconds:
            outcome.reason = Reason.PACKET_LOSS
            outcome.message = f"{host} did not answer {count - len(milliseconds)} of {count} pings ({loss:g} % lost)."
        else:
            outcome.reason = Reason.HOST_UNREACHABLE
            outcome.message = f"{host} did not answer any of {count} pings within {seconds(target.timeout)}."
    return outcome
