"""Why a transfer failed, in a word for programs and a sentence for people."""

import os

import pycurl

from actors.probes import socket_failure
from actors.probes.http_transfer import Transfer
from actors.probes.outcome import Outcome, Reason, Status
from actors.probes.wording import plain, seconds
from actors.trouble import Trouble

# CURLE_HTTP2_STREAM, which pycurl gives no name.
_HTTP2_STREAM = 92
_BY_CODE = {
    pycurl.E_UNSUPPORTED_PROTOCOL: (Reason.PROTOCOL_ERROR, "{host} did not answer in HTTP."),
    # libcurl is content with headers that have no end.
    pycurl.E_OK: (Reason.CONNECTION_RESET, "{host} closed the connection before its answer was complete."),
    pycurl.E_URL_MALFORMAT: (Reason.INVALID_CONFIG, "The target is not a readable URL."),
    pycurl.E_COULDNT_RESOLVE_HOST: (Reason.DNS_FAILURE, "The name {host} could not be resolved."),
    pycurl.E_COULDNT_CONNECT: (Reason.HOST_UNREACHABLE, "No connection to {host} could be made."),
    pycurl.E_FTP_WEIRD_SERVER_REPLY: (Reason.PROTOCOL_ERROR, "{host} did not answer in HTTP."),
    pycurl.E_PARTIAL_FILE: (Reason.CONNECTION_RESET, "{host} closed the connection before its answer was complete."),
    pycurl.E_GOT_NOTHING: (Reason.CONNECTION_RESET, "{host} closed the connection without an answer."),
    pycurl.E_SEND_ERROR: (Reason.CONNECTION_RESET, "The connection to {host} broke while the request was sent."),
    pycurl.E_RECV_ERROR: (Reason.CONNECTION_RESET, "The connection to {host} broke while its answer was read."),
    pycurl.E_HTTP2: (Reason.PROTOCOL_ERROR, "{host} broke the rules of HTTP/2."),
    _HTTP2_STREAM: (Reason.PROTOCOL_ERROR, "{host} ended the HTTP/2 stream with an error."),
    pycurl.E_BAD_CONTENT_ENCODING: (Reason.PROTOCOL_ERROR, "The answer of {host} could not be decompressed."),
    pycurl.E_WRITE_ERROR: (Reason.PROTOCOL_ERROR, "The answer of {host} could not be decompressed."),
    pycurl.E_FILESIZE_EXCEEDED: (Reason.RESPONSE_TOO_LARGE, "The answer of {host} is larger than the limit."),
}
# Where the system's own error number tells more.
_SOCKET_CODES = frozenset({pycurl.E_COULDNT_CONNECT, pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR})
_TLS_CODES = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_INVALIDCERTSTATUS,
    }
)
# How libcurl words a handshake that the other side left.
_BROKEN_OFF = ("reset by peer", "Broken pipe", "SSL_ERROR_SYSCALL", "unexpected eof")
# This machine's trouble, never the target's.
_OUR_CODES = frozenset(
    {
        pycurl.E_FAILED_INIT,
        pycurl.E_OUT_OF_MEMORY,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_BAD_FUNCTION_ARGUMENT,
        pycurl.E_NOT_BUILT_IN,
        pycurl.E_ABORTED_BY_CALLBACK,
    }
)
_TROUBLES = {pycurl.E_SSL_CACERT_BADFILE: Trouble.AUTHORITIES, pycurl.E_OUT_OF_MEMORY: Trouble.MEMORY}
# Part of libcurl's words -> what it means for whoever runs the target.
_TLS_SENTENCES = (
    ("certificate has expired", "the certificate has expired"),
    ("not yet valid", "the certificate is not valid yet"),
    ("self-signed certificate in certificate chain", "the certificate comes from an authority that is not trusted"),
    ("self-signed", "the certificate is self-signed"),
    ("unable to get local issuer", "its issuer is not trusted, or an intermediate certificate is not sent"),
    ("unable to verify the first", "its issuer is not trusted, or an intermediate certificate is not sent"),
    ("subject name", "the certificate was issued for another name"),
    ("does not match", "the certificate was issued for another name"),
    ("revoked", "the certificate was revoked"),
    ("wrong version number", "the port does not speak TLS"),
    ("unsupported protocol", "it offers only TLS versions that are no longer safe"),
    ("protocol version", "it accepts none of our TLS versions"),
    ("handshake failure", "it accepts none of our TLS ciphers"),
    ("too small", "its key is too weak"),
    ("too weak", "its key is too weak"),
)


