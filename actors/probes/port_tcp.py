"""TCP: checks the connection, and optionally an exchange of text."""

import asyncio
import socket
import time

from actors.probes import socket_failure
from actors.probes.outcome import Outcome, Reason
from actors.probes.port_exchange import MAX_RESPONSE, Exchange, milliseconds_since
from actors.probes.resolver import family_of

_CHUNK = 16 * 1024


async def ask(exchange: Exchange) -> Outcome:
    """Connect and exchange text as configured. Raise `OSError` if the connection fails."""
    loop = asyncio.get_running_loop()
    started = time.monotonic()
    with socket.socket(family_of(exchange.ip), socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        try:
            async with asyncio.timeout(exchange.left):
                await loop.sock_connect(connection, (exchange.ip, exchange.port))
        except TimeoutError:
            cut = socket_failure.cut_off_by_gateway([exchange.ip])
            return cut or exchange.too_late(Reason.CONNECT_TIMEOUT, "did not accept the connection")
        exchange.timings["connectMs"] = milliseconds_since(started)
        exchange.reached = True
        if not exchange.send and not exchange.expect:
            return exchange.up(milliseconds_since(started))
        return await _converse(connection, exchange, started)


async def _converse(connection: socket.socket, exchange: Exchange, started: float) -> Outcome:
    loop = asyncio.get_running_loop()
    answer = bytearray()
    try:
        async with asyncio.timeout(exchange.left):
            if exchange.send:
                await loop.sock_sendall(connection, exchange.send)
            while exchange.expect and exchange.expect not in answer and len(answer) < MAX_RESPONSE:
                chunk = await loop.sock_recv(connection, _CHUNK)
                if not answer:
                    exchange.timings["firstByteMs"] = milliseconds_since(started) - exchange.timings["connectMs"]
                if not chunk:
                    break
                answer += chunk
    except TimeoutError:
        if answer:
            return exchange.too_late(Reason.UNEXPECTED_ANSWER, "did not respond with the expected text")
        return exchange.too_late(Reason.READ_TIMEOUT, "accepted the connection but did not respond")
    if exchange.expect in answer:
        return exchange.up(milliseconds_since(started))
    said = "responded without the expected text" if answer else "closed the connection without a response"
    return exchange.down(Reason.UNEXPECTED_ANSWER, said, milliseconds_since(started))
