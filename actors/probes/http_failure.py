"""Why a transfer failed: an error code and a sentence."""

import os
from datetime import UTC, datetime

import pycurl

from actors.probes import certificate, socket_failure, tls_failure
from actors.probes.http_transfer import Transfer
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.wording import plain, seconds
from actors.probes.worker_fault import WorkerFault

# libcurl's codes that pycurl gives no name.
_POLL, _HTTP2_STREAM, _HTTP3, _QUIC, _CLIENT_CERTIFICATE, _TOO_LARGE, _ECH = 99, 92, 95, 96, 98, 100, 101
_RECURSIVE_CALL = 93
_NO_HTTP = (Reason.PROTOCOL_ERROR, "{host} did not respond with HTTP.")
_INCOMPLETE = (Reason.CONNECTION_RESET, "{host} closed the connection before the response was complete.")
_NO_ANSWER = (Reason.CONNECTION_RESET, "{host} closed the connection without a response.")
_BY_CODE = {
    pycurl.E_UNSUPPORTED_PROTOCOL: _NO_HTTP,
    # libcurl accepts incomplete headers.
    pycurl.E_OK: _INCOMPLETE,
    pycurl.E_URL_MALFORMAT: (Reason.INVALID_CONFIG, "The target is not a valid URL."),
    pycurl.E_COULDNT_RESOLVE_HOST: (Reason.DNS_FAILURE, "The name {host} could not be resolved."),
    pycurl.E_COULDNT_CONNECT: (Reason.HOST_UNREACHABLE, "Could not connect to {host}."),
    pycurl.E_FTP_WEIRD_SERVER_REPLY: _NO_HTTP,
    pycurl.E_PARTIAL_FILE: _INCOMPLETE,
    pycurl.E_GOT_NOTHING: _NO_ANSWER,
    pycurl.E_SEND_ERROR: (Reason.CONNECTION_RESET, "The connection to {host} was lost while the request was sent."),
    pycurl.E_RECV_ERROR: (Reason.CONNECTION_RESET, "The connection to {host} was lost while the response was read."),
    pycurl.E_HTTP2: (Reason.PROTOCOL_ERROR, "{host} violated the HTTP/2 protocol."),
    _HTTP2_STREAM: (Reason.PROTOCOL_ERROR, "{host} ended the HTTP/2 stream with an error."),
    _HTTP3: (Reason.PROTOCOL_ERROR, "{host} violated the HTTP/3 protocol."),
    _QUIC: (Reason.CONNECTION_RESET, "Could not make a QUIC connection to {host}."),
    pycurl.E_FILESIZE_EXCEEDED: (Reason.RESPONSE_TOO_LARGE, "The response of {host} is larger than the limit."),
    _TOO_LARGE: (Reason.PROTOCOL_ERROR, "{host} sent too many headers. The limit is 5,000 lines and 300 kB."),
}
# libcurl's codes for which the system's error number says more.
_SOCKET_CODES = frozenset({pycurl.E_COULDNT_CONNECT, pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR})
_TLS_CODES = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_USE_SSL_FAILED,
        pycurl.E_SSL_SHUTDOWN_FAILED,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_INVALIDCERTSTATUS,
        pycurl.E_SSL_PINNEDPUBKEYNOTMATCH,
        _CLIENT_CERTIFICATE,
        _ECH,
    }
)
# Parts of libcurl's texts if the other side ends the handshake.
_HANDSHAKE_ENDED = ("reset by peer", "Broken pipe", "SSL_ERROR_SYSCALL", "unexpected eof")
# Faults of this machine or of this program, never of the target.
_WORKER_CODES = frozenset(
    {
        pycurl.E_FAILED_INIT,
        pycurl.E_NOT_BUILT_IN,
        # The body could not be received, unless this program rejected it.
        pycurl.E_WRITE_ERROR,
        pycurl.E_READ_ERROR,
        pycurl.E_OUT_OF_MEMORY,
        pycurl.E_FUNCTION_NOT_FOUND,
        pycurl.E_ABORTED_BY_CALLBACK,
        pycurl.E_BAD_FUNCTION_ARGUMENT,
        pycurl.E_INTERFACE_FAILED,
        pycurl.E_UNKNOWN_OPTION,
        pycurl.E_SSL_ENGINE_NOTFOUND,
        pycurl.E_SSL_ENGINE_SETFAILED,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SEND_FAIL_REWIND,
        pycurl.E_SSL_ENGINE_INITFAILED,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_CRL_BADFILE,
        pycurl.E_NO_CONNECTION_AVAILABLE,
        _RECURSIVE_CALL,
        _POLL,
    }
)
_FAULTS = {pycurl.E_SSL_CACERT_BADFILE: WorkerFault.AUTHORITIES, pycurl.E_OUT_OF_MEMORY: WorkerFault.MEMORY}


