"""A process that runs the whole pipeline, and dies at the commit that a test has chosen."""

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal, NamedTuple
from uuid import uuid4

import dramatiq
import psycopg
from dramatiq.middleware import CurrentMessage

import actors.alerts.alert
import actors.alerts.deliver
import actors.checks.check
import actors.verdicts.aggregate
import actors.verdicts.heartbeat_ping  # noqa: F401 - found by its name
import notifications  # noqa: F401 - its first message finds everything warm
import scheduling.sweep
import scheduling.tick
from actors.broker import broker
from actors.runtime.process_registry import ProcessRegistry

EXIT_CODE = 9


class Death(NamedTuple):
    """Dead `when` the `number`-th commit of `actor` is made."""

    actor: str
    number: int
    when: Literal["before", "after"]


def run(death: Death | None) -> None:
    """Consume every queue until `death`, or until this process is killed; the sweep forgives no message its absence."""
    scheduling.sweep.IN_FLIGHT_GRACE = timedelta()
    # Made before the fork: without one of its own it would renew the dead one's sign of life.
    broker.broker_id = str(uuid4())
    if death is not None:
        await_death(death)
    ProcessRegistry(broker, "check_worker").start()
    dramatiq.Worker(broker, worker_threads=4, worker_timeout=500).start()
    threading.Event().wait()


def await_death(death: Death) -> None:
    """Count the actor's commits, and leave without a word at the chosen one."""
    commit: Callable[[psycopg.Connection[Any]], None] = psycopg.Connection.commit
    counting = threading.Lock()
    left = death.number

    def counted(connection: psycopg.Connection[Any]) -> None:
        nonlocal left
        fatal = False
        if _whose() == death.actor:
            with counting:
                left -= 1
                fatal = left == 0
        if fatal and death.when == "before":
            os._exit(EXIT_CODE)
        commit(connection)
        if fatal:
            os._exit(EXIT_CODE)

    psycopg.Connection.commit = counted  # type: ignore[method-assign, assignment]


def _whose() -> str:
    """The actor that this thread works for; the engine's helpers write for `check`."""
    message = CurrentMessage.get_current_message()
    if message is not None:
        return str(message.actor_name)
    return "check" if threading.current_thread().name.startswith("asyncio_") else ""
