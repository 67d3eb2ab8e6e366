"""What happens in the simulated world: monitors, their outages, and our own troubles. Made from a seed, before anything runs.

Nothing here knows how the pipeline works: it says what is true, `look` returns what a probe would find, and `tests.simulation.oracle`
works out from it what people should have received.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from tests.simulation.spans import Span, any_holds

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: The first one is the default.
LOCATIONS = ("us-east", "eu-central", "asia-pacific")
#: Every scheduled time lies within so much of a full hour, so that a tick finds many monitors due at once.
ALIGNED = timedelta(milliseconds=900)

Kind = Literal["broker", "standstill", "kills", "dead", "silent"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A part of Supercheck that fails.

    `broker`: it restarts and is away for the span. `standstill`: scheduler and workers sleep. `kills`: processes die again
    and again. `dead`: a location has no worker. `silent`: its worker says that it lives and takes nothing.
    """

    kind: Kind
    span: Span
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """The target is broken, as `where` see it (None: everybody); `blips` are the moments in which it looks well.

    A heartbeat's job stops calling, or goes on and says that it fails (`says_so`).
    `reported` says whether people should hear of it; an outage too short, too local or muted they should not.
    """

    span: Span
    reported: bool
    where: frozenset[str] | None = None
    blips: tuple[Span, ...] = ()
    says_so: bool = False


@dataclass(slots=True)
class Watched:
    """A monitor and its month. `interval` is that of its slots; a heartbeat's job calls as often."""

    number: int
    id: UUID
    type: str
    interval: timedelta
    cron: str | None
    failure_threshold: int
    recovery_threshold: int
    locations: tuple[str, ...] = LOCATIONS[:1]
    strategy: str | None = None
    percent: int = 50
    grace: timedelta = timedelta()
    outages: list[Outage] = field(default_factory=list)
    errors: list[Span] = field(default_factory=list)
    slow: list[Span] = field(default_factory=list)
    mutes: list[Span] = field(default_factory=list)

    @property
    def is_heartbeat(self) -> bool:
        return self.type == "heartbeat"

    def slots(self, span: Span) -> Iterator[datetime]:
        """Its regular rounds in `span`; a heartbeat's calls. Never earlier than the second slot of the simulation."""
        passed = max(1, -((START - span.start) // self.interval))
        slot = START + passed * self.interval
        while slot < span.end:
            if slot >= span.start:
                yield slot
            slot += self.interval

    def outage_at(self, moment: datetime) -> Outage | None:
        return next((one for one in self.outages if one.span.holds(moment)), None)


@dataclass(frozen=True, slots=True)
class Script:
    """A whole month, or less of one."""

    seed: int
    span: Span
    watched: list[Watched]
    troubles: list[Trouble]
    #: The share of all messages that comes twice, for no reason at all.
    echo: float = 0.01
    #: The share that never comes.
    loss: float = 0.005

    def troubles_of(self, one: Watched) -> list[Span]:
        """When our own troubles may keep `one` from being looked at."""
        return [
            trouble.span
            for trouble in self.troubles
            if trouble.location is None or one.is_heartbeat or trouble.location in one.locations
        ] + [*one.errors, *one.slow]

    def look(self, one: Watched, location: str | None, at: datetime) -> str:
        """What a probe in `location` finds at `at`: up, down or error."""
        if any_holds(one.errors, at):
            return "error"
        outage = one.outage_at(at)
        if outage is None or any_holds(outage.blips, at):
            return "up"
        return "down" if outage.where is None or location in outage.where else "up"


def aligned_id(number: int, seed: int, interval: timedelta) -> UUID:
    """An id whose slots of `interval` lie within `ALIGNED` of the full hours that are multiples of it."""
    milliseconds = interval // timedelta(milliseconds=1)
    wanted = ALIGNED // timedelta(milliseconds=1)
    blake2b, from_bytes = hashlib.blake2b, int.from_bytes
    base = (seed << 96) | (number << 64)
    for turn in range(base, base + (1 << 32)):
        if from_bytes(blake2b(turn.to_bytes(16), digest_size=8).digest()) % milliseconds < wanted:
            return UUID(int=turn)
    raise AssertionError("no such id")
