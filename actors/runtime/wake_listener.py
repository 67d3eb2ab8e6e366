"""One blocking pop for all queues of a process. It wakes each idle consumer when its queue has a new message.

One blocking pop and connection per queue would exhaust the connection pools if there are many locations.
"""

import threading
import time
from typing import TYPE_CHECKING

import redis
import structlog

if TYPE_CHECKING:
    from actors.runtime.consumer import WaitingConsumer

log = structlog.get_logger(__name__)

#: Duration of one blocking pop. It must be below the socket timeout of the client.
WAIT_SECONDS = 10
_RETRY_SECONDS = 1.0
_STOP_SECONDS = 2.0


class WakeListener:
    """A daemon thread that the first waiting consumer starts. Thread-safe."""

    def __init__(self, client: redis.Redis, broker_id: str) -> None:
        self._client = client
        #: Only this process pushes here, to end the current pop.
        self._own = f"supercheck:wake-listener:{broker_id}"
        self._lock = threading.Lock()
        self._consumers: dict[str, WaitingConsumer] = {}
        #: The keys to wait for, and those that the current pop waits for.
        self._wanted: set[str] = set()
        self._watched: set[str] = set()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def watch(self, consumer: "WaitingConsumer") -> None:
        """Wake `consumer` from now on when its queue has a new message. Raise redis' errors."""
        key = consumer.wake
        with self._lock:
            self._consumers[key] = consumer
            self._wanted.add(key)
            if self._stopped:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wake-listener", daemon=True)
                self._thread.start()
                return
            if key in self._watched:
                return
        self._interrupt()

    def stop(self) -> None:
        """Stop taking tokens, so that other processes get them. Wait for the thread to end, but not for long."""
        with self._lock:
            self._stopped = True
            thread = self._thread
        if thread is None:
            return
        try:
            self._interrupt()
        except redis.RedisError:
            # Redis is unreachable, so the pop ends with a connection error.
            return
        thread.join(_STOP_SECONDS)

    def _interrupt(self) -> None:
        pipe = self._client.pipeline(transaction=False)
        push_token(pipe, self._own)
        pipe.expire(self._own, 60)
        pipe.execute()

    def _run(self) -> None:
        lost = False
        while not self._stopped:
            with self._lock:
                self._watched = set(self._wanted)
            try:
                popped = self._client.blpop([self._own, *self._watched], timeout=WAIT_SECONDS)
                if lost:
                    # Tokens may be lost with the connection.
                    self._wake_all()
                lost = False
                if popped is not None:
                    self._wake(_text(popped[0]))
            except redis.RedisError as error:
                if not lost:
                    log.warning("idle queues wait: the broker is unreachable", error=str(error))
                lost = True
                time.sleep(_RETRY_SECONDS)

    def _wake(self, key: str) -> None:
        if key == self._own:
            return
        with self._lock:
            consumer = self._consumers[key]
            takes_it = not self._stopped and consumer.has_capacity
            if not takes_it:
                # Under the same lock as the check: a consumer that gets capacity and waits now stays registered.
                self._wanted.discard(key)
        if not takes_it:
            # Another process may take the message. This one fetches without a token when it has capacity, then waits again.
            pipe = self._client.pipeline(transaction=False)
            push_token(pipe, key)
            pipe.execute()
        else:
            consumer.wake_up()

    def _wake_all(self) -> None:
        with self._lock:
            consumers = list(self._consumers.values())
        for consumer in consumers:
            consumer.wake_up()


def push_token(pipe: "redis.client.Pipeline", key: str) -> None:
    """Add commands to `pipe` that leave exactly one token in the list `key`."""
    pipe.lpush(key, 1)
    pipe.ltrim(key, 0, 0)


def _text(key: bytes | str) -> str:
    return key.decode() if isinstance(key, bytes) else key
