"""Runs a script: the real tick, sweep and actors on a real PostgreSQL, in virtual time, and what a channel received."""

import hashlib
import importlib
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
import redis
from dramatiq import Message
from flask import Flask
from werkzeug.test import Client

from notifications.notice import Notice, NotificationError
from tests import rows
from tests.simulation import virtual_time
from tests.simulation.mail import SECOND, Killed, Mail
from tests.simulation.oracle import Sent
from tests.simulation.script import LOCATIONS, MINUTE, Script, Watched

#: One in so many calls fails at first.
FAILS_OFTEN = 25
#: While anything is unfinished the sweep comes so often (really every two seconds), and else every two hours.
SWEEP_EVERY, SWEEP_AT_REST = 15 * SECOND, timedelta(hours=2)
PROVIDERS = 20

_UNFINISHED = """
SELECT (SELECT min(next_run_at) FROM monitor_states WHERE next_run_at IS NOT NULL),
       EXISTS (SELECT FROM monitor_states WHERE open_scheduled_for IS NOT NULL)
       OR EXISTS (SELECT FROM alerts WHERE planned_at IS NULL)
       OR EXISTS (SELECT FROM deliveries WHERE status IN ('pending', 'retrying'))
       OR EXISTS (SELECT FROM monitor_states WHERE last_ping_at > coalesce(decided_for, '-infinity'))
"""


