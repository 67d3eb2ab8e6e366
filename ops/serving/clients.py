"""The client of a request, for sharing out connections and threads."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache

from web.http.client_address import normalize


@lru_cache(4096)
def source(address: str) -> str:
    """Return the client that `address` counts for: the address itself, or the /64 network of an IPv6 address."""
    text = normalize(address)
    if text is None:
        return address
    ip = ipaddress.ip_address(text)
    return text if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False))


def client_of(headers: Mapping[bytes, bytes], hops: int) -> str:
    """Return the client that the proxies name, of which `hops` are trusted; empty if they name none."""
    named = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
    return source(named[-hops].strip()) if hops and len(named) >= hops else ""
