"""Restarts a process that exceeds its memory limit: it stops in an orderly way, and its supervisor starts it again.

A hard limit (RLIMIT_DATA) would make allocations fail anywhere, in a probe, in libcurl or in the database driver, and cause
wrong results. An orderly stop requeues unfinished work instead.
"""

import resource
import sys
import threading
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

POLL_SECONDS = 5.0
_STATM = Path("/proc/self/statm")
_PAGE = resource.getpagesize()
_MEGABYTE = 1024 * 1024
#: EX_TEMPFAIL: tells a supervisor that a restart may help.
EXIT_CODE = 75

_restart = threading.Event()


def used_megabytes() -> float:
    """Return the private memory of this process, without shared libraries. Raise `OSError` if the system has no `/proc`."""
    _, resident, shared = _STATM.read_text().split()[:3]
    return (int(resident) - int(shared)) * _PAGE / _MEGABYTE


def watch(stopping: threading.Event, limit_megabytes: int, every: float = POLL_SECONDS) -> None:
    """Poll this process's memory until `stopping` is set. Set it if the process uses more than `limit_megabytes`."""
    _restart.clear()
    try:
        used_megabytes()
    except OSError:
        log.warning("memory limit is off: this system does not report memory usage")
        return
    threading.Thread(target=_poll, args=(stopping, limit_megabytes, every), name="memory", daemon=True).start()


def _poll(stopping: threading.Event, limit: int, every: float) -> None:
    while not stopping.wait(every):
        used = used_megabytes()
        if used > limit:
            log.error("memory limit exceeded, restarting", used_mb=round(used), limit_mb=limit)
            restart(stopping)


def restart(stopping: threading.Event) -> None:
    """Stop this process so that its supervisor restarts it."""
    _restart.set()
    stopping.set()


def exit_for_restart() -> None:
    """Exit with `EXIT_CODE` if the process is to be restarted. Otherwise return."""
    if _restart.is_set():
        sys.exit(EXIT_CODE)
