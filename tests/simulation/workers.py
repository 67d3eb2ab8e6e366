"""The simulated check workers: the real actor takes the batch, the script answers, the real writer stores."""

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from dramatiq import Message

from actors.checks import engine, result_writer
from actors.checks.batch import Batch, CheckResult, ScheduledCheck
from actors.probes import heartbeat
from actors.probes.outcome import Outcome, Reason, Status
from models.queries.results import ResultRow
from tests.simulation.mail import SECOND, Killed, Mail
from tests.simulation.script import Script, Watched
from tests.simulation.spans import any_holds

#: The deadline of a round is at most so long after its beginning; slow targets answer a bit later.
DEADLINE = timedelta(seconds=20)


class Looked(NamedTuple):
    """A result that waits to be stored, with its batch and the message that asked for it."""

    batch: Batch
    row: ResultRow
    message: Message[Any]


class Workers:
    """Stands for every worker's engine: `submit` is what `actors.checks.check` calls."""

    def __init__(self, mail: Mail, script: Script) -> None:
        self._mail, self._script = mail, script
        self._watched: dict[UUID, Watched] = {one.id: one for one in script.watched}
        self._waiting: dict[tuple[str | None, datetime], list[Looked]] = defaultdict(list)
        self.results = 0

    def submit(self, batch: Batch) -> None:
        """Look at once, and store when each answer is there; a worker that dies before stores nothing."""
        message = self._mail.working_on
        assert message is not None
        if self._mail.killing() and self._mail.rng.random() < 0.3:
            self._mail.give_back(message)
            return
        for check in batch.checks:
            self._look(batch, check, message)

    def _look(self, batch: Batch, check: ScheduledCheck, message: Message[Any]) -> None:
        now = self._mail.clock.now
        one = self._watched[check.monitor_id]
        started = max(now, check.scheduled_for)
        if (started - check.scheduled_for).total_seconds() > engine.TOO_LATE_SECONDS:
            outcome = Outcome(Status.ERROR, reason=Reason.CHECK_TOO_LATE, message="The check could not start in time.")
        elif batch.kind == "heartbeat":
            outcome = asyncio.run(heartbeat.probe(check.prepared.target))
        else:
            outcome = self._outcome(one, batch.location, started)
        ready = self._ready_at(one, started, outcome)
        key = (batch.location, ready)
        if key not in self._waiting:
            self._mail.at(ready, lambda: self._store(key))
        self._waiting[key].append(
            Looked(batch, result_writer.result_row(CheckResult(batch, check, started, outcome)), message)
        )

    def _outcome(self, one: Watched, location: str | None, at: datetime) -> Outcome:
        found = self._script.look(one, location, at)
        if found == "error":
            return Outcome(Status.ERROR, reason=Reason.INTERNAL_ERROR, message="We could not look.")
        if found == "down":
            return Outcome(Status.DOWN, 12.5, Reason.CONNECTION_REFUSED, "No one answers.")
        return Outcome(Status.UP, 20.0)

    def _ready_at(self, one: Watched, started: datetime, outcome: Outcome) -> datetime:
        """Failures are stored first and the rest together, as the writer does; the slow ones after their deadline."""
        if any_holds(one.slow, started):
            late = DEADLINE + (5 + one.number % 3 * 15) * SECOND
            return _whole(started + late)
        return _whole(started) + (SECOND if outcome.status is Status.UP else SECOND / 2)

    def _store(self, key: tuple[str | None, datetime]) -> None:
        """Store one group and acknowledge what is done; a worker that dies over it has its batches come again."""
        looked = self._waiting.pop(key)
        self.results += len(looked)
        dies = self._mail.killing() and self._mail.rng.random() < 0.3
        if dies:
            self._mail.doom = self._mail.rng.choice(("sending", "sent"))
        try:
            result_writer.store([one.row for one in looked])
        except Killed:
            pass
        finally:
            self._mail.doom = None
        if dies:
            for message in {one.message.message_id: one.message for one in looked}.values():
                self._mail.give_back(message)


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0) + SECOND
