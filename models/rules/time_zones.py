"""The time zones that a schedule can use: those of tzdata, each by its current name."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

#: The name that users know; tzdata calls it Etc/UTC.
UTC = "UTC"
_OTHER_UTC = "Etc/UTC"
#: tzdata's placeholders for machines without a time zone.
_PLACEHOLDERS = frozenset({"Factory"})


class _Zones(NamedTuple):
    #: Current names, `UTC` first, the others sorted.
    names: tuple[str, ...]
    #: Former or short name -> current name.
    aliases: dict[str, str]


def names() -> tuple[str, ...]:
    """Return the current name of every time zone, `UTC` first. Files such as `localtime` and `posixrules` are excluded."""
    return _zones().names


def is_known(name: str) -> bool:
    """Return whether `name` is the current name of a time zone."""
    return name in _known()


def preferred(name: str) -> str:
    """Return the current name of the zone `name`, such as Asia/Kolkata for Asia/Calcutta. Return unknown names unchanged."""
    return _zones().aliases.get(name, name)


def suggested(name: str) -> str | None:
    """Return the current name of the zone that `name` means, if it is a city or differs in case only; else None."""
    wanted = name.strip().replace(" ", "_").lower()
    if not wanted:
        return None
    matches = [known for known in names() if wanted in (known.lower(), known.lower().rpartition("/")[2])]
    return matches[0] if matches else None


@cache
def _known() -> frozenset[str]:
    return frozenset(names())


@cache
def _zones() -> _Zones:
    """Read tzdata's list of zones and links, and its list of the names in use in each country.

    A link that a country uses, such as Europe/Oslo, counts as a current name: users look for their own city.
    """
    folder = files("tzdata").joinpath("zoneinfo")
    zones, links = set(), {}
    for line in folder.joinpath("tzdata.zi").read_text(encoding="utf-8").splitlines():
        match line.split():
            case ["Z", name, *_]:
                zones.add(name)
            case ["L", target, former, *_]:
                links[former] = target
    lines = folder.joinpath("zone.tab").read_text(encoding="utf-8").splitlines()
    in_use = {line.split("\t")[2] for line in lines if line and not line.startswith("#")}
    current = (zones | in_use) - _PLACEHOLDERS - {_OTHER_UTC}
    aliases = {former: _resolve(former, links) for former in links.keys() - in_use - {UTC}}
    aliases = {former: UTC if name == _OTHER_UTC else name for former, name in aliases.items()} | {_OTHER_UTC: UTC}
    return _Zones((UTC, *sorted(current)), aliases)


def _resolve(name: str, links: dict[str, str]) -> str:
    while name in links:
        name = links[name]
    return name
