"""Web addresses as people type and paste them."""

import ipaddress
import re
from urllib.parse import urlsplit

from web.ui.fields import Text

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def completed(text: str) -> str:
    """Return `text` as a URL: with `https://` before a bare host, a lower-case scheme, and spaces after the host encoded."""
    text = text.strip()
    if not text:
        return text
    match = _SCHEME.match(text)
    scheme, rest = (match[1].lower(), text[match.end() :]) if match else ("https", text.removeprefix("//"))
    host = re.match(r"[^/?#]*", rest)
    assert host is not None, "the pattern matches every text"
    name = f"[{host[0]}]" if _is_ipv6(host[0]) else host[0]
    return f"{scheme}://{name}{rest[host.end() :].replace(' ', '%20')}"


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def converted(kind: str, target: str) -> str:
    """Return `target`, typed for another type of monitor, for the type `kind`: only its host if that type checks a host."""
    if kind not in ("ping_host", "port_check") or "/" not in target:
        return target
    try:
        host = urlsplit(completed(target)).hostname or ""
    except ValueError:
        return target
    return host or target


class WebAddress(Text):
    """A URL. A bare host becomes `https://` and the host."""

    def wire(self) -> str:
        return completed(super().wire() or "")
