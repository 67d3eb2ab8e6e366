"""Host names as the DNS knows them: the one place that turns letters beyond ASCII into `xn--` labels.

The rules are those of browsers: IDNA 2008 after the mapping of UTS 46, non-transitional, so that `straße.de` and `strasse.de`
are the two domains that they are. IDNA 2008 refuses symbols such as emoji, which registries sold under older rules: such
labels are encoded if everything else about them is right.
"""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_HOSTS = Path("/etc/hosts")
_LONGEST_LABEL = 63
_LABEL = re.compile(r"[a-z0-9_-]*")


@lru_cache(maxsize=4096)
def to_ascii(host: str) -> str:
    """Return `host` in lower-case ASCII; a final dot stays. Raise `UnicodeError`, a `ValueError`, if there is no such form.

    IP addresses and what is ASCII already, valid or not, come back as they are.
    """
    if host.isascii():
        return host.lower()
    # Loaded by the first name that needs it: its tables are large.
    import idna

    mapped = idna.uts46_remap(host, std3_rules=False, transitional=False)
    return ".".join(_plain(label) if label.isascii() else _encode(label) for label in mapped.split("."))


def to_lookup(host: str) -> str:
    """Return `host` as the system's resolver is to be asked for it. Raise `UnicodeError` if it has no ASCII form.

    A final dot stays, so that no search domain is tried. It goes where the system would not know its own names by it:
    its table of hosts lists them without.
    """
    name = to_ascii(host)
    short = name.removesuffix(".")
    own = short != name and (short == "localhost" or short.endswith(".localhost") or short in _hosts_of_system())
    return short if own else name


def bare(host: str) -> str:
    """Return `host` in lower-case ASCII and without its final dot, for comparing and for what is said to the host.

    The dot says only that no search domain is to be tried. What has no ASCII form is kept as it is.
    """
    try:
        return to_ascii(host).removesuffix(".")
    except UnicodeError:
        return host.lower().removesuffix(".")


def ascii_url(url: str) -> str:
    """Return `url` with its host in ASCII; everything else stays. Raise `ValueError` if it has no readable host."""
    if url.isascii():
        return url
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.isascii():
        return url
    login, at, _ = parts.netloc.rpartition("@")
    port = "" if parts.port is None else f":{parts.port}"
    return urlunsplit(parts._replace(netloc=f"{login}{at}{to_ascii(host)}{port}"))


def _hosts_of_system() -> frozenset[str]:
    try:
        lines = _HOSTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(name.lower() for line in lines for name in line.partition("#")[0].split()[1:])


def _plain(label: str) -> str:
    """Return an ASCII label that came out of the mapping: single letters map to texts such as "a/c"."""
    if not _LABEL.fullmatch(label):
        raise UnicodeError("Not a label of a host name")
    return label


def _encode(label: str) -> str:
    import idna

    try:
        return idna.alabel(label).decode()
    except idna.InvalidCodepoint:
        idna.alabel("".join("a" if _is_symbol(letter) else letter for letter in label))
        encoded = "xn--" + label.encode("punycode").decode()
        if len(encoded) > _LONGEST_LABEL:
            raise idna.IDNAError("Label too long") from None
        return encoded


def _is_symbol(letter: str) -> bool:
    return not letter.isascii() and unicodedata.category(letter).startswith("S")
