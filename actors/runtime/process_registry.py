"""Says that this process lives: to Dramatiq, to readiness, to dispatch.

Keys with a short life in Redis: `supercheck:process:<role>:<id>`, and `supercheck:worker:<location>:<id>` for each
location that a check worker serves. The first holds, as JSON, what else is told of a process: `Process`. A check worker
without a location of its own learns here of locations that are added while it runs: `supercheck:locations` lists those
that are switched on.
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
#: A process unseen for so long is gone; dispatch stops sending to it.
LIFETIME_SECONDS = 10
#: A process that could not renew its keys for so long, although the broker answers, must start again: it gets no work.
LOST_AFTER_SECONDS = 30.0
#: Silent processes are looked at again after so long: after a fault of Redis all of them seem silent for a moment, and
#: one that was told to stop may finish what it is at.
SURE_AFTER_SECONDS = 4.0

_PROCESS = "supercheck:process"
_WORKER = "supercheck:worker"
_LOCATIONS = "supercheck:locations"


class Process(NamedTuple):
    """A live process: its role, the ids of the encryption keys that it knows, and which servers it finds away.

    `keys` is empty of one that was started before processes told them.
    """

    role: str
    keys: tuple[str, ...]
    away: tuple[str, ...]


class Presence:
    """A daemon thread that renews this process's keys until `stop`.

    `serve` is called, on that thread, with the code of each location to serve from now on. `lost` is called once when
    the keys cannot be renewed any more, and the broker is not the reason.
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
        self._process = f"{_PROCESS}:{role}:{broker.broker_id}"
        self._places: list[str] = []
        self._codes: list[str] = []
        self._own = config.worker_location
        self._warned = False
        if role == "check_worker":
            for code in config.served_locations:
                self._add(code)
        self._key_ids = [encryption.key_id(key).hex() for key in config.encryption_keys]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def _add(self, code: str) -> None:
        self._codes.append(code)
        self._places.append(f"{_WORKER}:{code}:{self._broker.broker_id}")

    def start(self) -> None:
        """Be present from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Be gone at once, instead of after the keys' lifetime."""
        self._stopping.set()
        self._thread.join(1)
        try:
            self._broker.client.delete(self._process, *self._places)
        except redis.RedisError:
            # They expire by themselves.
            return

    def _run(self) -> None:
        renewed = time.monotonic()
        while not self._stopping.is_set():
            try:
                self._renew()
                renewed = time.monotonic()
            except redis.RedisError as error:
                log.warning("presence could not be renewed", error=str(error))
                if time.monotonic() - renewed > LOST_AFTER_SECONDS and self._broker_answers():
                    self._give_up("the broker answers others")
                    return
            except (
                Exception
            ):  # Any other error would end this thread unseen, and dispatch would pass this process over.
                log.exception("presence failed")
                self._give_up("of an error of its own")
                return
            self._stopping.wait(INTERVAL_SECONDS)

    def _give_up(self, reason: str) -> None:
        log.critical("this process is not registered any more and must start again", because=reason)
        if self._lost is not None:
            self._lost()

    def _broker_answers(self) -> bool:
        """Whether a connection outside of the pool works."""
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
        told = json.dumps({"keys": self._key_ids, "away": dependencies.unhealthy()})
        pipe.set(self._process, told, ex=LIFETIME_SECONDS)
        for key in self._places:
            pipe.set(key, 1, ex=LIFETIME_SECONDS)
        # Dramatiq's own sign of life: consumers wait longer than its timeout.
        pipe.zadd(f"{self._broker.namespace}:__heartbeats__", {self._broker.broker_id: int(time.time() * 1000)})
        pipe.get(_LOCATIONS)
        if self._codes:
            self._learn(_codes(pipe.execute()[-1]))
        else:
            pipe.execute()

    def _learn(self, announced: tuple[str, ...]) -> None:
        """Serve what was added, where this worker serves every location; else see whether its own one is known."""
        if self._own:
            unknown = bool(announced) and self._own not in announced
            if unknown and not self._warned:
                log.warning(
                    "this worker serves a location that is not there or switched off: nothing comes here",
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
    """Tell every process which locations are switched on, the default one first. Raises redis' errors."""
    client.set(_LOCATIONS, ",".join(codes))


def known_locations(client: "redis.Redis") -> tuple[str, ...]:
    """The codes announced last; those of the settings where nobody has announced any. Raises redis' errors."""
    return _codes(client.get(_LOCATIONS)) or tuple(spec.code for spec in settings.get().locations)


def _codes(text: Any) -> tuple[str, ...]:
    found = _text(text or "").split(",")
    return tuple(code for code in found if settings.LOCATION_CODE.fullmatch(code))


class Departed:
    """Tells which processes have gone for good. Keeps what it has seen from one look to the next."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        #: Broker id -> when it was first found silent, on the monotonic clock.
        self._silent: dict[str, float] = {}

    def among(self, broker_ids: Iterable[str]) -> list[str]:
        """Those that gave no sign of life for several seconds, at two looks apart. Raises redis' errors."""
        now = time.monotonic()
        stale = time.time() * 1000 - HEARTBEAT_TIMEOUT_MS
        silent = [one for one in broker_ids if self._last_sign(one) < stale]
        self._silent = {one: self._silent.get(one, now) for one in silent}
        return [one for one, since in self._silent.items() if now - since >= SURE_AFTER_SECONDS]

    def _last_sign(self, broker_id: str) -> float:
        found: float | None = self._broker.client.zscore(f"{self._broker.namespace}:__heartbeats__", broker_id)
        return found or 0.0


def workers_online(client: redis.Redis) -> Counter[str]:
    """Location code -> live check workers. Raises redis' errors."""
    found: Counter[str] = Counter()
    for key in client.scan_iter(match=f"{_WORKER}:*", count=1000):
        found[_text(key).split(":")[2]] += 1
    return found


def roles_seen(client: redis.Redis) -> Counter[str]:
    """Process role -> live processes. Raises redis' errors."""
    found: Counter[str] = Counter()
    for key in client.scan_iter(match=f"{_PROCESS}:*", count=1000):
        found[_text(key).split(":")[2]] += 1
    return found


def processes(client: redis.Redis) -> list[Process]:
    """Every live process. Raises redis' errors."""
    keys = list(client.scan_iter(match=f"{_PROCESS}:*", count=1000))
    found: list[Process] = []
    for key, value in zip(keys, client.mget(keys) if keys else [], strict=True):
        if value is None:
            continue  # it has just gone
        told = json.loads(value)
        if not isinstance(told, dict):
            told = {}
        found.append(Process(_text(key).split(":")[2], tuple(told.get("keys", ())), tuple(told.get("away", ()))))
    return found


def _text(key: bytes | str) -> str:
    return key.decode() if isinstance(key, bytes) else key
