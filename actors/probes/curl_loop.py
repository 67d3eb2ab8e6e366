"""libcurl's multi interface, driven inside an asyncio loop.

All transfers of a loop share one multi handle. Their sockets live in a private epoll object whose descriptor is
registered with the loop once: adding and removing a reader for every socket would cost more than the transfer.
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
_EVENTS_AT_ONCE = 256

# (libcurl's error code, 0 when all went well; its own words)
Finished = tuple[int, str]


class CurlLoop:
    """The transfers of one asyncio loop. Not thread-safe: everything happens in the loop's thread."""

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
        """Run one transfer to its end; a cancelled caller takes its transfer along."""
        future: asyncio.Future[Finished] = self._loop.create_future()
        self._waiting[curl] = future
        try:
            self._multi.add_handle(curl)
            return await future
        finally:
            if self._waiting.pop(curl, None) is not None:
                self._multi.remove_handle(curl)

    def close(self) -> None:
        """Give the descriptors back; the loop runs no more."""
        self._multi.close()
        self._epoll.close()

    def _on_socket(self, what: int, fd: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            self._registered.discard(fd)
            try:
                self._epoll.unregister(fd)
            except OSError:
                # Closed already: the kernel has forgotten it by itself.
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
        """Note when libcurl wants to be called; a timer already set for earlier is left alone: re-arming is dear."""
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
        self._hand_over()

    def _on_ready(self) -> None:
        for fd, events in self._epoll.poll(0, _EVENTS_AT_ONCE):
            ready = pycurl.CSELECT_IN if events & _READABLE else 0
            if events & select.EPOLLOUT:
                ready |= pycurl.CSELECT_OUT
            self._multi.socket_action(fd, ready)
        self._hand_over()

    def _hand_over(self) -> None:
        """Wake whoever waits for a transfer that ended."""
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
    """Return libcurl's `words` as text that can be stored: pycurl hides a target's odd bytes in surrogates."""
    return text(words.encode("utf-8", "surrogateescape"))


_LOOPS: dict[asyncio.AbstractEventLoop, CurlLoop] = {}


def running() -> CurlLoop:
    """The driver of the running loop, made at the first call."""
    loop = asyncio.get_running_loop()
    found = _LOOPS.get(loop)
    if found is None:
        release()
        found = _LOOPS[loop] = CurlLoop(loop)
    return found


def release() -> None:
    """Give back the descriptors of loops that have closed; other threads may be at it too."""
    for loop in list(_LOOPS):
        if loop.is_closed() and (found := _LOOPS.pop(loop, None)):
            found.close()
