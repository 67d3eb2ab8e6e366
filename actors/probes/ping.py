"""Ping: ICMP echo requests, and how many of them come back."""

import asyncio
import time

from actors.probes import address_fallback, icmp_socket, resolver, socket_failure
from actors.probes.address_fallback import Attempt
from actors.probes.icmp_socket import NotPermitted
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.target import Target
from actors.probes.wording import plain, seconds

_SPACING_SECONDS = 0.15
# After the first reply, the others get the longer of these: seconds, and a multiple of the slowest reply so far.
_LATE_REPLY_SECONDS = 1.0
_LATE_REPLY_FACTOR = 4


async def probe(target: Target) -> Outcome:
    """Send `packetCount` requests and check the loss.

    If no reply comes from one address of the name, try the next one. `ipVersion` restricts the addresses to one family.
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
    return Attempt(judge(target, ip, count, [trip * 1000 for trip in round_trips]), bool(round_trips))


async def _exchange(ip: str, count: int, payload: bytes, deadline: float) -> list[float]:
    """Return the round-trip times in seconds of the requests that got a reply before `deadline`.

    Raise `NotPermitted` or `OSError`.
    """
    echo = icmp_socket.running(resolver.family_of(ip))
    spacing = min(_SPACING_SECONDS, max(0.0, deadline - time.monotonic()) / (2 * count))
    replies: list[asyncio.Future[float]] = []
    try:
        for index in range(count):
            if index:
                await asyncio.sleep(spacing)
            replies.append(echo.send(ip, payload))
        await asyncio.wait(replies, timeout=deadline - time.monotonic(), return_when=asyncio.FIRST_COMPLETED)
        round_trips = [reply.result() for reply in replies if _has_reply(reply)]
        if round_trips:
            late_reply_seconds = max(_LATE_REPLY_SECONDS, _LATE_REPLY_FACTOR * max(round_trips))
            await asyncio.wait(replies, timeout=min(late_reply_seconds, deadline - time.monotonic()))
        return [reply.result() for reply in replies if _has_reply(reply)]
    finally:
        for reply in replies:
            reply.cancel()


def _has_reply(reply: asyncio.Future[float]) -> bool:
    return reply.done() and not reply.cancelled() and reply.exception() is None


def judge(target: Target, ip: str, count: int, milliseconds: list[float]) -> Outcome:
    """Return the outcome of `count` requests, given the round-trip times of the replies."""
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
            outcome.message = f"{host} did not reply to {count - len(milliseconds)} of {count} pings ({loss:g} % lost)."
        else:
            outcome.reason = Reason.HOST_UNREACHABLE
            outcome.message = f"{host} did not reply to any of {count} pings within {seconds(target.timeout)}."
    return outcome
