"""Ports: connects to a port, and optionally checks its response."""

import errno
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from actors.probes import address_fallback, port_tcp, port_udp, resolver, socket_failure
from actors.probes.address_fallback import Attempt
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.port_exchange import Exchange, milliseconds_since
from actors.probes.target import Target
from actors.probes.wording import plain

_PROTOCOLS = frozenset({"tcp", "udp"})


async def probe(target: Target) -> Outcome:
    """Connect to the port, and exchange `send` and `expect` if they are set.

    If one address of the name is not reached, try the next one. `ipVersion` restricts the addresses to one family.
    """
    config = target.config
    number = config.get("port")
    protocol = str(config["protocol"]).lower()
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 65535:
        return _invalid("The port must be a number from 1 to 65535.")
    if protocol not in _PROTOCOLS:
        return _invalid("The protocol must be tcp or udp.")
    started = time.monotonic()
    found = await resolver.find_all(target.address, config["ipVersion"], target.timeout)
    if isinstance(found, Outcome):
        return found
    exchange = Exchange(
        ip=found[0],
        port=number,
        send=str(config.get("send") or "").encode(),
        expect=str(config.get("expect") or "").encode(),
        name=f"Port {number} of {plain(target.address, 100)}",
        timeout=target.timeout,
        deadline=started + target.timeout,
        timings={"dnsMs": milliseconds_since(started)},
    )
    ask = port_udp.ask if protocol == "udp" else port_tcp.ask

    async def ask_at(ip: str, deadline: float) -> Attempt:
        attempt = replace(exchange, ip=ip, deadline=deadline, timings=dict(exchange.timings))
        outcome = await _ask(ask, attempt)
        return Attempt(outcome, attempt.reached)

    return await address_fallback.first_reached(found, exchange.deadline, ask_at)


async def _ask(ask: Callable[[Exchange], Awaitable[Outcome]], exchange: Exchange) -> Outcome:
    started = time.monotonic()
    try:
        outcome = await ask(exchange)
    except OSError as error:
        if error.errno == errno.ECONNREFUSED:
            outcome = exchange.down(Reason.PORT_CLOSED, "is closed", milliseconds_since(started))
        else:
            outcome = socket_failure.explain(error, exchange.name, [exchange.ip])
            outcome.response_time_ms = milliseconds_since(started)
    outcome.details["resolvedIp"] = exchange.ip
    outcome.details["timings"] = exchange.timings
    return outcome


def _invalid(message: str) -> Outcome:
    return Outcome(Status.ERROR, reason=Reason.INVALID_CONFIG, message=message)
