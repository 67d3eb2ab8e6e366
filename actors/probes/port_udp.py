"""UDP: only a response or a refusal is certain. Silence is neither."""

import asyncio
import errno
import socket
import time

from actors.probes import socket_failure
from actors.probes.outcome import Outcome, Reason
from actors.probes.port_exchange import MAX_RESPONSE, Exchange, milliseconds_since
from actors.probes.resolver import family_of

# A refusal takes one round trip. After this time without one, the port has not refused.
_REFUSAL_SECONDS = 3.0


async def ask(exchange: Exchange) -> Outcome:
    """Send a datagram and wait for a response. Raise `OSError` if the target refuses it.

    `details.certainty` is `confirmed` if there was a response, `unconfirmed` if silence counts as up.
    """
    loop = asyncio.get_running_loop()
    started = time.monotonic()
    wait = exchange.left if exchange.expect else min(_REFUSAL_SECONDS, exchange.left)
    answer = b""
    with socket.socket(family_of(exchange.ip), socket.SOCK_DGRAM) as connection:
        connection.setblocking(False)
        _connect(connection, exchange)
        try:
            async with asyncio.timeout(wait):
                await loop.sock_sendall(connection, exchange.send)
                answer = await loop.sock_recv(connection, MAX_RESPONSE)
                exchange.reached = True
                while exchange.expect not in answer:
                    answer = await loop.sock_recv(connection, MAX_RESPONSE)
        except TimeoutError:
            cut = None if answer else socket_failure.cut_off_by_gateway([exchange.ip])
            return cut or _silent(exchange, answer)
    outcome = exchange.up(milliseconds_since(started))
    outcome.details["certainty"] = "confirmed"
    return outcome


def _connect(connection: socket.socket, exchange: Exchange) -> None:
    """Connect the socket, so that it gets refusals, and only datagrams of the target. Send nothing. Raise `OSError`."""
    try:
        connection.connect((exchange.ip, exchange.port))
    except BlockingIOError:
        # For UDP this means that no local port is free. The loop's own connect would misread it as "in progress".
        raise OSError(errno.EADDRNOTAVAIL, "no local port is left") from None


def _silent(exchange: Exchange, answer: bytes) -> Outcome:
    if answer:
        return exchange.too_late(Reason.UNEXPECTED_ANSWER, "did not respond with the expected text")
    if exchange.expect:
        return exchange.too_late(Reason.READ_TIMEOUT, "did not respond")
    # Many services do not respond, so trying another address would not help.
    exchange.reached = True
    outcome = exchange.up(None)
    outcome.details["certainty"] = "unconfirmed"
    return outcome
