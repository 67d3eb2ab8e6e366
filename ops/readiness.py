"""Ask whether the web process is alive, and wait for such conditions."""

import http.client
import time
from collections.abc import Callable

from ops.problem import Problem
from settings import Settings


def web_answers(config: Settings) -> bool:
    """Return whether the web process reports that it is alive."""
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
    """Wait until `holds` returns True. Raise `Problem` with `complaint` after `seconds`."""
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            raise Problem(f"{complaint} (waited {seconds:.0f} s).")
        time.sleep(0.1)
