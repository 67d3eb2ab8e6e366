"""A Redis consumer that waits instead of polling, and can keep a message unacknowledged after its actor returned.

Dramatiq's own consumer sleeps longer and longer while a queue is empty, which costs up to a second a hop. Here
every enqueue pushes a token onto the queue's wake list, and the process's wake_listener waits on the lists of all its idle
consumers: a hop costs milliseconds and an idle queue costs next to nothing.
"""

import contextlib
import threading
from collections.abc import Iterable
from typing import Any

import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed

#: How long one idle wait lasts; heartbeats come from `actors.runtime.process_registry`, so a long wait looks dead to no process.
IDLE_SECONDS = 10
#: A process takes no more than this in one go: the rest is for its neighbours.
FETCHED_AT_ONCE = 256
#: A delay queue with messages in memory looks at them this often.
DELAYED_SECONDS = 0.5


def wake_key(namespace: str, queue: str) -> str:
    """The list whose token says that `queue` has something new; it never holds more than one."""
    return f"{namespace}:{queue}.wake"


class WaitingConsumer(_RedisConsumer):
    """One queue's consumer in one process."""

    def __init__(self, broker: RedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)
        self.wake = wake_key(broker.namespace, queue_name)
        self._rung = threading.Event()
        self._room = threading.Event()
        self._stopped = False
        broker.consumers[queue_name] = self

    def __next__(self) -> Any:
        """The next message, or None after an idle wait. Raises `ConnectionClosed`."""
        if not self.message_cache:
            self._fetch()
        if self.message_cache:
            # The parent pops one from the cache; it goes to Redis only when the cache is empty.
            return super().__next__()
        return None

    @property
    def has_room(self) -> bool:
        """Whether it takes more messages now."""
        return not self._stopped and bool(self.outstanding_message_count < self.prefetch)

    def wake_up(self) -> None:
        """End the present idle wait, or the next one: the queue has something new."""
        self._rung.set()

    def _fetch(self) -> None:
        if self._stopped:
            self._room.wait(0.1)
            self._room.clear()
            return
        try:
            room = min(self.prefetch - self.outstanding_message_count, FETCHED_AT_ONCE)
            if room <= 0:
                self._room.wait(1)
                self._room.clear()
                return
            self._rung.clear()
            self.message_cache = self.broker.do_fetch(self.queue_name, room)
            if len(self.message_cache) == room:
                # There may be more than this process takes: let another one look. What has just been fetched must not be
                # lost to an error here.
                with contextlib.suppress(redis.ConnectionError, redis.TimeoutError):
                    self.broker.wake(self.queue_name)
            if not self.message_cache:
                self.broker.wake_listener.watch(self)
                delayed = self.queue_name.endswith(".DQ") and self.queued_message_ids
                self._rung.wait(DELAYED_SECONDS if delayed else IDLE_SECONDS)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise ConnectionClosed(error) from None

    def stop_taking(self) -> None:
        """Take no more messages and end the present wait: the process is about to stop."""
        self._stopped = True
        self._room.set()
        self._rung.set()

    def ack(self, message: Any) -> None:
        """Acknowledge `message`, unless somebody holds it: then `release` does it later."""
        if message.message_id in self.broker.held:
            return
        try:
            super().ack(message)
        except redis.TimeoutError as error:
            raise ConnectionClosed(error) from None
        self._room.set()

    def requeue(self, messages: Iterable[Any]) -> None:
        """Give messages back to the queue, for another consumer to take at once. Raises `ConnectionClosed`.

        Dramatiq does this, often with no message at all, after the connection was lost: any other error would end the
        consumer's thread for good.
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
        """Acknowledge a held message now that its work is durable."""
        self.broker.held.pop(message.message_id, None)
        try:
            self.ack(message)
        except ConnectionClosed:
            # It will be redelivered, and finds its results already there.
            self.logger.warning("A message could not be acknowledged and will come again: %s", message.message_id)
