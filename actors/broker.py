"""The broker: Dramatiq over Redis, with waiting consumers, pipelined sends and held messages.

Import this before any actor. Every actor states its queue, its retries and its time limit.
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

#: A process silent for so long is dead: its unfinished messages go to others. A false alarm only repeats work.
HEARTBEAT_TIMEOUT_MS = 8_000


class Broker(RedisBroker):
    """Dramatiq's Redis broker and what the road of a check needs beyond it."""

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
            # `requeue_dead` does it for certain, so it need not happen by chance.
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
        """Enqueue one message and wake a consumer, in one round trip. Raises redis' errors."""
        if delay is None:
            self.enqueue_many([message])
            return message
        sent = super().enqueue(message, delay=delay)
        self.wake(sent.queue_name)
        return sent

    def wake(self, queue: str) -> None:
        """Tell one consumer of `queue`, wherever it waits, to look. Raises redis' errors."""
        pipe = self.client.pipeline(transaction=False)
        push_token(pipe, wake_key(self.namespace, queue))
        pipe.execute()

    def enqueue_many(self, messages: Iterable[Message[Any]]) -> None:
        """Enqueue all `messages` in one round trip. Raises redis' errors; then some may have been sent."""
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
        """Dramatiq's own script, on a client or a pipeline of the caller's choice."""
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
        """Give messages that dead processes left unfinished back to their queues, and drop old dead letters."""
        stale = current_millis() - self.heartbeat_timeout
        if not self.client.zcount(f"{self.namespace}:__heartbeats__", "-inf", stale):
            return
        # Retries that a dead process kept in its memory lie in the delay queues.
        for queue in [name for declared in queue_names for name in (declared, dq_name(declared))]:
            self._command(self.client, "qsize", queue, maintain=True)
            self.wake(queue)

    def hold(self) -> Callable[[], None]:
        """Keep the message that this thread works on unacknowledged after its actor returns; call the answer to release it."""
        message = CurrentMessage.get_current_message()
        if message is None:
            return lambda: None
        self.held[message.message_id] = message
        return lambda: self.consumers[message.queue_name].release(message)

    def stop_taking(self) -> None:
        """Let this process's consumers take no more messages."""
        self.wake_listener.stop()
        for consumer in list(self.consumers.values()):
            consumer.stop_taking()

    def requeue_held(self) -> None:
        """Give what is still held back to its queues: the process stops before the work is done."""
        for message in list(self.held.values()):
            self.consumers[message.queue_name].requeue([message])
        self.held.clear()


#: Connections that a process needs beside one for each of its threads: the wake_listener, presence, subscriptions, and
#: consumers, which share them because each command is short.
_SHARED_CONNECTIONS = 24


def connect(url: str) -> redis.Redis:
    """A client with a pool of its own; blocking waits stay below its timeout."""
    connections = settings.get().parallel_threads + _SHARED_CONNECTIONS
    return watched(pooled(url, connections, socket_timeout=20, socket_connect_timeout=5, socket_keepalive=True))


def _declare() -> Broker:
    config = settings.get()
    made = Broker(connect(config.redis_url))
    for queue in queues.CENTRAL:
        made.declare_queue(queue)
    for code in config.served_locations:
        made.declare_queue(queues.execution(code))
    dramatiq.set_broker(made)
    return made


broker = _declare()


def nudge_scheduler() -> None:
    """Ask for a tick at once, because something has just become due; without a broker the next ordinary tick finds it."""
    message: Message[Any] = Message(queue_name=queues.SCHEDULER, actor_name="tick", args=(), kwargs={}, options={})
    try:
        broker.enqueue(message)
    except redis.RedisError:
        log.warning("the scheduler could not be nudged: the broker is away")
