"""The simulated broker: messages lie in a calendar, get lost, come twice, and come late.

It stands where `actors.broker.broker` sends and holds; the process that takes a message runs the real actor.
"""

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import redis
from dramatiq import Message

from tests.simulation.script import Script
from tests.simulation.spans import Span
from tests.simulation.virtual_time import Clock

SECOND = timedelta(seconds=1)
#: What a dead process had taken comes back: its silence is noticed after 8 s, at the sweep's next turn.
RETURNED_AFTER = 10 * SECOND
#: A restarted broker that lost its last acknowledgements gives messages of so long ago once more.
REMEMBERED = timedelta(minutes=30)
#: Half of what is sent so long before a restart is still in its queue then.
UNTAKEN = timedelta(seconds=4)
_PREFIX = "monitor-execution."


class Killed(BaseException):
    """The process that runs an actor is dead from here on."""


@dataclass(order=True, slots=True)
class Entry:
    """Something that happens at `at`; `epoch` is the broker's life in which a message was sent, None for anything else."""

    at: datetime
    order: int
    act: Callable[[], None] = field(compare=False)
    epoch: int | None = field(compare=False, default=None)


class Mail:
    """The calendar of all that is to happen, and the messages in it."""

    def __init__(self, clock: Clock, script: Script, rng: random.Random) -> None:
        self.clock, self.rng = clock, rng
        self._calendar: list[Entry] = []
        self._order = 0
        self._epoch = 0
        self._echo, self._loss = script.echo, script.loss
        self._away = [one.span for one in script.troubles if one.kind == "broker"]
        self._asleep = [one.span for one in script.troubles if one.kind == "standstill"]
        self._kills = [one.span for one in script.troubles if one.kind == "kills"]
        self._deaf = [(one.location, one.span) for one in script.troubles if one.kind in ("dead", "silent")]
        #: What the process that runs now will die of: `sending` or `sent`, at its next message; None: nothing.
        self.doom: str | None = None
        self.delivered: list[tuple[datetime, Message[Any]]] = []
        self.work: Callable[[Message[Any]], None]
        self.working_on: Message[Any] | None = None
        self.messages = self.lost = self.repeated = 0
        for span in self._away:
            self.at(span.start, self._restart)

    # --- the calendar

    def at(self, moment: datetime, act: Callable[[], None], epoch: int | None = None) -> None:
        """Let `act` happen at `moment`."""
        self._order += 1
        heapq.heappush(self._calendar, Entry(moment, self._order, act, epoch))

    def next_at(self) -> datetime | None:
        return self._calendar[0].at if self._calendar else None

    def happen(self) -> None:
        """Let the next thing happen, unless it was a message that a restart has lost."""
        entry = heapq.heappop(self._calendar)
        if entry.epoch in (None, self._epoch):
            entry.act()
        else:
            self.lost += 1

    # --- what the pipeline calls

    def enqueue_many(self, messages: Iterable[Message[Any]]) -> None:
        """Take messages. Raises redis' error while the broker is away, and `Killed` where the sender dies over it."""
        self.refuse_while_away()
        doom, self.doom = self.doom, None
        sent = [Message.decode(message.encode()) for message in messages]
        if sent and doom == "sending":
            raise Killed
        for message in sent:
            self.messages += 1
            if self.rng.random() < self._loss:
                self.lost += 1
                continue
            self.post(message, self.clock.now)
            if self.rng.random() < self._echo:
                self._again(message, self.rng.uniform(0, 7200) * SECOND)
        if sent and doom == "sent":
            raise Killed

    def refuse_while_away(self) -> None:
        """Raise redis' error while the broker is away."""
        if any(span.holds(self.clock.now) for span in self._away):
            raise redis.ConnectionError("the broker is away")

    def post(self, message: Message[Any], at: datetime) -> None:
        """Put `message` into its queue at `at`."""
        self.at(at, lambda: self._deliver(message), self._epoch)

    # --- who takes

    def _deliver(self, message: Message[Any]) -> None:
        later = self._consumed_from(message)
        if later is not None:
            self.post(message, later)
            return
        self.delivered.append((self.clock.now, message))
        fate = self._fate()
        if fate == "taken":
            self.give_back(message)
            return
        self.doom = fate if fate in ("sending", "sent") else None
        self.working_on = message
        try:
            self.work(message)
        except Killed:
            self.give_back(message)
        except redis.ConnectionError:
            # The consumer lost its broker too: the message waits there for it, if it survives.
            self.post(message, self._back_at())
        else:
            if fate == "unacknowledged":
                self.give_back(message)
        finally:
            self.doom, self.working_on = None, None

    def give_back(self, message: Message[Any]) -> None:
        """Its process has died before it could say that it was done."""
        self._again(message, RETURNED_AFTER + self.rng.uniform(0, 2) * SECOND)

    def _again(self, message: Message[Any], wait: timedelta) -> None:
        self.repeated += 1
        self.post(message, self.clock.now + wait)

    def _fate(self) -> str | None:
        if not self.killing() or self.rng.random() > 0.4:
            return None
        return self.rng.choice(("taken", "sending", "sent", "unacknowledged"))

    def killing(self) -> bool:
        """Whether processes die just now."""
        return any(span.holds(self.clock.now) for span in self._kills)

    def _consumed_from(self, message: Message[Any]) -> datetime | None:
        """When a process takes from the message's queue again; None if one does now."""
        code = message.queue_name.removeprefix(_PREFIX)
        waits = [span for location, span in self._deaf if location == code] + self._asleep
        if self.rng.random() < 0.5:
            # What is lost in a restart is what no process had taken before.
            waits += [Span(span.start - UNTAKEN, span.start) for span in self._away]
        return next((span.end for span in waits if span.holds(self.clock.now)), None)

    def asleep(self) -> Span | None:
        """The standstill that lasts now."""
        return next((span for span in self._asleep if span.holds(self.clock.now)), None)

    # --- a restart

    def _back_at(self) -> datetime:
        return next((span.end for span in self._away if span.holds(self.clock.now)), self.clock.now + SECOND)

    def _restart(self) -> None:
        """Nothing of what lies there is left, or else some of what was done already is there again."""
        self._epoch += 1
        recent = [message for at, message in self.delivered if at > self.clock.now - REMEMBERED]
        self.delivered.clear()
        if self.rng.random() < 0.5:
            for message in recent:
                self.repeated += 1
                self.post(message, self._back_at())
