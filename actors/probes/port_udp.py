"""UDP: only an answer or a refusal is certain, silence is neither."""

import asyncio
import errno
import socket
import time

from actors.probes import socket_failure
from actors.probes.outcome import Outcome, Reason
from actors.probes.port_exchange import LARGEST_ANSWER, Exchange, milliseconds_since
from actors.probes.resolver import family_of

# A refusal takes one round trip: whoever has been silent this long, in seconds, has not refused.
_PATIENCE = 3.0


async def ask(exchange: Exchange) -> Outcome:
    """Send a datagram and listen. Raises `OSError` where the target refuses it.

    `details.certainty` is `confirmed` where an answer came, `unconfirmed` where silence is taken for up.
    """
    loop = asyncio.get_running_loop()
    started = time.monotonic()
    wait = exchange.left if exchange.expect else min(_PATIENCE, exchange.left)
    answer = b""
    with socket.socket(family_of(exchange.ip), socket.SOCK_DGRAM) as connection:
        connection.setblocking(False)
        _connect(connection, exchange)
        try:
            async with asyncio.timeout(wait):
                await loop.sock_sendall(connection, exchange.send)
                answer = await loop.sock_recv(connection, LARGEST_ANSWER)
                exchange.reached = True
                while exchange.expect not in answer:
                    answer = await loop.sock_recv(connection, LARGEST_ANSWER)
        except TimeoutError:
            cut = None if answer else socket_failure.cut_off_by_gateway([exchange.ip])
            return cut or _silent(exchange, answer)
    outcome = exchange.up(milliseconds_since(started))
    outcome.details["certainty"] = "confirmed"
    return outcome


def _connect(connection: socket.socket, exchange: Exchange) -> None:
    """Let the system hand us the target's refusal and nobody else's answer; sends nothing. Raise `OSError`."""
    try:
        connection.connect((exchange.ip, exchange.port))
    except BlockingIOError:
        # UDP's word for no local port left. The loop's own connect would take it for a connection under way.
        raise OSError(errno.EADDRNOTAVAIL, "no local port is left") from None


def _silent(exchange: Exchange, answer: bytes) -> Outcome:
    if answer:
        return exchange.too_late(Reason.UNEXPECTED_ANSWER, "did not answer with the expected text")
    if exchange.expect:
        return exchange.too_late(Reason.READ_TIMEOUT, "did not answer")
    # Silence is all that many services say: to go on would only find the same elsewhere.
    exchange.reached = True
    outcome = exchange.up(None)
    outcome.details["certainty"] = "unconfirmed"
    return outcome
