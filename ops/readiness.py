"""Whether the web process answers, and waiting for such things."""

import http.client
import time
from collections.abc import Callable

from ops.problem import Problem
from settings import Settings


def web_answers(config: Settings) -> bool:
    """Whether the web process says that it lives."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(host, config.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until(holds: Callable[[], bool], seconds: float, complaint: str) -> None:
    """Look at `holds` until it does. Raises `Problem` with `complaint` after `seconds`."""
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            raise Problem(f"{complaint} (waited {seconds:.0f} s).")
        time.sleep(0.1)
