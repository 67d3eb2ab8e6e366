"""A check whether this process accepts pings: it sends one to itself over HTTP."""

import http.client

import settings

#: A job does not wait longer than this for a response.
TIMEOUT_SECONDS = 5.0
#: This is not a valid token, so the database is not queried.
_PATH = settings.PING_PREFIX + "-"
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - these mean all interfaces


def is_open(host: str, port: int) -> bool:
    """Return whether the server at `host` and `port` responds to a ping in time."""
    connection = http.client.HTTPConnection(_LOOPBACK_OF.get(host, host), port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", _PATH, headers={"Connection": "close"})
        return connection.getresponse().status == 404
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
