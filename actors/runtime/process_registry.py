"""Registers live processes in Redis, for Dramatiq, readiness and dispatch.

Keys with a short lifetime: `supercheck:process:<role>:<id>`, whose value is a `Process` as JSON, and
`supercheck:worker:<location>:<id>` for each location that a check worker serves. `supercheck:locations` lists the enabled
locations. A check worker without a fixed location reads it to serve new locations while it runs.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import redis
import structlog

import settings
from actors.broker import HEARTBEAT_TIMEOUT_MS, Broker
from models.connections import dependencies
from models.secrets import encryption

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 2.0
#: Lifetime of the keys. Dispatch stops sending to a location without live workers.
LIFETIME_SECONDS = 10
#: A process that could not renew its keys for so long although the broker responds is restarted: it gets no work.
RESTART_AFTER_SECONDS = 30.0
#: A process must be without heartbeats in two looks this far apart before it counts as dead: after a failure of Redis all
#: processes seem dead for a moment, and a stopping process may still finish its work.
CONFIRM_AFTER_SECONDS = 4.0

_PROCESS = "supercheck:process"
_WORKER = "supercheck:worker"
_LOCATIONS = "supercheck:locations"


class Process(NamedTuple):
    """A live process: its role, the ids of its encryption keys, and the servers that it cannot reach."""

    role: str
    keys: tuple[str, ...]
    away: tuple[str, ...]


class ProcessRegistry:
    """A daemon thread that renews this process's keys until `stop`.

    It calls `serve` with the code of each new location to serve. It calls `lost` once if the keys cannot be renewed although
    the broker responds.
    """

    def __init__(
        self,
        broker: Broker,
        role: str,
        serve: Callable[[str], None] | None = None,
        lost: Callable[[], None] | None = None,
    ) -> None:
        self._broker = broker
        self._lost = lost
        config = settings.get()
        self._serve = serve
        self._process_key = f"{_PROCESS}:{role}:{broker.broker_id}"
        self._worker_keys: list[str] = []
        self._codes: list[str] = []
        self._own = config.worker_location
        self._warned = False
        if role == "check_worker":
            for code in config.served_locations:
                self._add(code)
        self._key_ids = [encryption.key_id(key).hex() for key in config.encryption_keys]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="process-registry", daemon=True)

    def _add(self, code: str) -> None:
        self._codes.append(code)
        self._worker_keys.append(f"{_WORKER}:{code}:{self._broker.broker_id}")

    def start(self) -> None:
        """Register this process."""
        self._thread.start()

    def stop(self) -> None:
        """Delete this process's keys, so that it is unregistered immediately."""
        self._stopping.set()
        self._thread.join(1)
        try:
            self._broker.client.delete(self._process_key, *self._worker_keys)
        except redis.RedisError:
            # The keys expire.
            return

    def _run(self) -> None:
        renewed = time.monotonic()
        while not self._stopping.is_set():
            try:
                self._renew()
                renewed = time.monotonic()
            except redis.RedisError as error:
                log.warning("could not renew the registration of this process", error=str(error))
                if time.monotonic() - renewed > RESTART_AFTER_SECONDS and self._broker_responds():
                    self._give_up("the broker responds to new connections")
                    return
            except Exception:
                # Without this handler the thread would end silently, and the process would get no more work.
                log.exception("process registry failed")
                self._give_up("an unexpected error")
                return
            self._stopping.wait(INTERVAL_SECONDS)

    def _give_up(self, reason: str) -> None:
        log.critical("this process is no longer registered and restarts", reason=reason)
        if self._lost is not None:
            self._lost()

    def _broker_responds(self) -> bool:
        """Return whether a connection outside the pool works."""
        pool = self._broker.client.connection_pool
        connection = pool.connection_class(**pool.connection_kwargs)
        try:
            connection.connect()
        except redis.RedisError:
            return False
        finally:
            connection.disconnect()
        return True

    def _renew(self) -> None:
        pipe = self._broker.client.pipeline(transaction=False)
        value = json.dumps({"keys": self._key_ids, "away": dependencies.unhealthy()})
        pipe.set(self._process_key, value, ex=LIFETIME_SECONDS)
        for key in self._worker_keys:
            pipe.set(key, 1, ex=LIFETIME_SECONDS)
        # Dramatiq's heartbeat: consumers block for longer than its timeout, so they cannot send it.
        pipe.zadd(f"{self._broker.namespace}:__heartbeats__", {self._broker.broker_id: int(time.time() * 1000)})
        pipe.get(_LOCATIONS)
        if self._codes:
            self._update_locations(_codes(pipe.execute()[-1]))
        else:
            pipe.execute()

    def _update_locations(self, announced: tuple[str, ...]) -> None:
        """Serve new locations, or warn if the fixed location of this worker does not exist."""
        if self._own:
            unknown = bool(announced) and self._own not in announced
            if unknown and not self._warned:
                log.warning(
                    "this worker serves a location that does not exist or is disabled: it gets no checks",
                    location=self._own,
                )
            self._warned = unknown
        elif self._serve is not None:
            for code in announced:
                if code not in self._codes:
                    self._serve(code)
                    self._add(code)
                    log.info("serving one more location", location=code)