class Month:
    """One run. `sent_notices` is what the channel got, `repeated_by_crash` the deliveries whose sender died after the call."""

    def __init__(self, script: Script, db: psycopg.Connection[Any], patch: pytest.MonkeyPatch) -> None:
        from actors.broker import broker
        from scheduling import create_partitions, sweep, tick, watch_locations

        self.script, self.db = script, db
        self.sent_notices: list[Sent] = []
        self.repeated_by_crash: set[UUID] = set()
        self._rng = random.Random(script.seed + 1)
        self._clock = virtual_time.Clock(db, script.span.start)
        self.mail = Mail(self._clock, script, self._rng)
        self.mail.work = self._work
        self._broker = broker
        self._tick, self._sweep, self._partitions = tick.tick, sweep.sweep, create_partitions.create_partitions
        self._watch = watch_locations.watch_locations
        self._last_tick = self._last_sweep = script.span.start - timedelta(hours=1)
        self._due: datetime | None = None
        self._unfinished = False
        self._take_the_place_of_everything(patch)
        self._populate()

    # --- the stage

    def _take_the_place_of_everything(self, patch: pytest.MonkeyPatch) -> None:
        import actors.alerts.alert
        import actors.checks.check
        import actors.verdicts.heartbeat_ping  # noqa: F401 - found by its name
        import web.pings.routes
        from actors.probes import heartbeat
        from notifications import SENDERS
        from scheduling import dispatch
        from tests.simulation.workers import Workers

        virtual_time.rule(self._clock, self.script.seed, patch)
        self.workers = Workers(self.mail, self.script)
        patch.setattr(sys.modules["actors.checks.check"], "engine", lambda: self.workers)
        patch.setattr(self._broker, "enqueue_many", self.mail.enqueue_many)
        patch.setattr(self._broker, "hold", lambda: lambda: None)
        patch.setattr(self._broker, "requeue_dead", lambda _queues: None)
        patch.setattr(type(dispatch.online), "codes", lambda _self: self._online())
        patch.setitem(SENDERS, "webhook", self._call)
        # What a miss waits for in real time cannot happen here.
        patch.setattr(heartbeat, "_PENDING_PING_SECONDS", 0)
        self._web = Client(web.pings.routes.HeartbeatRoutes(Flask(__name__).wsgi_app))

    def _online(self) -> list[str]:
        self.mail.refuse_while_away()
        dead = {one.location for one in self.script.troubles if one.kind == "dead" and one.span.holds(self._clock.now)}
        return sorted(set(LOCATIONS) - dead)

    def _populate(self) -> None:
        for position, code in enumerate(LOCATIONS):
            rows.a_location(self.db, code, position)
        project = rows.a_project(self.db)
        providers = [rows.a_provider(self.db, project, f"http://127.0.0.1:9/{number}") for number in range(PROVIDERS)]
        for one in self.script.watched:
            self._enrol(project, one)
            self.db.execute(
                "INSERT INTO monitor_notification_settings (monitor_id, provider_id) VALUES (%s, %s)",
                [one.id, providers[one.number % PROVIDERS]],
            )
            for mute in one.mutes:
                self.mail.at(mute.start, partial(self._mute, one, mute.end))
        for day in range((self.script.span.end - self.script.span.start).days + 1):
            self.mail.at(self.script.span.start + timedelta(days=day), self._partitions.fn)

    def _enrol(self, project: UUID, one: Watched) -> None:
        config: dict[str, Any] = {"timeoutSeconds": 5}
        if one.strategy is not None:
            config["locationConfig"] = {
                "enabled": True,
                "locations": list(one.locations),
                "strategy": one.strategy,
                "threshold": one.percent,
            }
        first = next(iter(one.slots(self.script.span)))
        columns: dict[str, Any] = {}
        interval = None if one.cron else int(one.interval.total_seconds())
        if one.is_heartbeat:
            minutes, grace = one.interval / MINUTE, one.grace / MINUTE
            config = {"expectedIntervalMinutes": minutes, "gracePeriodMinutes": grace}
            columns["heartbeat_token_hash"] = hashlib.sha256(_token(one).encode()).digest()
            interval = int((one.interval + one.grace).total_seconds())
            first = self.script.span.start + one.interval + one.grace
            for moment in one.slots(self.script.span):
                self.mail.at(moment + SECOND, partial(self._ping, one))
        rows.a_monitor(
            self.db,
            project,
            "http://127.0.0.1:9/",
            id=one.id,
            type=one.type,
            config=config,
            due=first,
            interval_seconds=interval,
            cron_expression=one.cron,
            failure_threshold=one.failure_threshold,
            recovery_threshold=one.recovery_threshold,
            **columns,
        )

    # --- the play

    def run(self) -> None:
        """From the first slot to the last."""
        while True:
            self._look_at_the_rows()
            events = {"mail": self.mail.next_at(), "tick": self._next_tick(), "sweep": self._next_sweep()}
            name, moment = min(
                ((name, at) for name, at in events.items() if at is not None), key=lambda pair: (pair[1], pair[0])
            )
            if moment >= self.script.span.end:
                return
            self._clock.advance(moment)
            if name == "mail":
                while (at := self.mail.next_at()) is not None and at <= self._clock.now:
                    self.mail.happen()
            elif name == "tick":
                self._last_tick = self._clock.now
                self._periodic(self._tick)
            else:
                self._last_sweep = self._clock.now
                self._periodic(self._sweep)

    def _periodic(self, actor: Any) -> None:
        """One turn of periodic work; what it dies of, or misses, its next turn makes up for."""
        if self.mail.killing() and self._rng.random() < 0.3:
            self.mail.doom = self._rng.choice(("sending", "sent"))
        try:
            actor.fn()
        except (Killed, redis.ConnectionError):
            pass
        finally:
            self.mail.doom = None

    def _look_at_the_rows(self) -> None:
        row = self.db.execute(_UNFINISHED).fetchone()
        assert row is not None
        self._due, self._unfinished = row

    def _next_tick(self) -> datetime | None:
        if self._due is None:
            return None
        # Early enough for its look ahead; heartbeats are taken by the turn after that.
        moment = max(self._due.replace(microsecond=0), self._last_tick + SECOND)
        return self._awake(moment)

    def _next_sweep(self) -> datetime:
        wait = SWEEP_EVERY if self._unfinished else SWEEP_AT_REST
        return self._awake(max(self._last_sweep + wait, self._clock.now))

    def _awake(self, moment: datetime) -> datetime:
        asleep = self.mail.asleep()
        return max(moment, asleep.end) if asleep else moment

    def _work(self, message: Message[Any]) -> None:
        self._broker.get_actor(message.actor_name).fn(*message.args, **message.kwargs)

    def summary(self) -> str:
        """How much happened, for people."""
        rounds = rows.value(self.db, "SELECT count(DISTINCT (monitor_id, scheduled_for)) FROM monitor_results")
        return (
            f"{rounds} rounds, {self.workers.results} checks, {len(self.sent_notices)} messages sent, {self.mail.messages} of the"
            f" broker, {self.mail.repeated} of them again, {self.mail.lost} lost"
        )

    # --- the outside world

    def _call(self, notice: Notice, _config: Any) -> None:
        """A channel is called: at times it fails at first, and at times its caller dies."""
        from actors.alerts import circuit_breakers

        circuit_breakers.reset()
        if self._rng.randrange(FAILS_OFTEN) == 0:
            raise NotificationError("503", permanent=False)
        now = self._clock.now
        self.sent_notices.append(Sent(now, notice.event, notice.monitor.id, notice.alert_number, notice.delivery_id))
        if self.mail.killing() and self._rng.random() < 0.3:
            self.repeated_by_crash.add(notice.delivery_id)
            raise Killed

    def _ping(self, one: Watched) -> None:
        outage = one.outage_at(self._clock.now)
        if outage is not None and not outage.says_so:
            return
        with self._web.get(f"/api/heartbeat/{_token(one)}{'/fail' if outage else ''}") as answer:
            assert answer.status_code == 200

    def _mute(self, one: Watched, until: datetime) -> None:
        self.db.execute("UPDATE monitors SET muted_until = %s WHERE id = %s", [until, one.id])


def _token(one: Watched) -> str:
    return f"job-{one.number:016}"


@contextmanager
def played(script: Script, url: str, patch: pytest.MonkeyPatch) -> Iterator[Month]:
    """A run on the virtual database at `url`, which the settings name; over when the block begins."""
    from models.connections import database, ping_pool

    for name in (
        "actors.verdicts.aggregate",
        "actors.alerts.deliver",
        "actors.alerts.certificate_warning",
        "scheduling.tick",
        "models.queries.pings",
    ):
        importlib.import_module(name)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SET TIME ZONE 'UTC'")
        month = Month(script, db, patch)
        month.run()
        yield month
    ping_pool.close()
    database.close()
