"""A Redis consumer that blocks instead of polling, and can keep a message unacknowledged after its actor returns.

Dramatiq's own consumer sleeps longer and longer while a queue is empty, which adds up to a second per message. Here, every
enqueue pushes a token onto the queue's wake list, and the process's `WakeListener` blocks on the lists of all idle consumers.
So a message takes milliseconds, and an idle queue needs no polling.
"""

import contextlib
import threading
from collections.abc import Iterable
from typing import Any

import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed

#: Duration of one idle wait. It may exceed the heartbeat timeout, because `process_registry` sends the heartbeats.
IDLE_SECONDS = 10
#: Messages that one fetch takes at most, so that other processes get some too.
MAX_FETCH = 256
#: How often a delay queue checks the messages that it holds in memory.
DELAY_POLL_SECONDS = 0.5


def wake_key(namespace: str, queue: str) -> str:
    """Return the key of the list whose token says that `queue` has a new message. It never holds more than one token."""
    return f"{namespace}:{queue}.wake"


class WaitingConsumer(_RedisConsumer):
    """One queue's consumer in one process."""

    def __init__(self, broker: RedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)
        self.wake = wake_key(broker.namespace, queue_name)
        self._woken = threading.Event()
        self._capacity_freed = threading.Event()
        self._stopped = False
        broker.consumers[queue_name] = self

    def __next__(self) -> Any:
        """Return the next message, or None after an idle wait. Raise `ConnectionClosed`."""
        if not self.message_cache:
            self._fetch()
        if self.message_cache:
            # The parent class pops a message from the cache and accesses Redis only if the cache is empty.
            return super().__next__()
        return None

    @property
    def has_capacity(self) -> bool:
        """Return whether the consumer accepts more messages now."""
        return not self._stopped and bool(self.outstanding_message_count < self.prefetch)

    def wake_up(self) -> None:
        """End the current idle wait, or the next one, because the queue has a new message."""
        self._woken.set()

    def _fetch(self) -> None:
        if self._stopped:
            self._capacity_freed.wait(0.1)
            self._capacity_freed.clear()
            return
        try:
            capacity = min(self.prefetch - self.outstanding_message_count, MAX_FETCH)
            if capacity <= 0:
                self._capacity_freed.wait(1)
                self._capacity_freed.clear()
                return
            self._woken.clear()
            self.message_cache = self.broker.do_fetch(self.queue_name, capacity)
            if len(self.message_cache) == capacity:
                # There may be more messages than this process takes, so wake another consumer. An error here must not
                # lose the messages that were just fetched.
                with contextlib.suppress(redis.ConnectionError, redis.TimeoutError):
                    self.broker.wake(self.queue_name)
            if not self.message_cache:
                self.broker.wake_listener.watch(self)
                delayed = self.queue_name.endswith(".DQ") and self.queued_message_ids
                self._woken.wait(DELAY_POLL_SECONDS if delayed else IDLE_SECONDS)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None

    def stop_taking(self) -> None:
        """Fetch no more messages and end the current wait, because the process stops."""
        self._stopped = True
        self._capacity_freed.set()
        self._woken.set()

    def ack(self, message: Any) -> None:
        """Acknowledge `message` unless it is held. `release` acknowledges held messages."""
        if message.message_id in self.broker.held:
            return
        try:
            super().ack(message)
        except redis.TimeoutError as error:
            raise ConnectionClosed(error) from None
        self._capacity_freed.set()

    def requeue(self, messages: Iterable[Any]) -> None:
        """Requeue messages and wake another consumer. Raise `ConnectionClosed`.

        Dramatiq calls this after a lost connection, often without any message. Any other error would end the consumer's
        thread.
        """
        returned = list(messages)
        if not returned:
            return
        try:
            super().requeue(returned)
            self.broker.wake(self.queue_name)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None

    def release(self, message: Any) -> None:
        """Acknowledge a held message. Call this when its results are durable."""
        self.broker.held.pop(message.message_id, None)
        try:
            self.ack(message)
        except ConnectionClosed:
            # The message is redelivered, and its results are already stored.
            self.logger.warning("could not acknowledge a message, it will be redelivered: %s", message.message_id)
