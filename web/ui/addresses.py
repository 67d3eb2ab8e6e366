"""Web addresses as people type and paste them."""

import ipaddress
import re
from urllib.parse import urlsplit

from check_types import CHECK_TYPES, TargetForm
from web.ui.fields import Text

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def completed(text: str) -> str:
    """`text` as a URL: `https://` in front of a bare host, the scheme in small letters, blanks after the host encoded."""
    text = text.strip()
    if not text:
        return text
    found = _SCHEME.match(text)
    scheme, rest = (found[1].lower(), text[found.end() :]) if found else ("https", text.removeprefix("//"))
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
    """`target`, typed for a monitor of another type, as one of `kind`: its host alone for those that look at a host."""
    if CHECK_TYPES[kind].target is not TargetForm.HOST or "/" not in target:
        return target
    try:
        host = urlsplit(completed(target)).hostname or ""
    except ValueError:
        return target
    return host or target


class WebAddress(Text):
    """A URL; a bare host means `https://` and the host."""

    def wire(self) -> str:
        return completed(super().wire() or "")
