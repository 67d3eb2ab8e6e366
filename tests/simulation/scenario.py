"""Makes a script from a seed: who is watched, what goes wrong with the targets, and what with us."""

import random
from datetime import datetime, timedelta
from uuid import UUID

from tests.simulation.oracle import SLACK, clean_slots, window
from tests.simulation.script import (
    DAY,
    HOUR,
    LOCATIONS,
    MINUTE,
    START,
    Outage,
    Script,
    Trouble,
    Watched,
    aligned_id,
)
from tests.simulation.spans import Span, any_meets

INTERVALS = (3 * HOUR, *[6 * HOUR] * 4, *[12 * HOUR] * 3)
CRONS = {3 * HOUR: "0 */3 * * *", 6 * HOUR: "0 */6 * * *", 12 * HOUR: "0 */12 * * *"}
#: (strategy, percent) -> how many of three locations must find the target up.
NEEDED = {
    ("all", 50): 3,
    ("majority", 50): 2,
    ("any", 50): 1,
    ("custom", 34): 2,
    ("custom", 67): 3,
    ("custom", 33): 1,
}
GRACE = 10 * MINUTE
#: The rounds that may be slow: at these every monitor has one.
SLOW_AT = 36 * HOUR


def cast(seed: int, monitors: int, days: int, rest: float = 12, echo: float = 0.01, loss: float = 0.005) -> Script:
    """A script of `monitors` monitors over `days` days, at most `rest` of them between two happenings of one monitor.

    Of all messages, the share `echo` comes once more within two hours, and the share `loss` never comes. The same seed gives the same script.
    """
    rng = random.Random(seed)
    span = Span(START, START + days * DAY)
    script = Script(
        seed, span, [_a_monitor(rng, seed, number) for number in range(monitors)], _troubles(rng, span), echo, loss
    )
    for one in script.watched:
        _live(rng, script, one, rest)
    return script


def _a_monitor(rng: random.Random, seed: int, number: int) -> Watched:
    interval = rng.choice(INTERVALS)
    if number % 20 == 19:
        thresholds = rng.choice((1, 1, 2)), rng.choice((1, 1, 2))
        return Watched(number, UUID(int=number), "heartbeat", interval, None, *thresholds, grace=GRACE)
    by_cron = rng.random() < 0.7
    one = Watched(
        number,
        UUID(int=number) if by_cron else aligned_id(number, seed, interval),
        rng.choice(("http_request", "port_check")),
        interval,
        CRONS[interval] if by_cron else None,
        rng.choice((1, 1, 2, 3, 4, 5)),
        rng.choice((1, 1, 2, 3)),
    )
    if number % 4 == 0:
        one.locations = LOCATIONS
        one.strategy, one.percent = rng.choice(list(NEEDED))
    return one


# --- our own troubles ---------------------------------------------------------------------------------


