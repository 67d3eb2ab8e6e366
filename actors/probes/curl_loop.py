"""libcurl's multi interface, driven by an asyncio loop.

All transfers of a loop share one multi handle. Their sockets are in a private epoll object, and only its descriptor is
registered with the loop: adding and removing a reader per socket would cost more than the transfer.
"""

import asyncio
import math
import select

import pycurl

from actors.probes.wording import text

_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}
_READABLE = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
_MAX_EVENTS = 256

# (libcurl's error code, 0 for success; its error text)
Finished = tuple[int, str]


class CurlLoop:
    """The transfers of one asyncio loop. Not thread-safe."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[pycurl.Curl, asyncio.Future[Finished]] = {}
        self._epoll = select.epoll()
        self._registered: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_NOTHING)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        loop.add_reader(self._epoll.fileno(), self._on_ready)

    async def perform(self, curl: pycurl.Curl) -> Finished:
        """Run one transfer. Cancelling the caller cancels the transfer."""
        future: asyncio.Future[Finished] = self._loop.create_future()
        self._waiting[curl] = future
        try:
            self._multi.add_handle(curl)
            return await future
        finally:
            if self._waiting.pop(curl, None) is not None:
                self._multi.remove_handle(curl)

    def close(self) -> None:
        """Close the descriptors. The loop must have ended."""
        self._multi.close()
        self._epoll.close()

    def _on_socket(self, what: int, fd: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            self._registered.discard(fd)
            try:
                self._epoll.unregister(fd)
            except OSError:
                # The descriptor is closed, so the kernel has removed it.
                return
        elif fd in self._registered:
            try:
                self._epoll.modify(fd, _EVENTS[what])
            except FileNotFoundError:
                self._epoll.register(fd, _EVENTS[what])
        else:
            self._registered.add(fd)
            self._epoll.register(fd, _EVENTS[what])

    def _on_timer(self, milliseconds: int) -> None:
        """Set when libcurl must be called. A timer that fires earlier stays: replacing timers is expensive."""
        if milliseconds < 0:
            self._due = math.inf
            return
        self._due = self._loop.time() + milliseconds / 1000
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            if self._timer.when() <= self._due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due, self._on_due)

    def _on_due(self) -> None:
        self._timer = None
        if self._due == math.inf:
            return
        if self._loop.time() < self._due:
            self._arm()
            return
        self._due = math.inf
        self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._complete()

    def _on_ready(self) -> None:
        for fd, events in self._epoll.poll(0, _MAX_EVENTS):
            ready = pycurl.CSELECT_IN if events & _READABLE else 0
            if events & select.EPOLLOUT:
                ready |= pycurl.CSELECT_OUT
            self._multi.socket_action(fd, ready)
        self._complete()

    def _complete(self) -> None:
        """Resolve the futures of transfers that have ended."""
        while True:
            queued, good, bad = self._multi.info_read()
            for curl in good:
                self._end(curl, (0, ""))
            for curl, code, words in bad:
                self._end(curl, (code, _readable(words)))
            if not queued:
                return

    def _end(self, curl: pycurl.Curl, finished: Finished) -> None:
        future = self._waiting.pop(curl)
        self._multi.remove_handle(curl)
        if not future.done():
            future.set_result(finished)


def _readable(words: str) -> str:
    """Return libcurl's error text without surrogates, which pycurl uses for bytes that are not valid UTF-8."""
    return text(words.encode("utf-8", "surrogateescape"))


_LOOPS: dict[asyncio.AbstractEventLoop, CurlLoop] = {}


def running() -> CurlLoop:
    """Return the `CurlLoop` of the running loop. Create it at the first call."""
    loop = asyncio.get_running_loop()
    curl_loop = _LOOPS.get(loop)
    if curl_loop is None:
        release()
        curl_loop = _LOOPS[loop] = CurlLoop(loop)
    return curl_loop


def release() -> None:
    """Close the descriptors of closed loops. Thread-safe."""
    for loop in list(_LOOPS):
        if loop.is_closed() and (curl_loop := _LOOPS.pop(loop, None)):
            curl_loop.close()
