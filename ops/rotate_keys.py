"""`supercheck rotate-keys`: encrypts every stored credential anew, under the first key of CREDENTIAL_ENCRYPTION_KEY.

It may run beside the running system, and again after it was interrupted: a batch is one transaction, its rows are locked
while they are opened and sealed, and only what an older key sealed is touched. Every process must know the new key
before: one that does not could open nothing of what is sealed here.
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

#: The tables whose column `secrets` is sealed.
TABLES = ("monitors", "notification_providers", "variables")
#: As the audit log calls them.
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
FROM ({tables}) AS sealed WHERE secrets IS NOT NULL GROUP BY 1
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
    """What one run did: rows sealed anew by table, and the rows that none of the keys opens (`table id`)."""

    resealed: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)


def rotate(config: Settings) -> Rotation:
    """Seal everything under the first key. Raises psycopg's errors; what was done by then stays done."""
    done = Rotation()
    with psycopg.connect(config.database_url) as connection:
        try:
            # Again until nothing is left: a process that was started with the old list may have sealed something meanwhile.
            while _pass(connection, done):
                pass
        finally:
            if done.resealed and not connection.broken:
                connection.rollback()
                details = {
                    "resealed": dict(done.resealed),
                    "unreadable": len(done.unreadable),
                    "key": encryption.key_id(config.encryption_keys[0]).hex(),
                }
                connection.execute(_AUDIT, [uuid4(), json.dumps(details)])
                connection.commit()
    return done


def _pass(connection: Db, done: Rotation) -> int:
    """One walk over all tables; answers how many rows it sealed anew."""
    done.unreadable.clear()
    before = done.resealed.total()
    for table in TABLES:
        after: UUID | None = UUID(int=0)
        while after is not None:
            with connection.transaction():
                after = _batch(connection, table, after, done)
    return done.resealed.total() - before


def _batch(connection: Db, table: str, after: UUID, done: Rotation) -> UUID | None:
    """Seal the next rows anew; answers the last one's id, None at the end of the table."""
    current = encryption.current_key_id()
    query = _OLD.format(table=table, length=len(current), batch=BATCH)
    rows: list[tuple[UUID, bytes]] = connection.execute(query, [after, current]).fetchall()  # type: ignore[assignment]
    resealed: list[UUID] = []
    for row_id, old in rows:
        try:
            new = encryption.encrypt(encryption.decrypt(old, table, row_id), table, row_id)
        except encryption.DecryptionError:
            done.unreadable.append(f"{table} {row_id}")
            continue
        if connection.execute(_STORE.format(table=table), [new, row_id, old]).rowcount:
            resealed.append(row_id)
    if resealed:
        done.resealed[table] += len(resealed)
        _audit_reading(connection, table, resealed)
    return rows[-1][0] if len(rows) == BATCH else None


def _audit_reading(connection: Db, table: str, row_ids: list[UUID]) -> None:
    """Put on record, in the same transaction, whose credentials were opened."""
    details = {"purpose": "rotation", "uses": 1}
    values = [[OBJECT_TYPES[table], row_id, json.dumps(details), row_id] for row_id in row_ids]
    with connection.cursor() as cursor:
        cursor.executemany(_AUDIT_READING.format(table=table), values)


def by_key(connection: Db) -> dict[str, int]:
    """Key id (hex) -> how many stored credentials it sealed."""
    tables = " UNION ALL ".join(f"SELECT secrets FROM {table}" for table in TABLES)
    found = connection.execute(_BY_KEY.format(tables=tables, length=len(encryption.current_key_id()))).fetchall()
    return {str(key): int(str(count)) for key, count in found}


def require_ready(config: Settings) -> None:
    """Raise `Problem` where a running process could not open what is encrypted now, or where nobody can tell."""
    client = redis.Redis.from_url(config.redis_url, socket_connect_timeout=5, socket_timeout=5)
    try:
        names = unaware(process_registry.processes(client))
    except redis.RedisError:
        raise Problem(
            "Redis does not answer, so nobody can tell whether every process knows the new key."
            " Start it first; --force goes on all the same."
        ) from None
    finally:
        client.close()
    if names:
        raise Problem(
            f"Some processes do not know the first key of CREDENTIAL_ENCRYPTION_KEY yet ({names}) and could open nothing"
            " that is encrypted with it. Restart them, then run this again; --force goes on all the same."
        )


def unaware(processes: Iterable[Process]) -> str:
    """The processes that do not know the first key, such as `2 check_worker, 1 web`; empty where all do."""
    key = encryption.current_key_id().hex()
    counts = Counter(one.role for one in processes if key not in one.keys)
    return ", ".join(f"{count} {role}" for role, count in sorted(counts.items()))


def new_key(config: Settings) -> str:
    """Put a new key before those in the data directory; answers what to do next. Raises `Problem` where they are not there."""
    file = config.data_dir.absolute() / installation.ENCRYPTION_KEY
    listed = file.read_text().strip() if file.exists() else ""
    if settings_came_from_outside(config, listed):
        raise Problem("CREDENTIAL_ENCRYPTION_KEY is set in the environment: put the new key before the others there.")
    place.write_private(file, f"{installation.new_encryption_key()},{listed}\n")
    return "A new key is in place. Restart Supercheck, so that all of its processes know it; then run: supercheck rotate-keys"


def settings_came_from_outside(config: Settings, listed: str) -> bool:
    """Whether the keys in use are others than those `listed` in the data directory."""
    in_use = [base64.b64encode(key).decode() for key in config.encryption_keys]
    return not listed or in_use != listed.replace(" ", "").split(",")


def report(done: Rotation) -> Iterator[str]:
    """The lines to print."""
    words = {"monitors": "monitors", "notification_providers": "notification providers", "variables": "variables"}
    for table in TABLES:
        yield f"  {words[table]:<24} {done.resealed[table]:>7} encrypted anew"
    if done.unreadable:
        yield f"  {len(done.unreadable)} could not be opened with any of the keys; enter these credentials again:"
        yield from (f"    {row}" for row in done.unreadable[:20])
    else:
        yield "All stored credentials are encrypted with the first key. Older keys may be taken out of the list."