def _troubles(rng: random.Random, span: Span) -> list[Trouble]:
    """About one every 14 hours; those that hit messages in flight come at full hours, when there are some."""
    found: list[Trouble] = []
    hours = (span.end - span.start) // HOUR
    for _ in range(max(5, hours // 14)):
        at = span.start + rng.randrange(2, hours // 3) * 3 * HOUR
        kind = rng.choice(("broker", "broker", "kills", "kills", "kills", "dead", "silent", "standstill"))
        location = rng.choice(LOCATIONS)
        match kind:
            case "broker":
                start = at + timedelta(milliseconds=rng.randrange(200, 5000))
                found.append(Trouble("broker", Span(start, start + rng.randint(20, 180) * timedelta(seconds=1))))
            case "kills":
                found.append(Trouble("kills", Span(at - MINUTE, at + 4 * MINUTE)))
            case "dead":
                start = at - rng.randrange(60) * MINUTE
                found.append(Trouble("dead", Span(start, start + rng.randint(20, 90) * MINUTE), location))
            case "silent":
                start = at - rng.randrange(1, 5) * MINUTE
                found.append(Trouble("silent", Span(start, start + rng.randint(8, 20) * MINUTE), location))
            case _:
                start = at - rng.randrange(60) * MINUTE
                found.append(Trouble("standstill", Span(start, start + rng.randint(20, 240) * MINUTE)))
    return sorted(found, key=lambda one: one.span)


# --- a monitor's month --------------------------------------------------------------------------------


def _live(rng: random.Random, script: Script, one: Watched, rest: float) -> None:
    """Let things happen to `one`, each well after the end of what came before."""
    free_from = script.span.start + 2 * one.interval
    while True:
        start = free_from + rng.uniform(0.5, rest) * DAY
        start = _between_slots(one, start)
        if rng.random() < 0.3:
            start = _before_a_trouble(rng, script, one, start)
        happening = _heartbeat_happening if one.is_heartbeat else _happening
        end = happening(rng, script, one, start)
        if end is None:
            return
        free_from = end + 2 * one.interval


def _between_slots(one: Watched, moment: datetime) -> datetime:
    """Halfway from the slot at or before `moment` to the next: it is then certain which rounds it met."""
    return START + ((moment - START) // one.interval) * one.interval + one.interval / 2


def _before_a_trouble(rng: random.Random, script: Script, one: Watched, start: datetime) -> datetime:
    """The place between slots before the first trouble after `start`, so that it hits the outage's first round."""
    later = [span.start for span in script.troubles_of(one) if span.start > start + one.interval]
    return _between_slots(one, later[0] - one.interval / 2) if later else start


def _happening(rng: random.Random, script: Script, one: Watched, start: datetime) -> datetime | None:
    kind = rng.choice(("outage", "outage", "outage", "muted", "flap", "error", "slow", "local", "local"))
    if kind == "flap":
        return _flap(rng, script, one, start)
    if kind == "error":
        return _spell(script, one, start, one.errors, rng.randint(1, 6))
    if kind == "slow":
        return _slow(script, one, start)
    if kind == "local" and one.strategy is not None:
        return _local_outage(rng, script, one, start)
    return _outage(rng, script, one, start, muted=kind == "muted")


def _outage(rng: random.Random, script: Script, one: Watched, start: datetime, *, muted: bool) -> datetime | None:
    """An outage long enough to be reported, as often as the limit allows or only just."""
    wanted = one.failure_threshold + rng.choice((0, 1, 2, 3, 5, 8))
    slots = clean_slots(script, one, Span(start, script.span.end))
    if len(slots) < wanted + one.recovery_threshold + 4:
        return None
    span = Span(start, _between_slots(one, slots[wanted - 1]))
    blips: tuple[Span, ...] = ()
    if one.recovery_threshold > 1 and wanted >= one.failure_threshold + 3 + one.recovery_threshold:
        blips = _blips(script, one, span)
    outage = Outage(span, reported=not muted, blips=blips)
    one.outages.append(outage)
    whole = window(script, one, outage)
    if muted:
        one.mutes.append(Span(start - MINUTE, whole.end + MINUTE))
    return whole.end


def _blips(script: Script, one: Watched, span: Span) -> tuple[Span, ...]:
    """A stretch in which the target looks well for one round less than a recovery takes."""
    if any_meets(_widened(script, one), span):
        return ()
    first = _between_slots(one, span.start) + (one.failure_threshold + 1) * one.interval
    return (Span(first, first + (one.recovery_threshold - 1) * one.interval),)


def _flap(rng: random.Random, script: Script, one: Watched, start: datetime) -> datetime | None:
    """A failure of fewer rounds than the threshold; between two rounds where the threshold is one."""
    rounds = one.failure_threshold - 1
    span = Span(start, start + max(rounds, 0.2) * one.interval)
    if span.end + 3 * one.interval > script.span.end:
        return None
    if not any_meets(_widened(script, one), span):
        one.outages.append(Outage(span, reported=False))
    return span.end + SLACK


def _local_outage(rng: random.Random, script: Script, one: Watched, start: datetime) -> datetime | None:
    """One or two locations find the target broken; the strategy says whether that is an outage."""
    where = frozenset(rng.sample(LOCATIONS, rng.choice((1, 2))))
    assert one.strategy is not None
    reported = len(LOCATIONS) - len(where) < NEEDED[one.strategy, one.percent]
    span = Span(start, start + (one.failure_threshold + 3) * one.interval)
    outage = Outage(span, reported, where)
    whole = window(script, one, outage)
    if whole.end + 4 * one.interval > script.span.end:
        return None
    # Where a location is away, fewer decide, and another verdict may be right.
    if any_meets(_widened(script, one), whole):
        return whole.end
    one.outages.append(outage)
    return whole.end


def _spell(script: Script, one: Watched, start: datetime, spells: list[Span], rounds: int) -> datetime | None:
    span = Span(start, start + rounds * one.interval)
    if span.end + 4 * one.interval > script.span.end:
        return None
    spells.append(span)
    return span.end + one.interval


def _slow(script: Script, one: Watched, start: datetime) -> datetime | None:
    """A few minutes around one round in which every answer comes after the round's deadline; many monitors share them."""
    slot = START + (-((START - start) // SLOW_AT)) * SLOW_AT
    if slot + 4 * one.interval > script.span.end:
        return None
    one.slow.append(Span(slot - MINUTE, slot + 2 * MINUTE))
    return slot + one.interval


def _widened(script: Script, one: Watched) -> list[Span]:
    around = one.interval + SLACK
    return [span.wider(around, around) for span in script.troubles_of(one)]


def _heartbeat_happening(rng: random.Random, script: Script, one: Watched, start: datetime) -> datetime | None:
    """The job stops for a while, or says that it fails."""
    span = Span(start, start + (one.failure_threshold + rng.randint(2, 8)) * one.interval)
    outage = Outage(span, reported=True, says_so=rng.random() < 0.4)
    whole = window(script, one, outage)
    due_by_then = whole.end + 3 * one.interval
    if due_by_then > script.span.end:
        return None
    one.outages.append(outage)
    return whole.end
