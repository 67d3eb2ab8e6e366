"""The background work of a web process: its entry in the process registry, metrics, and an orderly stop."""

from functools import partial

from flask import Flask

import settings
from actors.broker import broker
from actors.runtime import credential_uses, logs, telemetry
from actors.runtime.process_registry import ProcessRegistry
from actors.verdicts.ping_intake import PingIntake
from models.connections import ping_pool
from web.live.streams import live_of
from web.pings import self_check

ROLE = "web"


def begin(app: Flask) -> None:
    """Configure the logs of this process and start its background work. Call it once."""
    logs.configure(settings.get(), ROLE)
    registry = ProcessRegistry(broker, ROLE)
    app.extensions["registry"] = registry
    registry.start()
    config = settings.get()
    hears = partial(self_check.is_open, config.host, config.port)
    app.extensions["ping_intake"] = PingIntake(broker, ping_pool.transaction, hears)
    app.extensions["ping_intake"].start()
    telemetry.start(ROLE)
    credential_uses.start(ROLE)


def end(app: Flask) -> None:
    """Stop the live streams, for which the server would wait, and the background work.

    It may be called from any thread and takes at most a few seconds.
    """
    live_of(app).stop()
    app.extensions["ping_intake"].stop()
    app.extensions["registry"].stop()
    telemetry.stop()
    credential_uses.stop()
    ping_pool.close()
