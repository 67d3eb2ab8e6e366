"""A process dies before or after each commit of the pipeline, while an outage begins and again while it ends.

The process that takes over sends each of them once, and no round is there twice.
"""

import hashlib
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests import outside, rows
from tests.flow.doomed import EXIT_CODE, Death
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

Db = psycopg.Connection[Any]
TOKEN = "0123456789abcdefghij"
#: How many commits each actor makes for one round of one monitor. The process that decides it plans its alert with it; a message
#: for `alert` is what comes of it where that failed.
COMMITS = {"tick": 1, "check": 3, "aggregate": 1, "alert": 1, "deliver": 3, "heartbeat_ping": 1, "sweep": 1}
DEATHS = [
    Death(actor, number + 1, when)
    for actor, commits in COMMITS.items()
    for number in range(commits)
    for when in ("before", "after")
]
#: The service has answered, and no process recorded that.
MAY_REPEAT = Death("deliver", 2, "before")


@contextmanager
def process(death: Death | None) -> Iterator[Any]:
    """A process of the pipeline, forked from one that has everything imported and nothing open."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "tests.flow.doomed"])
    from tests.flow import doomed

    made = context.Process(target=doomed.run, args=(death,), daemon=True)
    made.start()
    try:
        yield made
    finally:
        made.kill()
        made.join()
        made.close()


class Story:
    """One monitor, its target and its webhook; `turn` breaks or repairs it while a process dies."""

    def __init__(self, db: Db, death: Death, target: outside.Target, hook: outside.Hook) -> None:
        self.db, self.death, self.target, self.hook = db, death, target, hook
        rows.a_location(db)
        project = rows.a_project(db)
        hour = datetime.now(UTC) + timedelta(hours=1)
        if death.actor == "heartbeat_ping":
            self.monitor = rows.a_monitor(
                db,
                project,
                "",
                type="heartbeat",
                due=hour,
                heartbeat_token_hash=hashlib.sha256(TOKEN.encode()).digest(),
            )
        else:
            self.monitor = rows.a_monitor(db, project, target.url, due=hour, interval=3600, state={"status": "up"})
        rows.a_provider(db, project, hook.url, self.monitor)

    def turn(self, status: str, events: list[str]) -> None:
        """The target becomes `status`, a process dies over it, and another one ends what it began: `events` are sent."""
        from actors.broker import broker

        self.target.status = 200 if status == "up" else 500
        self._begin(status)
        with process(self.death) as doomed:
            doomed.join(30)
            assert doomed.exitcode == EXIT_CODE, "it dies where it should"
        # What it had taken counts as its own no longer.
        dead = f"{broker.namespace}:__heartbeats__"
        broker.client.zadd(dead, dict.fromkeys(broker.client.zrange(dead, 0, -1), 0))
        self.db.execute("UPDATE deliveries SET claimed_until = now() WHERE claimed_until IS NOT NULL")
        with process(None):
            until(lambda: self._all_sent(events), within=30, what=f"{events} sent")

    def _begin(self, status: str) -> None:
        from actors.verdicts import aggregate
        from scheduling import sweep, tick

        now = datetime.now(UTC)
        match self.death.actor:
            case "heartbeat_ping":
                self._ping("" if status == "up" else "/fail")
            case "sweep":
                # A round that was answered, without a message about it.
                self._answer(now, status)
                sweep.sweep.send()
            case "alert":
                # A round that was decided, and its alert could not be planned at once.
                self._answer(now, status)
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(aggregate, "plan", lambda *_: [])
                    aggregate.settle([(self.monitor, now)], now)
                sweep.sweep.send()
            case _:
                self.db.execute("UPDATE monitor_states SET next_run_at = %s", [now])
                tick.tick.send()

    def _answer(self, scheduled: datetime, status: str) -> None:
        rows.an_open_round(self.db, self.monitor, scheduled)
        rows.a_result(self.db, self.monitor, scheduled, status)

    def _ping(self, suffix: str) -> None:
        from flask import Flask
        from werkzeug.test import Client

        from models.connections import ping_pool
        from web.pings.routes import PREFIX, HeartbeatRoutes

        with Client(HeartbeatRoutes(Flask(__name__).wsgi_app)).get(f"{PREFIX}{TOKEN}{suffix}") as answer:
            assert answer.status_code == 200
        ping_pool.close()

    def _all_sent(self, events: list[str]) -> bool:
        """Whether all is sent and on record; the clock goes on during that time."""
        from actors import queues
        from actors.broker import broker
        from scheduling import sweep, tick

        sent = self.db.execute("SELECT type FROM alerts WHERE status = 'sent' ORDER BY created_at").fetchall()
        if [kind for (kind,) in sent] == events:
            return True
        if not broker.client.llen(f"{broker.namespace}:{queues.SCHEDULER}"):
            tick.tick.send()
            sweep.sweep.send()
        return False

    def deliveries(self) -> list[str]:
        return [one["deliveryId"] for one in self.hook.received]


@pytest.mark.parametrize("death", DEATHS, ids=lambda death: f"{death.when} commit {death.number} of {death.actor}")
def test_a_crash_loses_nothing_and_doubles_nothing(
    connection: Db, target: outside.Target, hook: outside.Hook, death: Death
) -> None:
    story = Story(connection, death, target, hook)
    # When the process dies while the outage begins, and its successor while it ends
    story.turn("down", ["monitor.down"])
    story.turn("up", ["monitor.down", "monitor.up"])

    # Then both are sent once, a repeated call carries the id of the first
    assert len(set(story.deliveries())) == 2
    assert len(story.deliveries()) == (4 if death == MAY_REPEAT else 2)
    assert list(dict.fromkeys(hook.events())) == ["monitor.down", "monitor.up"]

    # And there are two rounds and two alerts, and the state is right
    value = partial(rows.value, connection)
    assert value("SELECT count(*) FROM monitor_results") == 2
    assert value("SELECT count(*) FROM alerts") == 2
    assert value("SELECT count(*) FROM incidents WHERE ended_at IS NOT NULL") == 1
    assert value("SELECT sum(up) + sum(down) FROM monitor_rollups_hourly") == 2
    state = rows.state(connection, story.monitor)
    assert (state["status"], state["consecutive_failures"], state["open_scheduled_for"]) == ("up", 0, None)
    assert isinstance(story.monitor, UUID)
