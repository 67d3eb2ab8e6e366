"""One request and its answer, carried by libcurl."""

import errno
import socket
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from ssl import get_default_verify_paths
from typing import Any, Protocol

import certifi
import pycurl

import guard
import settings
from actors.probes import curl_loop, socket_failure
from actors.probes.http_request import Origin, Request

USER_AGENT = "Supercheck"
#: Bytes of a body that are kept in any case; more than is shown, so that no secret is cut in two where it is shown.
LONGEST_EXCERPT = 4096
_DEBIAN_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_WEB = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
_TLS_VERSIONS = {
    "1.0": pycurl.SSLVERSION_TLSv1_0,
    "1.1": pycurl.SSLVERSION_TLSv1_1,
    "1.2": pycurl.SSLVERSION_TLSv1_2,
    "1.3": pycurl.SSLVERSION_TLSv1_3,
}
# What TLS 1.0 and 1.1 need besides, hashes and ciphers of their time; asked for only where the operator wants them.
_OLD_CIPHERS = "DEFAULT:@SECLEVEL=0"
_NO_SOCKET: int = pycurl.SOCKET_BAD
_IP_VERSIONS = {"4": pycurl.IPRESOLVE_V4, "6": pycurl.IPRESOLVE_V6}


class _Peer(Protocol):
    """What libcurl is about to connect to; `addr` is the socket module's address tuple."""

    family: int
    socktype: int
    protocol: int
    addr: tuple[Any, ...]


class _Handed(socket.SocketType):
    """A socket for libcurl, which takes a duplicate of the descriptor and drops this object."""

    def __del__(self) -> None:
        self.close()


@cache
def authorities() -> str:
    """The file of certificate authorities to trust: the machine's own where it has one."""
    for path in (get_default_verify_paths().cafile, _DEBIAN_AUTHORITIES):
        if path and Path(path).is_file():
            return path
    return certifi.where()


