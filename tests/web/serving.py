"""The real application for a test: in process, or on a socket with a thread for each request."""

import contextlib
import threading
from collections.abc import Iterator

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from settings import Settings


@contextlib.contextmanager
def an_app(config: Settings | None = None) -> Iterator[Flask]:
    """An application on the environment's servers, with a context for the factories; gives everything back."""
    from models.connections import ping_pool
    from web import create_app
    from web.http.extensions import db
    from web.live.streams import live_of

    app = create_app(config)
    app.testing = True
    with app.app_context():
        yield app
        db.session.remove()
        live_of(app).stop()
        ping_pool.close()
        db.engine.dispose()
        app.extensions["redis"].close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: tests read the answers."""


@contextlib.contextmanager
def served(app: Flask) -> Iterator[tuple[str, int]]:
    """`app` on a loopback socket; yields host and port."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield "127.0.0.1", server.server_port
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
