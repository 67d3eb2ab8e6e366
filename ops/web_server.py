"""The web server: granian, in one process, with a thread for every open live stream."""

import os
import threading

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.common import AbstractServer
from granian.server.mt import MTServer

import settings

BACKLOG = 1024
#: After so long a stop no longer waits for what is open.
STOP_SECONDS = 3


class OneProcessServer(MTServer):
    """Granian's threaded server, also under an ordinary interpreter.

    Its usual server keeps a second process only to watch the first, which our supervisor does already: without it
    there is less memory, and no orphan holding the port when the watcher is killed.
    """

    def _check_gil(self) -> None:
        """Granian reserves this server for interpreters without a lock; the Python work of one worker needs none."""

    def serve(self, *args: object, **kwargs: object) -> None:
        """Serve until SIGTERM or SIGINT; past `MTServer.serve`, which only warns about the missing lock."""
        AbstractServer.serve(self, *args, **kwargs)  # type: ignore[arg-type]

    def signal_handler_interrupt(self, *args: object, **kwargs: object) -> None:
        """Stop: at once when nothing is open, after `STOP_SECONDS` at the latest."""
        deadline = threading.Timer(STOP_SECONDS, os._exit, args=(0,))
        deadline.daemon = True
        deadline.start()
        threading.Thread(target=_end_streams, daemon=True).start()
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]


def _end_streams() -> None:
    """Live streams never end by themselves, and granian waits for them."""
    from web import process, wsgi

    process.end(wsgi.app)


def serve(target: str = "web.wsgi:app") -> None:
    """Serve `target` at HOST and PORT until SIGTERM or SIGINT. Raises what importing `target` raises."""
    config = settings.get()
    OneProcessServer(
        target,
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=1,
        blocking_threads=settings.WEB_THREADS,
        # How many requests are taken in at once: the rest waits in the socket's backlog, not behind streams.
        backpressure=2 * settings.WEB_THREADS,
        backlog=BACKLOG,
        log_level=LogLevels.warning,
    ).serve()
