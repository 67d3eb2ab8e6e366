"""Probes: a Target in, an Outcome out. One file per check type."""

from collections.abc import Awaitable, Callable

from actors.probes import curl_loop, heartbeat, http, icmp_socket, ping, port
from actors.probes.outcome import Outcome
from actors.probes.target import Target

Probe = Callable[[Target], Awaitable[Outcome]]

PROBES: dict[str, Probe] = {
    "http_request": http.probe,
    "website": http.probe,
    "ping_host": ping.probe,
    "port_check": port.probe,
    "heartbeat": heartbeat.probe,
}


def release() -> None:
    """Release what probes hold for closed event loops. A new loop also does this."""
    curl_loop.release()
    icmp_socket.release()
