"""Tells the audit log which stored credentials this process has opened, and what for.

A worker opens a monitor's credentials once for each version that it comes to know, and a channel's at every delivery. The
first use is on record within seconds; further ones are gathered and told once an hour, with their number, and at the end
of the process: the log shows every use and is not flooded by any. A killed process takes along what it gathered since.
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
#: Rows of one statement.
AT_ONCE = 1000
CONNECT_SECONDS = 3


@dataclass(slots=True)
class _Gathered:
    since: datetime
    uses: int = 0


class Ledger:
    """What was used and is not on record yet. `process` is the role of this process."""

    def __init__(self, process: str) -> None:
        self._who = {"process": process, "host": socket.gethostname()}
        self._gathered: dict[CredentialUse, _Gathered] = {}
        #: When each was told last, on the monotonic clock; those of more than an hour ago are forgotten.
        self._told: dict[CredentialUse, float] = {}
        self._lock = threading.Lock()

    def add(self, uses: Iterable[CredentialUse]) -> None:
        """Gather. Costs no input or output: it is called on the road of a check."""
        now = datetime.now(UTC)
        with self._lock:
            for one in uses:
                self._gathered.setdefault(one, _Gathered(now)).uses += 1

    def write(self, *, everything: bool = False) -> None:
        """Put on record what was used for the first time or told more than an hour ago. Raises psycopg's errors, and keeps all then."""
        due = self._take(everything)
        if not due:
            return
        try:
            self._store(due)
        except psycopg.Error:
            self._give_back(due)
            raise

    def _take(self, everything: bool) -> dict[CredentialUse, _Gathered]:
        now = time.monotonic()
        with self._lock:
            if not self._gathered:
                return {}
            self._told = {one: at for one, at in self._told.items() if now - at < REPEAT_SECONDS}
            due = {one: gathered for one, gathered in self._gathered.items() if everything or one not in self._told}
            for one in due:
                del self._gathered[one]
                self._told[one] = now
        return due

    def _store(self, due: dict[CredentialUse, _Gathered]) -> None:
        # A connection of its own: it is wanted seldom, also by processes that have no pool.
        with psycopg.connect(settings.get().database_url, connect_timeout=CONNECT_SECONDS) as db:
            rows = [
                (one, {"uses": gathered.uses, "since": gathered.since.isoformat(timespec="seconds"), **self._who})
                for one, gathered in due.items()
            ]
            for start in range(0, len(rows), AT_ONCE):
                audit.add_credential_uses(db, rows[start : start + AT_ONCE])

    def _give_back(self, due: dict[CredentialUse, _Gathered]) -> None:
        with self._lock:
            for one, gathered in due.items():
                self._told.pop(one, None)
                later = self._gathered.get(one)
                self._gathered[one] = _Gathered(gathered.since, gathered.uses + (later.uses if later else 0))


_ledger: Ledger | None = None
_background: PeriodicThread | None = None


def record(uses: Iterable[CredentialUse]) -> None:
    """These credentials are opened now: counted, and on record soon where this process keeps a ledger."""
    noted = list(uses)
    for one in noted:
        telemetry.CREDENTIAL_USES.labels(one.purpose).inc()
    if _ledger is not None and noted:
        _ledger.add(noted)


def start(process: str) -> None:
    """Keep a ledger from now on, until `stop` or the end of the process; `process` is its role."""
    global _ledger, _background
    if _background is not None:
        return
    _ledger = ledger = Ledger(process)

    def work(last: bool) -> None:
        try:
            ledger.write(everything=last)
        except psycopg.Error as error:
            log.warning("the use of credentials is not on record yet", error=type(error).__name__)

    _background = PeriodicThread("credential-uses", WRITE_EVERY_SECONDS, work)


def stop() -> None:
    """Write what has been gathered, and keep no ledger afterwards."""
    global _ledger, _background
    if _background is not None:
        _background.stop()
        _background = _ledger = None
