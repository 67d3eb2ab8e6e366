"""The list of periodic work: which actor runs how often."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import settings
from scheduling import create_partitions, remove_orphans, sum_days, sweep, tick, watch_locations


class PeriodicWork(NamedTuple):
    """`send` enqueues the actor when the clock starts and then every `interval`, unless `resting` returns True."""

    name: str
    send: Callable[[], object]
    interval: timedelta
    resting: Callable[[], bool] = lambda: False


def periodic_work(config: settings.Settings) -> list[PeriodicWork]:
    """Return all periodic work of one clock. Several clocks may run at once: claims are atomic, the rest is idempotent."""
    maintenance = [
        PeriodicWork("create_partitions", create_partitions.create_partitions.send, timedelta(hours=6)),
        PeriodicWork("sweep", sweep.sweep.send, sweep.INTERVAL),
        PeriodicWork("watch_locations", watch_locations.watch_locations.send, watch_locations.INTERVAL),
        PeriodicWork("sum_days", sum_days.sum_days.send, timedelta(minutes=15)),
        PeriodicWork("remove_orphans", remove_orphans.remove_orphans.send, timedelta(hours=1)),
    ]
    if config.disable_monitor_scheduler:
        return maintenance
    return [*maintenance, PeriodicWork("tick", tick.tick.send, tick.INTERVAL, tick.resting)]
