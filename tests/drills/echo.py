"""Services that say back whatever they received, in every way in which they can: bodies, headers, reasons, redirects."""

import base64
import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Echo:
    """`told` is everything that came in, as text."""

    port: int = 0
    received: list[str] = field(default_factory=list)

    def url(self, path: str, scheme: str = "http", login: str = "") -> str:
        return f"{scheme}://{login + '@' if login else ''}127.0.0.1:{self.port}{path}"


class _Handler(BaseHTTPRequestHandler):
    """`/<status>/…` answers that status; `/json`, `/onward` and `/hang` are themselves."""

    protocol_version = "HTTP/1.1"
    echo: Echo

    def answer(self) -> None:
        asked = f"{self.requestline}\n{self.headers}"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        login = self.headers.get("Authorization", "").partition("Basic ")[2]
        clear = base64.b64decode(login).decode() if login else ""
        self.echo.received.append(f"{asked}\n{clear}\n{body}")
        secret = " ".join(value for name, value in self.headers.items() if name.lower() not in _HARMLESS)
        first = self.path.strip("/").partition("/")[0].partition("?")[0]
        if first == "hang":
            self.rfile.read(1)
            return
        status = {"onward": 302, "json": 200}.get(first) or int(first)
        said = json.dumps({"headers": secret, "request": asked, "login": clear, "body": body}).encode()
        self.send_response(status, f"Not with {secret} {clear}")
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Echo", secret)
        self.send_header("Set-Cookie", f"echo={login or 'none'}")
        if first == "onward":
            self.send_header("Location", f"/500/after?echo={secret.replace(' ', '+')}&login={clear}")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:
        return


_HARMLESS = frozenset(
    {"host", "user-agent", "accept", "accept-encoding", "connection", "content-length", "content-type"}
)


@contextlib.contextmanager
def _serving(server: Any) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class _Web(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken handshakes are meant."""


@contextlib.contextmanager
def web() -> Iterator[Echo]:
    echo = Echo()
    handler = type("Handler", (_Handler,), {"echo": echo})
    with _serving(_Web(("127.0.0.1", 0), handler)) as echo.port:
        yield echo


class _Mail(socketserver.StreamRequestHandler):
    """Refuses every sign-in, and says whom and with what."""

    echo: Echo

    def handle(self) -> None:
        self.say("220 ready")
        while line := self.rfile.readline().decode("utf-8", "replace").strip():
            self.echo.received.append(line)
            word = line.upper()
            if word.startswith("EHLO"):
                self.say("250-echo\r\n250 AUTH PLAIN LOGIN")
            elif word.startswith("AUTH LOGIN"):
                name = line.partition("LOGIN ")[2]
                self.say("334 UGFzc3dvcmQ6")
                self.refuse(name, self.rfile.readline().decode().strip())
            elif word.startswith("AUTH"):
                self.refuse(line.rpartition(" ")[2])
            else:
                self.say("221 bye" if word.startswith("QUIT") else "250 fine")

    def refuse(self, *said: str) -> None:
        clear = " ".join(base64.b64decode(one + "===").decode("utf-8", "replace").replace("\0", " ") for one in said)
        self.echo.received.append(clear)
        self.say(f"535 not with {clear} that is {' '.join(said)}")

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class _MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextlib.contextmanager
def mail() -> Iterator[Echo]:
    echo = Echo()
    handler = type("Handler", (_Mail,), {"echo": echo})
    with _serving(_MailServer(("127.0.0.1", 0), handler)) as echo.port:
        yield echo