class Transfer:
    """One libcurl transfer.

    After `run`: `code` and `words` are libcurl's verdict, `blocked` the guard's sentence where it refused an
    address, `opened` whether any address was tried, `tried` which, `our_error` a failure of this machine to make a socket.
    `secure` says whether TLS is spoken, `records_certificate` whether certificate facts were asked for.
    """

    __slots__ = (
        "_bodiless",
        "_body",
        "_excerpt",
        "_head",
        "_host",
        "blocked",
        "code",
        "curl",
        "opened",
        "our_error",
        "records_certificate",
        "secure",
        "tried",
        "words",
    )

    def __init__(self, request: Request) -> None:
        self.curl = pycurl.Curl()
        self.code = 0
        self.words = ""
        self.blocked = ""
        self.our_error: OSError | None = None
        self.opened = False
        self.tried: list[str] = []
        self.records_certificate = False
        self._body: BytesIO | None = None
        self._excerpt = b""
        self._head = BytesIO()
        self._bodiless = request.method == "HEAD"
        self._host = request.origin.host
        self.secure = request.origin.scheme == "https"
        self._defaults(request.url)
        self._ask(request)

    def _defaults(self, url: str) -> None:
        setopt = self.curl.setopt
        setopt(pycurl.URL, url)
        setopt(pycurl.NOSIGNAL, 1)
        setopt(pycurl.PROXY, "")
        setopt(pycurl.PROTOCOLS, _WEB)
        setopt(pycurl.FRESH_CONNECT, 1)
        setopt(pycurl.FORBID_REUSE, 1)
        setopt(pycurl.ACCEPT_ENCODING, "")
        setopt(pycurl.USERAGENT, USER_AGENT)
        # In C; libcurl takes 300 kB of them at most.
        setopt(pycurl.HEADERFUNCTION, self._head.write)
        # In memory only: a site that answers a redirect together with a cookie is lost without.
        setopt(pycurl.COOKIEFILE, "")
        setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        if self.secure:
            setopt(pycurl.CAINFO, authorities())
            # A resumed session would show the certificate of yesterday.
            setopt(pycurl.SSL_SESSIONID_CACHE, 0)
            lowest = settings.get().min_tls_version
            setopt(pycurl.SSLVERSION, _TLS_VERSIONS[lowest])
            if lowest < "1.2":
                setopt(pycurl.SSL_CIPHER_LIST, _OLD_CIPHERS)

    def _ask(self, request: Request) -> None:
        setopt = self.curl.setopt
        headers = [f"{name}: {value}" if value else f"{name};" for name, value in request.headers]
        if request.method == "HEAD":
            setopt(pycurl.NOBODY, 1)
        elif request.body is not None or request.method in {"POST", "PUT", "PATCH"}:
            setopt(pycurl.POSTFIELDS, request.body or b"")
            # No waiting for "100 Continue", and no form type where the user set none.
            headers.append("Expect:")
            if not any(name.lower() == "content-type" for name, _ in request.headers):
                headers.append("Content-Type:")
            setopt(pycurl.CUSTOMREQUEST, request.method)
        elif request.method != "GET":
            setopt(pycurl.CUSTOMREQUEST, request.method)
        if headers:
            setopt(pycurl.HTTPHEADER, [header.encode() for header in headers])
        if request.basic is not None:
            name, password = request.basic
            setopt(pycurl.HTTPAUTH, pycurl.HTTPAUTH_BASIC)
            setopt(pycurl.USERNAME, name.encode())
            setopt(pycurl.PASSWORD, password.encode())

    def limit(self, seconds: float, largest_body: int, keep_body: bool) -> None:
        """Bound the whole transfer to `seconds` and the decoded body to `largest_body` bytes."""
        self.curl.setopt(pycurl.TIMEOUT_MS, max(1, int(seconds * 1000)))
        if not self._bodiless:
            # libcurl would hold the mere announcement of a large body against a HEAD request.
            self.curl.setopt(pycurl.MAXFILESIZE_LARGE, largest_body)
        keep: Callable[[bytes], int] = self._keep_excerpt
        if keep_body:
            self._body = BytesIO()
            keep = self._body.write
        # Both answer the number of bytes taken.
        self.curl.setopt(pycurl.WRITEFUNCTION, keep)

    def choose(self, *, ip_version: str, verify_tls: bool, record_certificate: bool) -> None:
        """Settings that most checks leave as they are."""
        if ip_version in _IP_VERSIONS:
            self.curl.setopt(pycurl.IPRESOLVE, _IP_VERSIONS[ip_version])
        if not verify_tls:
            self.curl.setopt(pycurl.SSL_VERIFYPEER, 0)
            self.curl.setopt(pycurl.SSL_VERIFYHOST, 0)
        if record_certificate:
            self.records_certificate = True
            self.curl.setopt(pycurl.OPT_CERTINFO, 1)

    def reuse_connection(self) -> None:
        """Take a connection that an earlier check of the same host left open, and leave this one open for the next."""
        self.curl.setopt(pycurl.FRESH_CONNECT, 0)
        self.curl.setopt(pycurl.FORBID_REUSE, 0)

    def pin(self, origin: Origin, addresses: tuple[str, ...]) -> None:
        """Say what the name of `origin` stands for, so that libcurl looks nothing up; it tries them as it sees fit."""
        known = ",".join(f"[{ip}]" if ":" in ip else ip for ip in addresses)
        # The plus lets libcurl forget it again.
        self.curl.setopt(pycurl.RESOLVE, [f"+{origin.host}:{origin.port}:{known}"])

    def keep_cookies_of(self, earlier: "Transfer") -> None:
        """Go on with the cookies that the answers so far have set; libcurl knows which host gets which."""
        for line in earlier.curl.getinfo(pycurl.INFO_COOKIELIST):
            self.curl.setopt(pycurl.COOKIELIST, line)

    async def run(self) -> None:
        """Do it. Never raises for what the target does."""
        self.code, self.words = await curl_loop.running().perform(self.curl)

    @property
    def cut_off(self) -> bool:
        """Whether the answer ended within its headers, which libcurl takes for an answer."""
        head = self.head
        start = head.rfind(b"\nHTTP/") + 1
        return head.find(b"\r\n\r\n", start) < 0 and head.find(b"\n\n", start) < 0

    @property
    def head(self) -> bytes:
        """Status line and headers as they came, those of interim answers before."""
        return self._head.getvalue()

    @property
    def excerpt(self) -> bytes:
        """The first bytes of the decoded body, at most `LONGEST_EXCERPT`."""
        return self._excerpt if self._body is None else self._body.getbuffer()[:LONGEST_EXCERPT].tobytes()

    @property
    def content_type(self) -> str:
        """The answer's own word, empty where it has none."""
        return self.curl.getinfo(pycurl.CONTENT_TYPE) or ""

    def certificates(self) -> list[str]:
        """The certificates shown, as PEM, where they were to be recorded."""
        chain = self.curl.getinfo(pycurl.INFO_CERTINFO)
        return [value for one in chain for name, value in one if name == "Cert"]

    @property
    def body(self) -> bytes:
        """The decoded body; empty unless it was to be kept."""
        return self._body.getvalue() if self._body is not None else b""

    def _keep_excerpt(self, chunk: bytes) -> int:
        if len(self._excerpt) < LONGEST_EXCERPT:
            self._excerpt += chunk[: LONGEST_EXCERPT - len(self._excerpt)]
        return len(chunk)

    def _open_socket(self, _purpose: int, peer: _Peer) -> _Handed | int:
        """Judge the very address that libcurl is about to connect to."""
        try:
            guard.judge(str(peer.addr[0]), self._host)
            opened = _Handed(peer.family, peer.socktype, peer.protocol)
        except guard.BlockedTarget as refusal:
            self.blocked = str(refusal)
            return _NO_SOCKET
        except OSError as error:
            # Without IPv6 here an IPv4 address may do as well.
            if error.errno in socket_failure.OURS and error.errno != errno.EAFNOSUPPORT:
                self.our_error = error
            return _NO_SOCKET
        self.opened = True
        self.tried.append(str(peer.addr[0]))
        return opened
