"""What should have been sent, from the script alone, held against what was sent."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from tests.simulation.script import MINUTE, Outage, Script, Watched
from tests.simulation.spans import Span, any_holds

#: From the round that decides to the message: retries of a delivery, the sweep's turns, a round asked again.
SLACK = 15 * MINUTE
#: The limit of failure alerts in one failure sequence.
MOST = 3


class Sent(NamedTuple):
    """One call to a channel, as the channel saw it."""

    at: datetime
    event: str
    monitor_id: UUID
    number: int | None
    delivery_id: UUID


@dataclass(slots=True)
class Figures:
    """The four that must be zero, what each is about, and how much was simulated."""

    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    outages: int = 0
    sent_notices: int = 0

    def __str__(self) -> str:
        return (
            f"missed outages {len(self.missed)}, false alarms {len(self.false)}, duplicate alerts {len(self.duplicates)},"
            f" alerts beyond the limit {len(self.beyond)}"
        )

    def reasons(self, most: int = 10) -> str:
        """The first of each, for the reader of a failure."""
        found = (("missed", self.missed), ("false", self.false), ("double", self.duplicates), ("beyond", self.beyond))
        return "\n".join(f"{name}: {one}" for name, reasons in found for one in reasons[:most])


def clean_slots(script: Script, one: Watched, span: Span) -> list[datetime]:
    """The slots in `span` at which nothing in Supercheck stands in the way: each of these rounds must count."""
    # After a trouble a round is made up for; the slot that follows within half an interval is then left out.
    after = max(SLACK, one.interval / 2 + MINUTE)
    blocked = [trouble.wider(2 * MINUTE, after) for trouble in script.troubles_of(one)]
    return [slot for slot in one.slots(span) if not any_holds(blocked, slot)]


def due_by(script: Script, one: Watched, since: datetime, rounds: int) -> datetime:
    """When people must have heard of something that `rounds` rounds from `since` on show."""
    if one.is_heartbeat:
        moment = since + rounds * (one.interval + one.grace) + SLACK
        # What could not be judged in time is judged a period later.
        if any(trouble.meets(Span(since - one.interval, moment)) for trouble in script.troubles_of(one)):
            moment = max(
                trouble.end for trouble in [Span(since, moment), *script.troubles_of(one)] if trouble.start < moment
            )
            moment += one.interval + one.grace + SLACK
        return moment
    found = clean_slots(script, one, Span(since, script.span.end))
    return found[rounds - 1] + SLACK if len(found) >= rounds else script.span.end


def window(script: Script, one: Watched, outage: Outage) -> Span:
    """From an outage's beginning to when its end must have been sent."""
    return Span(outage.span.start, due_by(script, one, outage.span.end, one.recovery_threshold))


def judge(script: Script, sent_notices: list[Sent], repeated_by_crash: set[UUID]) -> Figures:
    """The figures. A delivery in `repeated_by_crash` may come more than once: its sender died before it could say so."""
    figures = Figures(sent_notices=len(sent_notices))
    calls = Counter(one.delivery_id for one in sent_notices)
    for delivery, count in calls.items():
        if count > 1 and delivery not in repeated_by_crash:
            figures.duplicates.append(f"delivery {delivery} came {count} times")
    once = {one.delivery_id: one for one in reversed(sent_notices)}
    by_monitor: dict[UUID, list[Sent]] = {one.id: [] for one in script.watched}
    for message in once.values():
        by_monitor[message.monitor_id].append(message)
    for one in script.watched:
        _judge_monitor(script, one, sorted(by_monitor[one.id]), figures)
    return figures


def _judge_monitor(script: Script, one: Watched, sent_notices: list[Sent], figures: Figures) -> None:
    left = list(sent_notices)
    for outage in one.outages:
        if not outage.reported:
            continue
        figures.outages += 1
        its = window(script, one, outage)
        messages = [message for message in left if its.holds(message.at)]
        left = [message for message in left if not its.holds(message.at)]
        _judge_outage(script, one, outage, its, messages, figures)
    figures.false += [f"{_name(one)}: {message.event} at {message.at:%d %H:%M:%S}" for message in left]


def _judge_outage(
    script: Script, one: Watched, outage: Outage, its: Span, messages: list[Sent], figures: Figures
) -> None:
    name = f"{_name(one)}, {outage.span.start:%d %H:%M} to {outage.span.end:%d %H:%M}"
    failures = [message for message in messages if message.event != "monitor.up"]
    recoveries = [message for message in messages if message.event == "monitor.up"]
    numbers = Counter(message.number for message in failures)
    figures.duplicates += [f"{name}: number {number} {count} times" for number, count in numbers.items() if count > 1]
    figures.duplicates += [f"{name}: {len(recoveries)} recoveries"] * max(0, len(recoveries) - 1)
    figures.beyond += [f"{name}: number {number}" for number in numbers if number not in range(1, MOST + 1)]
    first = next((message.at for message in failures if message.number == 1), None)
    by = due_by(script, one, outage.span.start, one.failure_threshold)
    if first is None or first > by:
        figures.missed.append(f"{name}: first alert {_when(first)}, wanted by {_when(by)}")
    elif len(numbers) < _wanted_numbers(script, one, outage):
        figures.missed.append(f"{name}: only {len(numbers)} alerts")
    if not recoveries:
        figures.missed.append(f"{name}: no recovery by {_when(its.end)}")
    figures.false += [
        f"{name}: recovered at {_when(message.at)}" for message in recoveries if message.at < outage.span.end
    ]
    late = outage.span.end + SLACK
    figures.false += [f"{name}: {message.number} at {_when(message.at)}" for message in failures if message.at > late]


def _wanted_numbers(script: Script, one: Watched, outage: Outage) -> int:
    """How many failure alerts the outage must have had: the first, and one for each of the next two failed rounds."""
    if one.is_heartbeat:
        return 1
    failing = [slot for slot in clean_slots(script, one, outage.span) if not any_holds(outage.blips, slot)]
    before_a_blip = [slot for slot in failing if not outage.blips or slot < outage.blips[0].start]
    if len(before_a_blip) < one.failure_threshold:
        return 1
    return min(MOST, len(failing) - one.failure_threshold + 1)


def _name(one: Watched) -> str:
    where = f" {one.strategy} of {len(one.locations)}" if one.strategy else ""
    return f"{one.type}-{one.number}{where} every {one.interval // timedelta(minutes=1)} min, {one.failure_threshold}/{one.recovery_threshold}"


def _when(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%d %H:%M:%S}"
