"""Whether a ping that comes now would be answered: this process sends itself one, the way that all pings come."""

import http.client

import settings

#: An answer later than this is none for a job that waits.
ANSWER_SECONDS = 5.0
#: No token, so the database is not asked.
_PATH = settings.PING_PREFIX + "-"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - the names of all interfaces


def is_open(host: str, port: int) -> bool:
    """Whether the server at `host` and `port` answers a ping in time."""
    link = http.client.HTTPConnection(_EVERYWHERE.get(host, host), port, timeout=ANSWER_SECONDS)
    try:
        link.request("GET", _PATH, headers={"Connection": "close"})
        return link.getresponse().status == 404
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
