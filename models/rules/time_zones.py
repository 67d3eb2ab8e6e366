"""The time zones that a schedule may name: those of tzdata's own list, each under its present name."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

#: Under this name people know it; tzdata files it under "Etc".
UTC = "UTC"
_OTHER_UTC = "Etc/UTC"
#: A placeholder of tzdata for machines whose zone nobody has set.
_PLACEHOLDERS = frozenset({"Factory"})


class _Zones(NamedTuple):
    #: Present names, `UTC` first, the others sorted.
    names: tuple[str, ...]
    #: Former or shorter name -> present name.
    aliases: dict[str, str]


def names() -> tuple[str, ...]:
    """Return every time zone under its present name, `UTC` first. Not among them: `localtime`, `posixrules` and the like."""
    return _zones().names


def is_known(name: str) -> bool:
    """Return whether `name` is the present name of a time zone."""
    return name in _known()


def preferred(name: str) -> str:
    """Return the present name of the zone `name`, such as Asia/Kolkata for Asia/Calcutta; unknown names stay as they are."""
    return _zones().aliases.get(name, name)


def suggested(name: str) -> str | None:
    """Return the present name of the zone that `name` means when it is a city or in another case; None when none fits."""
    wanted = name.strip().replace(" ", "_").lower()
    if not wanted:
        return None
    fitting = [known for known in names() if wanted in (known.lower(), known.lower().rpartition("/")[2])]
    return fitting[0] if fitting else None


@cache
def _known() -> frozenset[str]:
    return frozenset(names())


@cache
def _zones() -> _Zones:
    """Read tzdata's list of zones and links, and its list of the names in use in each country.

    A link that is in use somewhere, such as Europe/Oslo, is a present name: people look for their own city.
    """
    folder = files("tzdata").joinpath("zoneinfo")
    zones, links = set(), {}
    for line in folder.joinpath("tzdata.zi").read_text(encoding="utf-8").splitlines():
        match line.split():
            case ["Z", name, *_]:
                zones.add(name)
            case ["L", goal, former, *_]:
                links[former] = goal
    lines = folder.joinpath("zone.tab").read_text(encoding="utf-8").splitlines()
    in_use = {line.split("\t")[2] for line in lines if line and not line.startswith("#")}
    present = (zones | in_use) - _PLACEHOLDERS - {_OTHER_UTC}
    aliases = {former: _end(former, links) for former in links.keys() - in_use - {UTC}}
    aliases = {former: UTC if name == _OTHER_UTC else name for former, name in aliases.items()} | {_OTHER_UTC: UTC}
    return _Zones((UTC, *sorted(present)), aliases)


def _end(name: str, links: dict[str, str]) -> str:
    while name in links:
        name = links[name]
    return name
