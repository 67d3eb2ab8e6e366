"""The client's address in one spelling. Sign-in delays, audit events and pings use it."""

import ipaddress
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::[0-9]*)?")
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]*")


class ClientAddress:
    """Middleware that normalizes `REMOTE_ADDR`.

    Proxies write `192.0.2.7:1234` and `[2001:db8::7]:1234` into `X-Forwarded-For`, with another port for each
    connection. A value that is not an address, such as `unknown`, is replaced by the address of the proxy.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        peer = environ.get("werkzeug.proxy_fix.orig", {}).get("REMOTE_ADDR")
        for text in (environ.get("REMOTE_ADDR"), peer):
            if text and (address := normalize(text)):
                environ["REMOTE_ADDR"] = address
                break
        return self._application(environ, start_response)


def normalize(text: str) -> str | None:
    """Return the address in `text` without brackets, port and zone, IPv4 as such; None if it holds no address."""
    text = text.strip()
    if match := _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text):
        text = match[1]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
