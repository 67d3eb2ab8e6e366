"""Keeps a process within its memory: above the limit it ends what it is at and leaves; its supervisor starts it anew.

A hard limit (RLIMIT_DATA) would let an allocation fail wherever it happens to be, in a probe, in libcurl, in the
database driver, and turn our fault into wrong results. A stop that hands its work back turns it into nothing.
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

_start_again = threading.Event()


def used_megabytes() -> float:
    """What this process holds for itself, without the libraries it shares. Raises `OSError` where the system does not tell."""
    _, resident, shared = _STATM.read_text().split()[:3]
    return (int(resident) - int(shared)) * _PAGE / _MEGABYTE


def watch(stopping: threading.Event, limit_megabytes: int, every: float = LOOK_EVERY_SECONDS) -> None:
    """Look at this process's memory until `stopping` is set, and set it when `limit_megabytes` are exceeded."""
    _start_again.clear()
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
            start_again(stopping)


def start_again(stopping: threading.Event) -> None:
    """Stop this process, to be started again by its supervisor."""
    _start_again.set()
    stopping.set()


def leave() -> None:
    """End the process with `EXIT_CODE` if it is to be started again; otherwise return."""
    if _start_again.is_set():
        sys.exit(EXIT_CODE)
