"""This process's copy of what it checks: a message names a monitor's version, so the copy is never stale."""

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import host_names
from actors.probes.target import Target
from actors.runtime import credential_uses
from models.connections.database import transaction
from models.queries import check_configs
from models.queries.audit import CredentialUse

#: More monitors than this and the copy starts anew: memory stays bounded without book-keeping a check.
LIMIT = 20_000
TIMEOUT_SECONDS = 30.0


class Prepared(NamedTuple):
    """A target ready to be probed, and how many immediate re-checks a failure gets; `fault` says why it cannot be.

    `host` is whom it connects to first, empty where it connects to nobody. Projects share our places for checks.
    """

    version: int
    target: Target
    retries: int
    fault: str = ""
    host: str = ""
    project_id: UUID | None = None


_known: dict[UUID, Prepared] = {}


def prepared(wanted: Iterable[tuple[UUID, int]]) -> dict[UUID, Prepared]:
    """The targets of (monitor id, version), read from the database where the copy is missing or older.

    Monitors that are gone are absent. Raises psycopg's errors.
    """
    found: dict[UUID, Prepared] = {}
    missing = []
    for monitor_id, version in wanted:
        one = _known.get(monitor_id)
        if one is not None and one.version >= version:
            found[monitor_id] = one
        else:
            missing.append(monitor_id)
    if missing:
        with transaction() as db:
            rows = list(check_configs.load(db, missing))
        credential_uses.note(CredentialUse("monitor", row.monitor_id, "check") for row in rows if row.sealed)
        fresh = {row.monitor_id: _prepare(row) for row in rows}
        # What is broken is read again the next time: a key may be back that was missing.
        found.update(fresh)
        fresh = {monitor_id: one for monitor_id, one in fresh.items() if not one.fault}
        if len(_known) + len(fresh) > LIMIT:
            _known.clear()
        _known.update(fresh)
    return found


def _prepare(one: check_configs.CheckConfig) -> Prepared:
    """Whatever is wrong with one monitor's row stays its own: the others of its batch are checked."""
    fault, timeout, retries = "", TIMEOUT_SECONDS, 0
    if one.config is None:
        fault = "The stored credentials cannot be decrypted. Enter them again."
    else:
        try:
            timeout = float(one.config.get("timeoutSeconds", TIMEOUT_SECONDS))
            retries = int(one.config.get("retries", 0))
        except (TypeError, ValueError, OverflowError):
            fault = "The configuration cannot be read; save the monitor again."
    target = Target(one.monitor_id, one.type, one.target, timeout, one.config or {})
    return Prepared(one.version, target, retries, fault, _host(one.target), one.project_id)


def _host(target: str) -> str:
    """The host in a monitor's target, be it a URL or a name; one spelling, however it was written."""
    try:
        return host_names.bare((urlsplit(target).hostname if "://" in target else target.strip()) or "")
    except ValueError:
        return ""
