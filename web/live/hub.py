"""Live events from one Redis connection to all open streams of this process.

A thread subscribes while streams are open, and only to their channels, so that publishers know whether a channel has
subscribers. Each stream has a short queue. A stream whose client is too slow is closed.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

import redis
import structlog
from flask_sse import Message
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)

#: How many events a stream may be behind.
BACKLOG = 256
#: How long a new stream waits until its subscription is confirmed. Redis responds in a millisecond, but the listener's
#: thread is slower when hundreds of pages reconnect at once. If Redis is down, the wait ends sooner.
READY_SECONDS = 10.0
_REDIS_SECONDS = 3.0
#: The longest time until the listener unsubscribes from a channel without streams.
_ROUND_SECONDS = 5.0

#: The prefix of channels that come from Redis. Other channels only get what `Hub.publish` sends.
FROM_REDIS = "live:"

_FIELD = re.compile(r"^(event|data|id|retry):", re.M)

Wants = Callable[[Message], bool]


class HubError(Exception):
    """No stream can be opened. The text says why."""


class Event(Message):  # type: ignore[misc]
    """A server-sent event, which is rendered once for all streams."""

    _text: str | None = None

    def __str__(self) -> str:
        if self._text is None:
            # The space after the colon is optional for browsers. People who use grep expect it.
            self._text = _FIELD.sub(r"\1: ", super().__str__())
        return self._text


def _read(text: str) -> Event | None:
    """Return the event in `text`, or None if it is not a Flask-SSE message whose data is an object."""
    try:
        event = Event(**json.loads(text))
    except (ValueError, TypeError):
        return None
    return event if isinstance(event.data, dict) else None


class Stream:
    """The events of one open connection, in order. `wants` selects them; `holder` is the caller who opened it."""

    def __init__(self, channel: str, wants: Wants | None, holder: str = "") -> None:
        self.channel = channel
        self.holder = holder
        self._wants = wants
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self.ready = threading.Event()
        self.ended = False

    def offer(self, event: Event) -> None:
        """Queue `event` if the stream wants it. Only one thread calls this at a time."""
        if self.ended or (self._wants is not None and not self._wants(event)):
            return
        if self._events.qsize() >= BACKLOG:
            self.end()
        else:
            self._events.put(event)

    def end(self) -> None:
        """End the stream. Queued events are not delivered."""
        self.ended = True
        self.ready.set()
        self._events.put(None)

    def wait(self, seconds: float) -> Event | None:
        """Return the next event, or None if none arrives within `seconds` or the stream has ended."""
        if self.ended:
            return None
        try:
            event = self._events.get(timeout=seconds)
        except Empty:
            return None
        return None if self.ended else event


class Hub:
    """All open streams of this process: at most `limit`, and at most `holder_limit` of one holder.

    Every method may be called from any thread.
    """

    def __init__(self, redis_url: str, limit: int, holder_limit: int | None = None) -> None:
        self._client = redis.Redis.from_url(
            redis_url,
            decode_responses=True,
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
            socket_keepalive=True,
            health_check_interval=15,
            # Events are lost with a connection, so redis-py must not reconnect silently.
            retry=Retry(NoBackoff(), 0),
        )
        self._limit = limit
        self._holder_limit = limit if holder_limit is None else holder_limit
        self._held: Counter[str] = Counter()
        self._wake = f"live:wake:{uuid4()}"
        self._lock = threading.Lock()
        self._streams: dict[str, set[Stream]] = {}
        self._count = 0
        self._listener: threading.Thread | None = None
        self._stopped = False

    def __len__(self) -> int:
        return self._count

    def open(self, channel: str, wants: Wants | None = None, holder: str = "") -> Stream:
        """Return a stream of the events on `channel` from now on, for `holder`. The caller must `close` it.

        Raise `HubError` if a limit is reached, the process stops, or Redis does not respond.
        """
        stream = Stream(channel, wants, holder)
        self._add(stream)
        if channel.startswith(FROM_REDIS):
            try:
                self._client.publish(self._wake, "")
            except redis.RedisError:
                stream.end()
            if not stream.ready.wait(READY_SECONDS) or stream.ended:
                self.close(stream)
                raise HubError("The broker is not reachable.")
        return stream

    def _add(self, stream: Stream) -> None:
        with self._lock:
            if self._stopped:
                raise HubError("This process is stopping.")
            if self._count >= self._limit:
                raise HubError("Too many live streams are open.")
            if self._held[stream.holder] >= self._holder_limit:
                raise HubError("You have too many open live streams.")
            self._count += 1
            self._held[stream.holder] += 1
            self._streams.setdefault(stream.channel, set()).add(stream)
            if self._listener is None and stream.channel.startswith(FROM_REDIS):
                self._listener = threading.Thread(target=self._listen, name="live-hub", daemon=True)
                self._listener.start()

    def close(self, stream: Stream) -> None:
        """Close `stream`. Closing it again does nothing."""
        stream.end()
        with self._lock:
            streams = self._streams.get(stream.channel, set())
            if stream in streams:
                streams.discard(stream)
                self._count -= 1
                self._held[stream.holder] -= 1
                if not self._held[stream.holder]:
                    del self._held[stream.holder]
                if not streams:
                    del self._streams[stream.channel]

    def publish(self, channel: str, event: Event) -> bool:
        """Send `event` to this process's streams of `channel`. Return whether there are any."""
        streams = self._of(channel)
        for stream in streams:
            stream.offer(event)
        return bool(streams)

    def stop(self) -> None:
        """End every stream and open no more."""
        with self._lock:
            self._stopped = True
            listener = self._listener
            for streams in self._streams.values():
                for stream in streams:
                    stream.end()
        if listener is not None:
            try:
                self._client.publish(self._wake, "")
            except redis.RedisError:
                return
            listener.join(_REDIS_SECONDS)
        self._client.close()

    def _of(self, channel: str) -> list[Stream]:
        with self._lock:
            return list(self._streams.get(channel, ()))

    # --- the listener's thread -----------------------------------------------------------------------

    def _listen(self) -> None:
        try:
            with self._client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
                pubsub.subscribe(self._wake)
                confirmed: set[str] = set()
                # The first message confirms the wake channel. From then on, every new stream wakes this thread.
                while self._handle(pubsub, pubsub.get_message(timeout=_ROUND_SECONDS), confirmed):
                    pass
        except redis.RedisError as error:
            log.warning("live streams end: the broker is not reachable", error=type(error).__name__)
        finally:
            self._end_streams()

    def _end_streams(self) -> None:
        """End the streams that this thread served. Their pages reconnect, and get a snapshot of what they missed."""
        with self._lock:
            if self._listener is not threading.current_thread():
                return  # this thread had no streams left, and another may have started
            self._listener = None
            for channel, streams in self._streams.items():
                if channel.startswith(FROM_REDIS):
                    for stream in streams:
                        stream.end()

    def _handle(self, pubsub: "redis.client.PubSub", message: dict[str, Any] | None, confirmed: set[str]) -> bool:
        """Handle one message, or a wait without a message. Return False if there are no streams left."""
        if message is None or message["channel"] == self._wake:
            return self._adjust(pubsub, confirmed)
        channel = message["channel"]
        if message["type"] == "subscribe":
            confirmed.add(channel)
            self._confirm(channel)
        elif message["type"] == "message":
            event = _read(message["data"])
            if event is None:
                log.error("a live event is not readable", channel=channel)
            else:
                self.publish(channel, event)
        return True

    def _adjust(self, pubsub: "redis.client.PubSub", confirmed: set[str]) -> bool:
        """Subscribe to exactly the channels of the open streams. Return False if there are none."""
        with self._lock:
            wanted = {channel for channel in self._streams if channel.startswith(FROM_REDIS)}
            if not wanted or self._stopped:
                self._listener = None
                return False
        for channel in wanted & confirmed:
            self._confirm(channel)
        new, old = wanted - self._subscribed(pubsub), confirmed - wanted
        if new:
            pubsub.subscribe(*new)
        if old:
            confirmed -= old
            pubsub.unsubscribe(*old)  # type: ignore[no-untyped-call]
        return True

    def _subscribed(self, pubsub: "redis.client.PubSub") -> set[str]:
        return set(pubsub.channels) - pubsub.pending_unsubscribe_channels

    def _confirm(self, channel: str) -> None:
        for stream in self._of(channel):
            stream.ready.set()
