"""Watches the locations and warns the operator: silent locations, unanswered rounds, faults of workers, stuck work."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dramatiq

from actors import queues
from actors.broker import broker
from actors.runtime import fault_counts, process_registry
from actors.verdicts import ping_intake, unanswered_rounds
from models.connections.database import Db, transaction
from models.queries import locations, warnings
from scheduling import sweep
from scheduling.dispatch import online
from scheduling.tick import UNREADABLE_PAUSE

INTERVAL = timedelta(seconds=10)
#: The rounds of the last minutes that a location may leave unanswered before the operator is warned.
UNANSWERED_MINUTES = 10


@dramatiq.actor(broker=broker, queue_name=queues.SCHEDULER, max_retries=0, time_limit=60_000)
def watch_locations() -> None:
    """Record which locations are live, publish the enabled ones to the workers, and open and close warnings."""
    live = online.codes()
    unanswered = unanswered_rounds.recent(broker.client, UNANSWERED_MINUTES)
    faults = {
        f"{key.location}:{key.fault.value}": fault_counts.sentence(key, checks)
        for key, checks in fault_counts.recent(broker.client).items()
    }
    now = datetime.now(UTC)
    with transaction() as db:
        enabled = locations.enabled_codes(db)
        locations.record_seen(db, live)
        silent = locations.required_without_worker(db, live)
        _warn(db, "location_silent", {code: f"Location {code} has no live check worker." for code in silent})
        _warn(db, "location_unanswered", {code: _unanswered(code, rounds) for code, rounds in unanswered.items()})
        _warn(db, "worker_trouble", faults)
        _warn(db, "stuck", _stuck())
        warnings.resolve_unseen(db, warnings.UNREADABLE_SCHEDULE, now - 2 * UNREADABLE_PAUSE)
        warnings.resolve_unseen(db, ping_intake.WARNING, now - ping_intake.WARNING_LIFETIME)
        if live:
            warnings.resolve_others(db, "no_worker", [])
    process_registry.announce_locations(broker.client, enabled)


def _warn(db: Db, kind: str, messages: Mapping[str, str]) -> None:
    """Have exactly one open warning of `kind` for each subject in `messages`."""
    for subject, message in sorted(messages.items()):
        warnings.raise_warning(db, kind, subject, message)
    warnings.resolve_others(db, kind, messages)


def _unanswered(code: str, rounds: int) -> str:
    count = "1 round" if rounds == 1 else f"{rounds} rounds"
    return f"Location {code} left {count} unanswered in the last {UNANSWERED_MINUTES} minutes; they were decided without it."


def _stuck() -> dict[str, str]:
    """Return one warning per kind of work that fails repeatedly, however many rows it affects."""
    rounds, alerts = sweep.undecided_rounds.stuck(), sweep.unplanned_alerts.stuck()
    messages = {}
    if rounds:
        messages["rounds"] = f"{_count(rounds, 'round')} cannot be decided, one of monitor {rounds[0][0]}."
    if alerts:
        messages["alerts"] = f"{_count(alerts, 'alert')} cannot be processed, one of them {alerts[0]}."
    hint = " They are retried every minute; the worker logs show the reason."
    return {subject: message + hint for subject, message in messages.items()}


def _count(keys: Sequence[object], noun: str) -> str:
    return f"1 {noun}" if len(keys) == 1 else f"{len(keys)} {noun}s"
