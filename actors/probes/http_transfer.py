"""One request and its response, transferred by libcurl."""

import errno
import socket
from functools import cache
from io import BytesIO
from pathlib import Path
from ssl import get_default_verify_paths
from typing import Any, Protocol

import certifi
import pycurl

import guard
import settings
from actors.probes import curl_loop, http_decoding, http_head, socket_failure
from actors.probes.certificate import CertificateText
from actors.probes.http_body import Body
from actors.probes.http_request import Origin, Request, readable_url
from actors.probes.wording import text

REDIRECTS = frozenset({301, 302, 303, 307, 308})
USER_AGENT = "Supercheck"
_DEBIAN_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_WEB = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
_TLS_VERSIONS = {
    "1.0": pycurl.SSLVERSION_TLSv1_0,
    "1.1": pycurl.SSLVERSION_TLSv1_1,
    "1.2": pycurl.SSLVERSION_TLSv1_2,
    "1.3": pycurl.SSLVERSION_TLSv1_3,
}
# TLS 1.0 and 1.1 need old hashes and ciphers. Used only if the operator allows these versions.
_OLD_CIPHERS = "DEFAULT:@SECLEVEL=0"
_NO_SOCKET: int = pycurl.SOCKET_BAD
_IP_VERSIONS = {"4": pycurl.IPRESOLVE_V4, "6": pycurl.IPRESOLVE_V6}


class _Peer(Protocol):
    """The address that libcurl is about to connect to. `addr` is the socket module's address tuple."""

    family: int
    socktype: int
    protocol: int
    addr: tuple[Any, ...]


class _CurlSocket(socket.SocketType):
    """A socket for libcurl, which duplicates the descriptor and drops this object."""

    def __del__(self) -> None:
        self.close()


@cache
def authorities() -> str:
    """Return the file of trusted certificate authorities: the machine's own if it has one."""
    for path in (get_default_verify_paths().cafile, _DEBIAN_AUTHORITIES):
        if path and Path(path).is_file():
            return path
    return certifi.where()


