"""Everything that a running system writes, keeps or shows, as text to be searched."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import psutil
import redis
import requests

from ops.embedded import valkey_server
from tests import system

_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
_LINK = re.compile(r'(?:href|data-renews|data-members)="(/[^"#]*)"')
_NOT_FOLLOWED = re.compile(r"/(static|logout|api/)|/delete$")


def broker(it: system.System) -> redis.Redis:
    return redis.Redis.from_url(
        valkey_server.kept_url(it.directory / "valkey"), decode_responses=True, encoding_errors="replace"
    )


@contextlib.contextmanager
def commands(it: system.System) -> Iterator[list[str]]:
    """Every command that Redis is given during the block, what is only published included."""
    heard: list[str] = []
    client = broker(it)
    monitor: Any = client.monitor()  # type: ignore[no-untyped-call]

    def listen() -> None:
        # The connection is closed under the listener at the end.
        with contextlib.suppress(redis.RedisError, ValueError, OSError), monitor:
            heard.extend(str(one["command"]) for one in monitor.listen())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        monitor.connection._sock.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        client.close()


def keys(it: system.System) -> Iterator[tuple[str, str]]:
    """(key, everything in it) of all of Redis."""
    with broker(it) as client:
        for key in client.scan_iter(count=1000):
            kind = client.type(key)
            read: dict[str, Any] = {
                "string": lambda key=key: client.get(key),
                "list": lambda key=key: client.lrange(key, 0, -1),
                "hash": lambda key=key: client.hgetall(key),
                # It has expired since it was listed.
                "none": lambda: "",
                "set": lambda key=key: client.smembers(key),
                "zset": lambda key=key: client.zrange(key, 0, -1, withscores=True),
                "stream": lambda key=key: client.xrange(key),
            }
            yield key, f"{key} {read[kind]()}"


def tables(it: system.System) -> Iterator[tuple[str, str]]:
    """(table, all of its rows as text) of the whole database."""
    with it.database() as db:
        names = db.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
        for (name,) in names.fetchall():
            rows = db.execute(f'SELECT t::text FROM "{name}" t').fetchall()
            yield name, "\n".join(row[0] for row in rows)


def files(it: system.System) -> Iterator[tuple[str, bytes]]:
    """(path, content) of everything on disk: tables, write-ahead log, append-only file, logs, configuration."""
    for path in it.directory.parent.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file():
                yield str(path.relative_to(it.directory.parent)), path.read_bytes()


def command_lines(it: system.System) -> Iterator[tuple[str, str]]:
    for process in it.processes():
        with contextlib.suppress(psutil.Error):
            yield f"process {process.pid}", " ".join(process.cmdline())


def pages(it: system.System) -> Iterator[tuple[str, str]]:
    """(path, HTML) of every page that an administrator reaches by links, the forms for editing included."""
    with requests.Session() as browser:
        browser.trust_env = False
        token = _CSRF.search(browser.get(f"{it.url}/login", timeout=10).text)
        assert token is not None
        typed = {
            "email": system.ENVIRONMENT["SUPERCHECK_ADMIN_EMAIL"],
            "password": system.ENVIRONMENT["SUPERCHECK_ADMIN_PASSWORD"],
            "csrf_token": token[1],
        }
        wrong = browser.post(f"{it.url}/login", data=typed | {"password": typed["password"] + "x"}, timeout=20)
        yield "/login (wrong)", wrong.text
        assert browser.post(f"{it.url}/login", data=typed, timeout=20).url == f"{it.url}/"
        waiting, seen = ["/"], {"/"}
        while waiting:
            path = waiting.pop()
            answer = browser.get(it.url + path, timeout=10)
            assert answer.status_code < 500, path
            if "html" not in answer.headers.get("Content-Type", ""):
                continue
            yield path, answer.text
            for link in _LINK.findall(answer.text):
                link = link.replace("&amp;", "&")
                if link not in seen and not _NOT_FOLLOWED.search(link) and len(seen) < 300:
                    seen.add(link)
                    waiting.append(link)