def announce_locations(client: "redis.Redis", codes: Iterable[str]) -> None:
    """Publish the enabled locations to all processes, the default one first. Raise redis' errors."""
    client.set(_LOCATIONS, ",".join(codes))


def known_locations(client: "redis.Redis") -> tuple[str, ...]:
    """Return the published location codes, or those of the settings if none are published. Raise redis' errors."""
    return _codes(client.get(_LOCATIONS)) or tuple(spec.code for spec in settings.get().locations)


def _codes(text: Any) -> tuple[str, ...]:
    codes = _text(text or "").split(",")
    return tuple(code for code in codes if settings.LOCATION_CODE.fullmatch(code))


class DeadProcesses:
    """Finds dead processes. Keeps state from one call to the next."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        #: Broker id -> when the process was first seen without a heartbeat, on the monotonic clock.
        self._missing_since: dict[str, float] = {}

    def among(self, broker_ids: Iterable[str]) -> list[str]:
        """Return the processes among `broker_ids` that are confirmed dead. Raise redis' errors."""
        now = time.monotonic()
        stale = time.time() * 1000 - HEARTBEAT_TIMEOUT_MS
        missing = [broker_id for broker_id in broker_ids if self._last_heartbeat(broker_id) < stale]
        self._missing_since = {broker_id: self._missing_since.get(broker_id, now) for broker_id in missing}
        return [broker_id for broker_id, since in self._missing_since.items() if now - since >= CONFIRM_AFTER_SECONDS]

    def _last_heartbeat(self, broker_id: str) -> float:
        at: float | None = self._broker.client.zscore(f"{self._broker.namespace}:__heartbeats__", broker_id)
        return at or 0.0


def workers_online(client: redis.Redis) -> Counter[str]:
    """Return the number of live check workers by location code. Raise redis' errors."""
    counts: Counter[str] = Counter()
    for key in client.scan_iter(match=f"{_WORKER}:*", count=1000):
        counts[_text(key).split(":")[2]] += 1
    return counts


def roles_seen(client: redis.Redis) -> Counter[str]:
    """Return the number of live processes by role. Raise redis' errors."""
    counts: Counter[str] = Counter()
    for key in client.scan_iter(match=f"{_PROCESS}:*", count=1000):
        counts[_text(key).split(":")[2]] += 1
    return counts


def processes(client: redis.Redis) -> list[Process]:
    """Return all live processes. Raise redis' errors."""
    keys = list(client.scan_iter(match=f"{_PROCESS}:*", count=1000))
    live: list[Process] = []
    for key, value in zip(keys, client.mget(keys) if keys else [], strict=True):
        if value is None:
            continue  # the key has just expired
        fields = json.loads(value)
        if not isinstance(fields, dict):
            fields = {}
        live.append(Process(_text(key).split(":")[2], tuple(fields.get("keys", ())), tuple(fields.get("away", ()))))
    return live


def _text(key: bytes | str) -> str:
    return key.decode() if isinstance(key, bytes) else key