class Transfer:
    """One libcurl transfer.

    After `run`: `code` and `words` are libcurl's error code and text. `blocked` is the guard's sentence if it blocked an
    address. `tried` are the addresses that were tried, `opened` says whether there are any. `our_error` is an error of this
    machine when it created a socket. `secure` is True for TLS, `records_certificate` if certificate facts are wanted.
    `received` is the body. Set `follows` before `run` if redirects are followed.
    """

    __slots__ = (
        "_bodiless",
        "_head",
        "_host",
        "blocked",
        "code",
        "curl",
        "follows",
        "opened",
        "our_error",
        "received",
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
        self.follows = False
        self.tried: list[str] = []
        self.records_certificate = False
        self.received = Body(0, keep_all=False)
        self._head = BytesIO()
        self._bodiless = request.method == "HEAD"
        self._host = request.origin.host
        self.secure = request.origin.scheme == "https"
        self._defaults(request.url)
        self._set_request(request)

    def _defaults(self, url: str) -> None:
        setopt = self.curl.setopt
        setopt(pycurl.URL, url)
        setopt(pycurl.NOSIGNAL, 1)
        setopt(pycurl.PROXY, "")
        setopt(pycurl.PROTOCOLS, _WEB)
        setopt(pycurl.FRESH_CONNECT, 1)
        setopt(pycurl.FORBID_REUSE, 1)
        setopt(pycurl.HTTP_CONTENT_DECODING, 0)
        setopt(pycurl.USERAGENT, USER_AGENT)
        # In C; libcurl accepts 300 kB of headers at most.
        setopt(pycurl.HEADERFUNCTION, self._head.write)
        # In memory only: some sites redirect endlessly without their cookies.
        setopt(pycurl.COOKIEFILE, "")
        setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        if self.secure:
            setopt(pycurl.CAINFO, authorities())
            # No measurable cost, and needed to explain TLS failures.
            setopt(pycurl.OPT_CERTINFO, 1)
            # A resumed session would return an old certificate.
            setopt(pycurl.SSL_SESSIONID_CACHE, 0)
            lowest = settings.get().min_tls_version
            setopt(pycurl.SSLVERSION, _TLS_VERSIONS[lowest])
            if lowest < "1.2":
                setopt(pycurl.SSL_CIPHER_LIST, _OLD_CIPHERS)

    def _set_request(self, request: Request) -> None:
        setopt = self.curl.setopt
        headers = [f"{name}: {value}" if value else f"{name};" for name, value in request.headers]
        if not any(name.lower() == "accept-encoding" for name, _ in request.headers):
            headers.append(f"Accept-Encoding: {http_decoding.OFFERED}")
        if request.method == "HEAD":
            setopt(pycurl.NOBODY, 1)
        elif request.body is not None or request.method in {"POST", "PUT", "PATCH"}:
            setopt(pycurl.POSTFIELDS, request.body or b"")
            # Do not wait for "100 Continue", and send no form content type unless the user set it.
            headers.append("Expect:")
            if not any(name.lower() == "content-type" for name, _ in request.headers):
                headers.append("Content-Type:")
            setopt(pycurl.CUSTOMREQUEST, request.method)
        elif request.method != "GET":
            setopt(pycurl.CUSTOMREQUEST, request.method)
        setopt(pycurl.HTTPHEADER, [header.encode() for header in headers])
        if request.basic is not None:
            name, password = request.basic
            setopt(pycurl.HTTPAUTH, pycurl.HTTPAUTH_BASIC)
            setopt(pycurl.USERNAME, name.encode())
            setopt(pycurl.PASSWORD, password.encode())

    def limit(self, seconds: float, max_bytes: int, keep_body: bool) -> None:
        """Limit the transfer to `seconds` and the decoded body to `max_bytes`."""
        self.curl.setopt(pycurl.TIMEOUT_MS, max(1, int(seconds * 1000)))
        if not self._bodiless:
            # For HEAD, libcurl would fail if the response only announces a large body.
            self.curl.setopt(pycurl.MAXFILESIZE_LARGE, max_bytes)
        self.received = Body(max_bytes, keep_body)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._receive)

    def choose(self, *, ip_version: str, verify_tls: bool, record_certificate: bool) -> None:
        """Set options that most checks do not change."""
        if ip_version in _IP_VERSIONS:
            self.curl.setopt(pycurl.IPRESOLVE, _IP_VERSIONS[ip_version])
        if not verify_tls:
            self.curl.setopt(pycurl.SSL_VERIFYPEER, 0)
            self.curl.setopt(pycurl.SSL_VERIFYHOST, 0)
        self.records_certificate = record_certificate

    def reuse_connection(self) -> None:
        """Reuse a connection of an earlier check of the same host, and keep this one open for the next."""
        self.curl.setopt(pycurl.FRESH_CONNECT, 0)
        self.curl.setopt(pycurl.FORBID_REUSE, 0)

    def pin(self, origin: Origin, addresses: tuple[str, ...]) -> None:
        """Set the addresses of `origin`, so that libcurl looks nothing up. libcurl chooses the order."""
        known = ",".join(f"[{ip}]" if ":" in ip else ip for ip in addresses)
        # The plus makes libcurl's cache entry expire.
        self.curl.setopt(pycurl.RESOLVE, [f"+{origin.host}:{origin.port}:{known}"])

    def keep_cookies_of(self, earlier: "Transfer") -> None:
        """Copy the cookies of earlier responses. libcurl knows which host gets which."""
        for line in earlier.curl.getinfo_raw(pycurl.INFO_COOKIELIST):
            self.curl.setopt(pycurl.COOKIELIST, line)

    async def run(self) -> None:
        """Run the transfer. Never raise because of the target."""
        self.code, self.words = await curl_loop.running().perform(self.curl)
        if self._closed_without_notify:
            self.code, self.words = pycurl.E_OK, ""
        if self.code == pycurl.E_OK:
            self.received.finish()

    @property
    def failed(self) -> bool:
        """Return whether there is no complete response."""
        return self.code != pycurl.E_OK or self.cut_off or bool(self.received.fault)

    @property
    def cut_off(self) -> bool:
        """Return whether the headers are incomplete, which libcurl does not report."""
        return not http_head.is_complete(self.head)

    @property
    def head(self) -> bytes:
        """Return the raw status line and headers, including those of interim responses."""
        return self._head.getvalue()

    @property
    def content_type(self) -> str:
        """Return the response's Content-Type, or ""."""
        return text(self.curl.getinfo_raw(pycurl.CONTENT_TYPE) or b"")

    @property
    def redirect(self) -> str:
        """Return the URL that the response redirects to, or ""."""
        return readable_url(self.curl.getinfo_raw(pycurl.REDIRECT_URL) or b"")

    @property
    def chain(self) -> list[CertificateText]:
        """Return the certificates that the target sent, its own first."""
        return self.curl.getinfo_raw(pycurl.INFO_CERTINFO) if self.secure else []

    @property
    def _closed_without_notify(self) -> bool:
        """Return whether TLS was closed without `close_notify` where closing the connection ends the body.

        Many servers do so, and browsers accept it. With a Content-Length or chunks, the body would be incomplete.
        """
        return (
            self.code == pycurl.E_RECV_ERROR
            and self.secure
            and http_head.last(self.head).startswith(b"HTTP/1")
            and "unexpected eof" in self.words
            and not self.cut_off
            and not http_head.words(self.head, "content-length")
            and "chunked" not in http_head.words(self.head, "transfer-encoding")
        )

    def _receive(self, chunk: bytes) -> int:
        if not self.received.begun:
            # The body of a followed redirect is not used, so its coding does not matter.
            is_read = not (self.follows and http_head.status(self.head) in REDIRECTS)
            self.received.begin(http_head.words(self.head, "content-encoding") if is_read else [])
        # Any other number ends the transfer.
        return len(chunk) if self.received.take(chunk) else -1

    def _open_socket(self, _purpose: int, peer: _Peer) -> _CurlSocket | int:
        """Ask the guard about the address that libcurl is about to connect to."""
        try:
            guard.judge(str(peer.addr[0]), self._host)
            opened = _CurlSocket(peer.family, peer.socktype, peer.protocol)
        except guard.BlockedTarget as refusal:
            self.blocked = str(refusal)
            return _NO_SOCKET
        except OSError as error:
            # If this machine lacks IPv6, an IPv4 address may work.
            if error.errno in socket_failure.OURS and error.errno != errno.EAFNOSUPPORT:
                self.our_error = error
            return _NO_SOCKET
        self.opened = True
        self.tried.append(str(peer.addr[0]))
        return opened
