"""The web server: uvicorn in one process. Its event loop holds the connections, reads requests and sends responses."""

import asyncio
import importlib
import os
import sys
import threading
import time
from types import FrameType
from typing import Any, cast

import uvicorn

import settings
from ops.serving.connections import KEEP_ALIVE_SECONDS, Connection, raise_file_limit
from ops.serving.crowd import Crowd
from ops.serving.front import Front
from ops.serving.pings import PingLane

BACKLOG = 1024
#: A stop waits at most this long for open requests.
STOP_SECONDS = 3
_TICK_SECONDS = 1.0


class OneProcessServer(uvicorn.Server):
    """Uvicorn's server with a time limit for its stop, and with a sweep that drops clients that are too slow."""

    def __init__(self, config: uvicorn.Config, crowd: Crowd) -> None:
        super().__init__(config)
        self._crowd = crowd
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._ending: threading.Thread | None = None

    async def main_loop(self) -> None:
        """Sweep the connections once a second until the stop."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            self._crowd.sweep(time.monotonic())
            try:
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's arguments
        """Stop at once if no request is open, otherwise after at most `STOP_SECONDS`."""
        if self.should_exit:
            return
        # Uvicorn's handler would raise the signal again after the stop; the supervisor expects exit code 0.
        self.should_exit = True
        deadline = threading.Timer(STOP_SECONDS, os._exit, args=(0,))
        deadline.daemon = True
        deadline.start()
        self._ending = threading.Thread(target=_end_streams, daemon=True)
        self._ending.start()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    def wait_for_end(self) -> None:
        """Wait until the application has shut down."""
        if self._ending is not None:
            self._ending.join(STOP_SECONDS)


def _end_streams() -> None:
    """End the application's live streams, which would otherwise delay the stop."""
    if "web.wsgi" in sys.modules:
        from web import lifecycle, wsgi

        lifecycle.end(wsgi.app)


def serve(target: str = "web.wsgi:app") -> None:
    """Serve `target` at HOST and PORT until SIGTERM or SIGINT. Errors of its import propagate."""
    config = settings.get()
    crowd = Crowd(raise_file_limit())
    module, _, name = target.partition(":")
    application = getattr(importlib.import_module(module), name)
    front, pings = Front(application), PingLane(application, settings.PING_THREADS)
    protocol = type("ServedConnection", (Connection,), {"crowd": crowd, "pings": pings, "hops": config.trusted_proxies})
    server = OneProcessServer(
        uvicorn.Config(
            cast(Any, front),
            host=config.host,
            port=config.port,
            http=protocol,
            loop="uvloop",
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        ),
        crowd,
    )
    server.run()
    server.wait_for_end()
    os._exit(0)  # an ordinary exit would wait for threads that are blocked
