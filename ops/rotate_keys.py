"""`supercheck rotate-keys`: encrypt every stored credential again, with the first key of CREDENTIAL_ENCRYPTION_KEY.

It may run while the system runs, and again after an interruption: each batch is one transaction that locks its rows, and
only credentials encrypted with an older key are changed. Every process must know the new key before, because it could not
decrypt these credentials without it.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg
import redis

from actors.runtime import process_registry
from actors.runtime.process_registry import Process
from models.secrets import encryption
from ops import installation
from ops.embedded import place
from ops.problem import Problem
from settings import Settings

#: The tables whose column `secrets` is encrypted.
TABLES = ("monitors", "notification_providers", "variables")
#: Table -> object type in the audit log.
OBJECT_TYPES = {"monitors": "monitor", "notification_providers": "provider", "variables": "variable"}
BATCH = 200

Db = psycopg.Connection[tuple[object, ...]]

_OLD = """
SELECT id, secrets FROM {table}
WHERE id > %s AND substring(secrets FROM 1 FOR {length}) <> %s
ORDER BY id LIMIT {batch} FOR NO KEY UPDATE
"""
_STORE = "UPDATE {table} SET secrets = %s, secrets_encrypted_at = now() WHERE id = %s AND secrets = %s"
_BY_KEY = """
SELECT encode(substring(secrets FROM 1 FOR {length}), 'hex'), count(*)
FROM ({tables}) AS encrypted WHERE secrets IS NOT NULL GROUP BY 1
"""
_AUDIT = """
INSERT INTO audit_events (id, action, object_type, details) VALUES (%s, 'keys.rotated', 'installation', %s::jsonb)
"""
_AUDIT_READING = """
INSERT INTO audit_events (id, organization_id, project_id, action, object_type, object_id, details)
SELECT gen_random_uuid(), j.organization_id, j.id, 'credential.used', %s, %s, %s::jsonb
FROM {table} o JOIN projects j ON j.id = o.project_id WHERE o.id = %s
"""


@dataclass(slots=True)
class Rotation:
    """The result of one run: rows encrypted again, by table, and the rows that no key decrypts (`table id`)."""

    reencrypted: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)


def rotate(config: Settings) -> Rotation:
    """Encrypt everything with the first key. Raise psycopg's errors; batches that are committed by then stay."""
    done = Rotation()
    with psycopg.connect(config.database_url) as connection:
        try:
            # Repeat until nothing is left: a process that still has the old list may store credentials during a pass.
            while _pass(connection, done):
                pass
        finally:
            if done.reencrypted and not connection.broken:
                connection.rollback()
                details = {
                    "resealed": dict(done.reencrypted),
                    "unreadable": len(done.unreadable),
                    "key": encryption.key_id(config.encryption_keys[0]).hex(),
                }
                connection.execute(_AUDIT, [uuid4(), json.dumps(details)])
                connection.commit()
    return done


def _pass(connection: Db, done: Rotation) -> int:
    """Go through all tables once; return how many rows were encrypted again."""
    done.unreadable.clear()
    before = done.reencrypted.total()
    for table in TABLES:
        after: UUID | None = UUID(int=0)
        while after is not None:
            with connection.transaction():
                after = _batch(connection, table, after, done)
    return done.reencrypted.total() - before


def _batch(connection: Db, table: str, after: UUID, done: Rotation) -> UUID | None:
    """Encrypt the next rows again; return the id of the last one, or None at the end of the table."""
    current = encryption.current_key_id()
    query = _OLD.format(table=table, length=len(current), batch=BATCH)
    rows: list[tuple[UUID, bytes]] = connection.execute(query, [after, current]).fetchall()  # type: ignore[assignment]
    reencrypted: list[UUID] = []
    for row_id, old in rows:
        try:
            new = encryption.encrypt(encryption.decrypt(old, table, row_id), table, row_id)
        except encryption.DecryptionError:
            done.unreadable.append(f"{table} {row_id}")
            continue
        if connection.execute(_STORE.format(table=table), [new, row_id, old]).rowcount:
            reencrypted.append(row_id)
    if reencrypted:
        done.reencrypted[table] += len(reencrypted)
        _audit_reading(connection, table, reencrypted)
    return rows[-1][0] if len(rows) == BATCH else None


def _audit_reading(connection: Db, table: str, row_ids: list[UUID]) -> None:
    """Record in the audit log, in the same transaction, which credentials were decrypted."""
    details = {"purpose": "rotation", "uses": 1}
    values = [[OBJECT_TYPES[table], row_id, json.dumps(details), row_id] for row_id in row_ids]
    with connection.cursor() as cursor:
        cursor.executemany(_AUDIT_READING.format(table=table), values)


def by_key(connection: Db) -> dict[str, int]:
    """Return key id (hex) -> number of stored credentials that are encrypted with it."""
    tables = " UNION ALL ".join(f"SELECT secrets FROM {table}" for table in TABLES)
    found = connection.execute(_BY_KEY.format(tables=tables, length=len(encryption.current_key_id()))).fetchall()
    return {str(key): int(str(count)) for key, count in found}


def require_ready(config: Settings) -> None:
    """Raise `Problem` if a running process does not know the first key, or if Redis cannot be asked about that."""
    client = redis.Redis.from_url(config.redis_url, socket_connect_timeout=5, socket_timeout=5)
    try:
        names = unaware(process_registry.processes(client))
    except redis.RedisError:
        raise Problem(
            "Redis does not respond, so it is unknown whether every process knows the new key."
            " Start it first, or rotate anyway with --force."
        ) from None
    finally:
        client.close()
    if names:
        raise Problem(
            f"Some processes do not know the first key of CREDENTIAL_ENCRYPTION_KEY yet ({names}) and could not decrypt"
            " credentials that are encrypted with it. Restart them and run this again, or rotate anyway with --force."
        )


def unaware(processes: Iterable[Process]) -> str:
    """Return the processes that do not know the first key, such as `2 check_worker, 1 web`; empty if all know it."""
    key = encryption.current_key_id().hex()
    counts = Counter(process.role for process in processes if key not in process.keys)
    return ", ".join(f"{count} {role}" for role, count in sorted(counts.items()))


def new_key(config: Settings) -> str:
    """Put a new key before those in the data directory; return the next step. Raise `Problem` if the keys are set elsewhere."""
    file = config.data_dir.absolute() / installation.ENCRYPTION_KEY
    listed = file.read_text().strip() if file.exists() else ""
    if settings_came_from_outside(config, listed):
        raise Problem("CREDENTIAL_ENCRYPTION_KEY is set in the environment: put the new key before the others there.")
    place.write_private(file, f"{installation.new_encryption_key()},{listed}\n")
    return "New key added. Restart Supercheck, so that all of its processes know it; then run: supercheck rotate-keys"


def settings_came_from_outside(config: Settings, listed: str) -> bool:
    """Return whether the keys in use differ from those `listed` in the data directory."""
    in_use = [base64.b64encode(key).decode() for key in config.encryption_keys]
    return not listed or in_use != listed.replace(" ", "").split(",")


def report(done: Rotation) -> Iterator[str]:
    """Yield the lines to print."""
    words = {"monitors": "monitors", "notification_providers": "notification providers", "variables": "variables"}
    for table in TABLES:
        yield f"  {words[table]:<24} {done.reencrypted[table]:>7} encrypted again"
    if done.unreadable:
        yield f"  {len(done.unreadable)} could not be decrypted with any of the keys; enter these credentials again:"
        yield from (f"    {row}" for row in done.unreadable[:20])
    else:
        yield "All stored credentials are encrypted with the first key. You may remove older keys from the list."
