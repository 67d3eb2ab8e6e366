"""The broker: Dramatiq on Redis, with blocking consumers, pipelined sends and held messages.

Import this before any actor. Every actor declares its queue, retries and time limit.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import dramatiq
import redis
import structlog
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import current_millis, dq_name
from dramatiq.middleware import CurrentMessage, Retries, ShutdownNotifications, TimeLimit

import settings
from actors import queues
from actors.runtime.consumer import WaitingConsumer, wake_key
from actors.runtime.correlation import Correlation
from actors.runtime.redis_connection import pooled, watched
from actors.runtime.wake_listener import WakeListener, push_token

log = structlog.get_logger(__name__)

#: A process without a heartbeat for so long is considered dead, and its unfinished messages are requeued. A wrong guess only
#: repeats work.
HEARTBEAT_TIMEOUT_MS = 8_000


class Broker(RedisBroker):
    """Dramatiq's Redis broker with what the check pipeline needs in addition."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(
            client=client,
            middleware=[
                TimeLimit(interval=5000),
                ShutdownNotifications(),
                CurrentMessage(),
                Correlation(),
                Retries(max_retries=0),
            ],
            # `requeue_dead` does this regularly instead of at random.
            maintenance_chance=0,
            heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
        )
        self.consumers: dict[str, WaitingConsumer] = {}
        self.held: dict[str, Any] = {}
        self.wake_listener = WakeListener(client, self.broker_id)

    @property
    def consumer_class(self) -> type[WaitingConsumer]:
        return WaitingConsumer

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Enqueue one message and wake a consumer, in one round trip. Raise redis' errors."""
        if delay is None:
            self.enqueue_many([message])
            return message
        sent = super().enqueue(message, delay=delay)
        self.wake(sent.queue_name)
        return sent

    def wake(self, queue: str) -> None:
        """Wake one consumer of `queue`, in whichever process it waits. Raise redis' errors."""
        pipe = self.client.pipeline(transaction=False)
        push_token(pipe, wake_key(self.namespace, queue))
        pipe.execute()

    def enqueue_many(self, messages: Iterable[Message[Any]]) -> None:
        """Enqueue all `messages` in one round trip. Raise redis' errors; some messages may be enqueued then."""
        pipe = self.client.pipeline(transaction=False)
        woken: dict[str, None] = {}
        for message in messages:
            sent = message.copy(options={"redis_message_id": str(uuid4())})
            self.emit_before("enqueue", sent, None)
            self._command(pipe, "enqueue", sent.queue_name, sent.options["redis_message_id"], sent.encode())
            woken[sent.queue_name] = None
        for queue in woken:
            push_token(pipe, wake_key(self.namespace, queue))
        if woken:
            pipe.execute()

    def _command(self, client: Any, command: str, queue: str, *args: Any, maintain: bool = False) -> Any:
        """Run Dramatiq's own script on `client`, which may be a pipeline."""
        return self.scripts["dispatch"](
            keys=[self.namespace],
            args=[
                command,
                current_millis(),
                queue,
                self.broker_id,
                self.heartbeat_timeout,
                self.dead_message_ttl,
                int(maintain),
                self._max_unpack_size(),
                *args,
            ],
            client=client,
        )

    def requeue_dead(self, queue_names: Iterable[str]) -> None:
        """Requeue the unfinished messages of dead processes, and delete old dead messages."""
        stale = current_millis() - self.heartbeat_timeout
        if not self.client.zcount(f"{self.namespace}:__heartbeats__", "-inf", stale):
            return
        # Delayed retries that a dead process held in memory are in the delay queues.
        for queue in [name for declared in queue_names for name in (declared, dq_name(declared))]:
            self._command(self.client, "qsize", queue, maintain=True)
            self.wake(queue)

    def hold(self) -> Callable[[], None]:
        """Keep this thread's current message unacknowledged after its actor returns. Call the result to acknowledge it."""
        message = CurrentMessage.get_current_message()
        if message is None:
            return lambda: None
        self.held[message.message_id] = message
        return lambda: self.consumers[message.queue_name].release(message)

    def stop_taking(self) -> None:
        """Stop the consumers of this process from fetching messages."""
        self.wake_listener.stop()
        for consumer in list(self.consumers.values()):
            consumer.stop_taking()

    def requeue_held(self) -> None:
        """Requeue all held messages: the process stops before their work is done."""
        for message in list(self.held.values()):
            self.consumers[message.queue_name].requeue([message])
        self.held.clear()


#: Connections that a process needs in addition to one for each thread: for the wake listener, the process registry,
#: subscriptions, and consumers, which share connections because their commands are short.
_SHARED_CONNECTIONS = 24


def connect(url: str) -> redis.Redis:
    """Return a client with its own pool. Its socket timeout is longer than every blocking command."""
    connections = settings.get().parallel_threads + _SHARED_CONNECTIONS
    return watched(pooled(url, connections, socket_timeout=20, socket_connect_timeout=5, socket_keepalive=True))


def _declare() -> Broker:
    config = settings.get()
    declared = Broker(connect(config.redis_url))
    for queue in queues.CENTRAL:
        declared.declare_queue(queue)
    for code in config.served_locations:
        declared.declare_queue(queues.execution(code))
    dramatiq.set_broker(declared)
    return declared


broker = _declare()


def nudge_scheduler() -> None:
    """Request an immediate tick because something became due. If the broker is unreachable, the next regular tick finds it."""
    message: Message[Any] = Message(queue_name=queues.SCHEDULER, actor_name="tick", args=(), kwargs={}, options={})
    try:
        broker.enqueue(message)
    except redis.RedisError:
        log.warning("could not wake the scheduler: the broker is unreachable")
