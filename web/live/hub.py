"""Live events from one Redis connection to every open stream of this process.

A thread listens while streams are open, and only to the channels that they want, so publishers can tell whether
anybody listens. Each stream has a short queue of its own: a reader too slow for it is dropped, not waited for.
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

#: Events that a stream may be behind.
BACKLOG = 256
#: How long a new stream waits until its channel is confirmed. Redis answers in a millisecond, but where two hundred
#: pages come back at once the listener's thread waits for its turn; a Redis that is away ends the wait sooner.
READY_SECONDS = 10.0
_REDIS_SECONDS = 3.0
#: Channels that nobody wants any more are left after at most so long.
_ROUND_SECONDS = 5.0

#: What channels that come from Redis begin with; all others are fed by `Hub.publish` alone.
FROM_REDIS = "live:"

_FIELD = re.compile(r"^(event|data|id|retry):", re.M)

Wants = Callable[[Message], bool]


class HubError(Exception):
    """No stream can be opened now; the text says why."""


class Event(Message):  # type: ignore[misc]
    """A server-sent event that is rendered once, however many streams carry it."""

    _text: str | None = None

    def __str__(self) -> str:
        if self._text is None:
            # The blank after the colon is optional for browsers; people who grep expect it.
            self._text = _FIELD.sub(r"\1: ", super().__str__())
        return self._text


def _read(text: str) -> Event | None:
    """The event in `text`, which is a Flask-SSE message whose data is an object; None where it is not."""
    try:
        event = Event(**json.loads(text))
    except (ValueError, TypeError):
        return None
    return event if isinstance(event.data, dict) else None


class Stream:
    """One open connection's events, in order; iterating waits for them, and ends with the stream."""

    def __init__(self, channel: str, wants: Wants | None, holder: str = "") -> None:
        self.channel = channel
        #: Whose stream it is.
        self.holder = holder
        self._wants = wants
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self.ready = threading.Event()
        self.ended = False

    def offer(self, event: Event) -> None:
        """Queue `event` where the stream wants it. Called by one thread at a time."""
        if self.ended or (self._wants is not None and not self._wants(event)):
            return
        if self._events.qsize() >= BACKLOG:
            self.end()
        else:
            self._events.put(event)

    def end(self) -> None:
        """Let the iteration end; what is still queued is not delivered."""
        self.ended = True
        self.ready.set()
        self._events.put(None)

    def wait(self, seconds: float) -> Event | None:
        """The next event; None where none came in time, or at the end."""
        if self.ended:
            return None
        try:
            event = self._events.get(timeout=seconds)
        except Empty:
            return None
        return None if self.ended else event


class Hub:
    """All open streams of this process. `limit` bounds them, `share` those of one holder; every method may be called from
    any thread.
    """

    def __init__(self, redis_url: str, limit: int, share: int | None = None) -> None:
        self._client = redis.Redis.from_url(
            redis_url,
            decode_responses=True,
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
            socket_keepalive=True,
            health_check_interval=15,
            # A connection that was lost lost events with it, so it must not be mended behind our back.
            retry=Retry(NoBackoff(), 0),
        )
        self._limit = limit
        self._share = limit if share is None else share
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
        """A stream of what is published on `channel` from now on, for `holder`; `close` it.

        Raises `HubError` beyond the limits, while the process stops, and where Redis does not answer.
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
                raise HubError("This process is about to stop.")
            if self._count >= self._limit:
                raise HubError("Too many live streams are open.")
            if self._held[stream.holder] >= self._share:
                raise HubError("Too many live streams of yours are open.")
            self._count += 1
            self._held[stream.holder] += 1
            self._streams.setdefault(stream.channel, set()).add(stream)
            if self._listener is None and stream.channel.startswith(FROM_REDIS):
                self._listener = threading.Thread(target=self._listen, name="live-hub", daemon=True)
                self._listener.start()

    def close(self, stream: Stream) -> None:
        """Forget `stream`; a second time does nothing."""
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
        """Give `event` to this process's streams of `channel`; False where there is none."""
        streams = self._of(channel)
        for stream in streams:
            stream.offer(event)
        return bool(streams)

    def stop(self) -> None:
        """End every stream, for good."""
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
                # The first message confirms the wake channel: from then on no stream is overlooked.
                while self._handle(pubsub, pubsub.get_message(timeout=_ROUND_SECONDS), confirmed):
                    pass
        except redis.RedisError as error:
            log.warning("live streams end: the broker is away", error=type(error).__name__)
        finally:
            self._end_unheard()

    def _end_unheard(self) -> None:
        """End what this thread can serve no longer: the pages connect again, and a snapshot shows what they missed."""
        with self._lock:
            if self._listener is not threading.current_thread():
                return  # it had nothing left to serve, and another one may be at work already
            self._listener = None
            for channel, streams in self._streams.items():
                if channel.startswith(FROM_REDIS):
                    for stream in streams:
                        stream.end()

    def _handle(self, pubsub: "redis.client.PubSub", message: dict[str, Any] | None, confirmed: set[str]) -> bool:
        """Work on one message, or on a wait without one; False where nobody listens any more."""
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
        """Subscribe to what the open streams want, and to nothing else; False where they want nothing."""
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
