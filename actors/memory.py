"""Keeps a process within its memory: above the limit it ends what it is at and leaves; its supervisor starts it anew.

A hard limit (RLIMIT_DATA) would let an allocation fail wherever it happens to be, in a probe, in libcurl, in the
database driver, and turn our trouble into wrong results. A stop that hands its work back turns it into nothing.
"""

import resource
import sys
import threading
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 5.0
_STATM = Path("/proc/self/statm")
_PAGE = resource.getpagesize()
_MEGABYTE = 1024 * 1024
#: Tells a supervisor that knows exit codes that another start may help.
EXIT_CODE = 75

_exceeded = threading.Event()


def used_megabytes() -> float:
    """What this process holds for itself, without the libraries it shares. Raises `OSError` where the system does not tell."""
    _, resident, shared = _STATM.read_text().split()[:3]
    return (int(resident) - int(shared)) * _PAGE / _MEGABYTE


def watch(stopping: threading.Event, limit_megabytes: int, every: float = LOOK_EVERY_SECONDS) -> None:
    """Look at this process's memory until `stopping` is set, and set it when `limit_megabytes` are exceeded."""
    _exceeded.clear()
    try:
        used_megabytes()
    except OSError:
        log.warning("memory is not watched: this system does not tell how much is used")
        return
    threading.Thread(target=_look, args=(stopping, limit_megabytes, every), name="memory", daemon=True).start()


def _look(stopping: threading.Event, limit: int, every: float) -> None:
    while not stopping.wait(every):
        used = used_megabytes()
        if used > limit:
            log.error("memory limit exceeded; stopping, to be started anew", used_mb=round(used), limit_mb=limit)
            _exceeded.set()
            stopping.set()


def leave() -> None:
    """End the process with `EXIT_CODE` where it stopped for its memory; otherwise come back."""
    if _exceeded.is_set():
        sys.exit(EXIT_CODE)
