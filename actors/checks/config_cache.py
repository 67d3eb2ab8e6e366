"""Caches the configs of the monitors that this process checks.

An execution message names a monitor's version, so the cache never returns an outdated config.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit
from uuid import UUID

import check_types
import host_names
from actors.checks.batch import PreparedCheck
from actors.probes.target import Target
from actors.runtime import credential_uses
from models.connections.database import transaction
from models.queries import check_configs
from models.queries.audit import CredentialUse

#: The cache is cleared when it would hold more monitors than this. That bounds memory without bookkeeping per check.
MAX_MONITORS = 20_000

_cache: dict[UUID, PreparedCheck] = {}


def load(wanted: Iterable[tuple[UUID, int]]) -> dict[UUID, PreparedCheck]:
    """Return {monitor id: prepared check} for pairs of monitor id and version.

    The database is read for monitors that the cache lacks or has in an older version. Deleted monitors are absent. Raise
    psycopg's errors.
    """
    prepared: dict[UUID, PreparedCheck] = {}
    missing = []
    for monitor_id, version in wanted:
        cached = _cache.get(monitor_id)
        if cached is not None and cached.version >= version:
            prepared[monitor_id] = cached
        else:
            missing.append(monitor_id)
    if missing:
        with transaction() as db:
            rows = list(check_configs.load(db, missing))
        credential_uses.record(CredentialUse("monitor", row.monitor_id, "check") for row in rows if row.has_secrets)
        fresh = {row.monitor_id: _prepare(row) for row in rows}
        prepared.update(fresh)
        # A config with a fault is not cached: a missing encryption key may be back at the next check.
        usable = {monitor_id: check for monitor_id, check in fresh.items() if not check.fault}
        if len(_cache) + len(usable) > MAX_MONITORS:
            _cache.clear()
        _cache.update(usable)
    return prepared


def _prepare(row: check_configs.CheckConfig) -> PreparedCheck:
    """Return what the engine needs. An unreadable row becomes a fault, so the rest of its batch is checked."""
    fault = "The stored credentials cannot be decrypted. Enter them again." if row.config is None else ""
    config = check_types.with_defaults(row.type, row.config or {})
    timeout, retries = 0.0, 0
    if not fault:
        try:
            timeout, retries = float(config["timeoutSeconds"]), int(config["retries"])
        except (TypeError, ValueError, OverflowError):
            fault = "The configuration is invalid. Save the monitor again."
    target = Target(row.monitor_id, row.type, row.target, timeout, config)
    return PreparedCheck(row.version, target, retries, fault, _host(row.target), row.project_id)


def _host(target: str) -> str:
    """Return the host in a monitor's target, a URL or a name, in one spelling. Return "" if there is none."""
    try:
        return host_names.bare((urlsplit(target).hostname if "://" in target else target.strip()) or "")
    except ValueError:
        return ""
