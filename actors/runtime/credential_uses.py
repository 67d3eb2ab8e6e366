"""Writes to the audit log which stored credentials this process decrypts, and for what purpose.

A worker decrypts a monitor's credentials once per version of the monitor, and a channel's at every delivery. The first use
is logged within seconds. Further uses are counted and logged once an hour and when the process ends, so the log shows every
use without being flooded. If a process is killed, its last counts are lost.
"""

import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import structlog

import settings
from actors.runtime import telemetry
from actors.runtime.periodic_thread import PeriodicThread
from models.queries import audit
from models.queries.audit import CredentialUse

log = structlog.get_logger(__name__)

WRITE_EVERY_SECONDS = 5.0
REPEAT_SECONDS = 3600.0
#: Rows per statement.
MAX_ROWS = 1000
CONNECT_SECONDS = 3


@dataclass(slots=True)
class _Count:
    since: datetime
    uses: int = 0


class Ledger:
    """Uses of credentials that are not logged yet. `process` is the role of this process."""

    def __init__(self, process: str) -> None:
        self._origin = {"process": process, "host": socket.gethostname()}
        self._pending: dict[CredentialUse, _Count] = {}
        #: When each use was last logged, on the monotonic clock. Entries older than an hour are removed.
        self._logged: dict[CredentialUse, float] = {}
        self._lock = threading.Lock()

    def add(self, uses: Iterable[CredentialUse]) -> None:
        """Count uses. Does no I/O, because checks call it."""
        now = datetime.now(UTC)
        with self._lock:
            for use in uses:
                self._pending.setdefault(use, _Count(now)).uses += 1

    def write(self, *, everything: bool = False) -> None:
        """Log uses that are new or were last logged more than an hour ago. Raise psycopg's errors and keep all counts then."""
        due = self._take(everything)
        if not due:
            return
        try:
            self._store(due)
        except psycopg.Error:
            self._restore(due)
            raise

    def _take(self, everything: bool) -> dict[CredentialUse, _Count]:
        now = time.monotonic()
        with self._lock:
            if not self._pending:
                return {}
            self._logged = {use: at for use, at in self._logged.items() if now - at < REPEAT_SECONDS}
            due = {use: count for use, count in self._pending.items() if everything or use not in self._logged}
            for use in due:
                del self._pending[use]
                self._logged[use] = now
        return due

    def _store(self, due: dict[CredentialUse, _Count]) -> None:
        # A separate connection: it is needed rarely, and some processes have no pool.
        with psycopg.connect(settings.get().database_url, connect_timeout=CONNECT_SECONDS) as db:
            rows = [
                (use, {"uses": count.uses, "since": count.since.isoformat(timespec="seconds"), **self._origin})
                for use, count in due.items()
            ]
            for start in range(0, len(rows), MAX_ROWS):
                audit.add_credential_uses(db, rows[start : start + MAX_ROWS])

    def _restore(self, due: dict[CredentialUse, _Count]) -> None:
        with self._lock:
            for use, count in due.items():
                self._logged.pop(use, None)
                later = self._pending.get(use)
                self._pending[use] = _Count(count.since, count.uses + (later.uses if later else 0))


_ledger: Ledger | None = None
_background: PeriodicThread | None = None


def record(uses: Iterable[CredentialUse]) -> None:
    """Record that these credentials are decrypted now. They are logged if `start` was called."""
    recorded = list(uses)
    for use in recorded:
        telemetry.CREDENTIAL_USES.labels(use.purpose).inc()
    if _ledger is not None and recorded:
        _ledger.add(recorded)


def start(process: str) -> None:
    """Log uses until `stop` or the end of the process. `process` is the role of this process."""
    global _ledger, _background
    if _background is not None:
        return
    _ledger = ledger = Ledger(process)

    def work(last: bool) -> None:
        try:
            ledger.write(everything=last)
        except psycopg.Error as error:
            log.warning("could not log the use of credentials yet", error=type(error).__name__)

    _background = PeriodicThread("credential-uses", WRITE_EVERY_SECONDS, work)


def stop() -> None:
    """Log all counted uses, then stop logging."""
    global _ledger, _background
    if _background is not None:
        _background.stop()
        _background = _ledger = None