def explain(transfer: Transfer, host: str, timeout: float) -> Outcome:
    """Return the outcome of a failed transfer. The caller adds times and details."""
    if transfer.blocked and not transfer.opened:
        return Outcome(Status.ERROR, reason=Reason.BLOCKED_TARGET, message=plain(transfer.blocked))
    if transfer.our_error is not None:
        return socket_failure.explain(transfer.our_error, host, transfer.tried)
    rejected = transfer.received.fault or transfer.received.too_large
    if transfer.code in _WORKER_CODES and not rejected:
        return socket_failure.ours(transfer.words, _FAULTS.get(transfer.code))
    number = transfer.curl.getinfo(pycurl.OS_ERRNO) if transfer.code in _SOCKET_CODES else 0
    if number in socket_failure.TARGETS or number in socket_failure.OURS:
        return socket_failure.explain(OSError(number, os.strerror(number)), host, transfer.tried)
    if transfer.code == pycurl.E_COULDNT_CONNECT and not transfer.opened:
        return socket_failure.ours("this machine does not support the target's address family")
    if transfer.code == pycurl.E_OPERATION_TIMEDOUT and transfer.curl.getinfo(pycurl.CONNECT_TIME) == 0:
        cut = socket_failure.cut_off_by_gateway(transfer.tried)
        if cut is not None:
            return cut
    reason, sentence = _reason(transfer, timeout)
    status = Status.ERROR if reason is Reason.INVALID_CONFIG else Status.DOWN
    return Outcome(status, reason=reason, message=plain(sentence.replace("{host}", plain(host, 100))))


def _reason(transfer: Transfer, timeout: float) -> tuple[Reason, str]:
    code, words = transfer.code, transfer.words
    if transfer.received.too_large:
        return _BY_CODE[pycurl.E_FILESIZE_EXCEEDED]
    if transfer.received.fault:
        return Reason.PROTOCOL_ERROR, f"{{host}} {transfer.received.fault}."
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return _timeout(transfer, timeout)
    if code in _TLS_CODES or tls_failure.alert(words) is not None:
        if any(part in words for part in _HANDSHAKE_ENDED):
            return Reason.CONNECTION_RESET, "{host} closed the connection during the TLS handshake."
        return Reason.TLS_ERROR, f"TLS with {{host}} failed: {_tls_sentence(transfer)}."
    if code == pycurl.E_RECV_ERROR and "unexpected eof" in words:
        return _INCOMPLETE if transfer.head else _NO_ANSWER
    if code == pycurl.E_RECV_ERROR and "chunk" in words:
        return Reason.PROTOCOL_ERROR, "{host} violated the HTTP protocol: the chunks of its response are invalid."
    if code == pycurl.E_BAD_CONTENT_ENCODING:
        return Reason.PROTOCOL_ERROR, f"{{host}} used a content coding that was not offered: {_said(words)}."
    if code == pycurl.E_FTP_WEIRD_SERVER_REPLY and transfer.head:
        return Reason.PROTOCOL_ERROR, f"{{host}} violated the HTTP protocol: {_said(words)}."
    return _BY_CODE.get(code) or (Reason.PROTOCOL_ERROR, f"The check of {{host}} failed: {_said(words, code)}.")


def _said(words: str, code: int = 0) -> str:
    """Return libcurl's error text, for errors without a sentence here."""
    return plain(words, 160).rstrip(".") or (f"libcurl error {code}" if code else "its headers are invalid")


def _timeout(transfer: Transfer, timeout: float) -> tuple[Reason, str]:
    """Return the reason by the first phase that was not reached. libcurl may also set the times of later phases."""
    limit = seconds(timeout)
    getinfo = transfer.curl.getinfo
    if getinfo(pycurl.NAMELOOKUP_TIME) == 0:
        return Reason.DNS_FAILURE, f"The name {{host}} could not be resolved within {limit}."
    if getinfo(pycurl.CONNECT_TIME) == 0:
        return Reason.CONNECT_TIMEOUT, f"{{host}} did not accept the connection within {limit}."
    if transfer.secure and getinfo(pycurl.APPCONNECT_TIME) == 0:
        return Reason.CONNECT_TIMEOUT, f"{{host}} did not finish the TLS handshake within {limit}."
    if getinfo(pycurl.RESPONSE_CODE) == 0:
        return Reason.READ_TIMEOUT, f"{{host}} did not start to respond within {limit}."
    return Reason.READ_TIMEOUT, f"{{host}} did not finish its response within {limit}."


def _tls_sentence(transfer: Transfer) -> str:
    if transfer.code == _CLIENT_CERTIFICATE:
        return tls_failure.WANTS_CERTIFICATE
    result = transfer.curl.getinfo(pycurl.SSL_VERIFYRESULT) if transfer.code == pycurl.E_PEER_FAILED_VERIFICATION else 0
    return tls_failure.sentence(result, transfer.words, certificate.read_all(transfer.chain), datetime.now(UTC))
