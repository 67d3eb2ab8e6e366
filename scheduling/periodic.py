"""The list of periodic work: which actor, how often."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import settings
from scheduling import sweep, tick, upkeep


class Periodic(NamedTuple):
    """`send` enqueues the actor; it runs at the start of the clock and then every `interval`, unless it is `resting`."""

    name: str
    send: Callable[[], object]
    interval: timedelta
    resting: Callable[[], bool] = lambda: False


def work(config: settings.Settings) -> list[Periodic]:
    """All periodic work of one clock. Several clocks at once are harmless: claims are atomic, the rest is idempotent."""
    upkeeping = [
        Periodic("make_partitions", upkeep.make_partitions.send, timedelta(hours=6)),
        Periodic("sweep", sweep.sweep.send, sweep.INTERVAL),
        Periodic("watch_locations", sweep.watch_locations.send, timedelta(seconds=10)),
        Periodic("sum_days", upkeep.sum_days.send, timedelta(minutes=15)),
        Periodic("remove_orphans", upkeep.remove_orphans.send, timedelta(hours=1)),
    ]
    if config.disable_monitor_scheduler:
        return upkeeping
    return [*upkeeping, Periodic("tick", tick.tick.send, tick.INTERVAL, tick.resting)]