def explain(transfer: Transfer, host: str, timeout: float) -> Outcome:
    """The outcome of a transfer whose `code` is not 0, or that was cut off; times and details are the caller's to add."""
    if transfer.blocked and not transfer.opened:
        return Outcome(Status.ERROR, reason=Reason.BLOCKED_TARGET, message=plain(transfer.blocked))
    if transfer.our_error is not None:
        return socket_failure.explain(transfer.our_error, host, transfer.tried)
    if transfer.code in _OUR_CODES:
        return socket_failure.ours(transfer.words, _TROUBLES.get(transfer.code))
    number = transfer.curl.getinfo(pycurl.OS_ERRNO) if transfer.code in _SOCKET_CODES else 0
    if number in socket_failure.TARGETS or number in socket_failure.OURS:
        return socket_failure.explain(OSError(number, os.strerror(number)), host, transfer.tried)
    if transfer.code == pycurl.E_COULDNT_CONNECT and not transfer.opened:
        return socket_failure.ours("this machine does not speak the target's kind of address")
    if transfer.code == pycurl.E_OPERATION_TIMEDOUT and transfer.curl.getinfo(pycurl.CONNECT_TIME) == 0:
        cut = socket_failure.cut_off_by_gateway(transfer.tried)
        if cut is not None:
            return cut
    reason, sentence = _reason(transfer, timeout)
    status = Status.ERROR if reason is Reason.INVALID_CONFIG else Status.DOWN
    return Outcome(status, reason=reason, message=sentence.replace("{host}", plain(host, 100)))


def _reason(transfer: Transfer, timeout: float) -> tuple[Reason, str]:
    code = transfer.code
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return _timeout(transfer, timeout)
    if code in _TLS_CODES:
        if any(words in transfer.words for words in _BROKEN_OFF):
            return Reason.CONNECTION_RESET, "{host} closed the connection during the TLS handshake."
        return Reason.TLS_ERROR, f"TLS with {{host}} failed: {_tls_sentence(transfer.words)}."
    if code == pycurl.E_RECV_ERROR and "chunk" in transfer.words:
        return Reason.PROTOCOL_ERROR, "{host} broke the rules of HTTP: its answer comes in unreadable pieces."
    return _BY_CODE.get(code) or (Reason.PROTOCOL_ERROR, f"The check of {{host}} failed (libcurl error {code}).")


def _timeout(transfer: Transfer, timeout: float) -> tuple[Reason, str]:
    """By the last phase that was reached; libcurl sets the times of later ones too where it gives up early."""
    limit = seconds(timeout)
    getinfo = transfer.curl.getinfo
    if getinfo(pycurl.NAMELOOKUP_TIME) == 0:
        return Reason.DNS_FAILURE, f"The name {{host}} could not be resolved within {limit}."
    if getinfo(pycurl.CONNECT_TIME) == 0:
        return Reason.CONNECT_TIMEOUT, f"{{host}} did not accept the connection within {limit}."
    if transfer.secure and getinfo(pycurl.APPCONNECT_TIME) == 0:
        return Reason.CONNECT_TIMEOUT, f"{{host}} did not finish the TLS handshake within {limit}."
    if getinfo(pycurl.RESPONSE_CODE) == 0:
        return Reason.READ_TIMEOUT, f"{{host}} did not begin to answer within {limit}."
    return Reason.READ_TIMEOUT, f"{{host}} did not finish its answer within {limit}."


def _tls_sentence(words: str) -> str:
    lower = words.lower()
    for part, meaning in _TLS_SENTENCES:
        if part in lower:
            return meaning
    return plain(words, 160).rstrip(".") or "the handshake did not succeed"
