"""SMTP authentication. The standard library supports ASCII user names and passwords only."""

import base64
import binascii
import hmac
import smtplib
from collections.abc import Callable

from notifications.notice import NotificationError
from notifications.plain import line

ACCEPTED = frozenset({235, 503})  # 503: signed in already
_CONTINUE = 334


def sign_in(client: smtplib.SMTP, server: str, username: str, password: str) -> None:
    """Sign in as `username`, both in UTF-8 (RFC 4616), by the first method that works.

    `server` names the server in errors. Raise `NotificationError` if it offers no method of `METHODS`,
    `smtplib.SMTPAuthenticationError` with its last answer if it refuses all of them.
    """
    if "\0" in username or "\0" in password:
        raise NotificationError(
            "The user name or the password of the mail server contains a NUL character.", permanent=True
        )
    client.ehlo_or_helo_if_needed()
    offered = client.esmtp_features.get("auth", "").upper().split()
    usable = [method for method in METHODS if method in offered]
    if not usable:
        raise NotificationError(_why_not(server, offered), permanent=True)
    refusal: smtplib.SMTPAuthenticationError | None = None
    for method in usable:
        try:
            code, reply = METHODS[method](client, username.encode(), password.encode())
        except smtplib.SMTPServerDisconnected:
            # Some servers disconnect after a refusal. Report the refusal, not the closed connection.
            if refusal is None:
                raise
            break
        if code in ACCEPTED:
            return
        refusal = smtplib.SMTPAuthenticationError(code, reply)
    assert refusal is not None, "a method was tried"
    raise refusal


def _why_not(server: str, offered: list[str]) -> str:
    if not offered:
        return f"{server} does not offer authentication (AUTH). Many servers offer it only over TLS."
    methods = line(", ".join(sorted(set(offered))), 100)
    return f"{server} does not offer a supported authentication method. It offers {methods}; supported are {', '.join(METHODS)}."


def _cram_md5(client: smtplib.SMTP, username: bytes, password: bytes) -> tuple[int, bytes]:
    code, reply = client.docmd("AUTH", "CRAM-MD5")
    if code != _CONTINUE:
        return code, reply
    try:
        challenge = base64.b64decode(reply)
    except binascii.Error:
        client.docmd("*")  # cancels the exchange
        return 501, b"the CRAM-MD5 challenge is invalid"
    digest = hmac.new(password, challenge, "md5").hexdigest().encode()
    return client.docmd(_coded(username + b" " + digest))


def _plain(client: smtplib.SMTP, username: bytes, password: bytes) -> tuple[int, bytes]:
    code, reply = client.docmd("AUTH", "PLAIN " + _coded(b"\0" + username + b"\0" + password))
    if code == _CONTINUE:  # the server ignores the initial response in the command
        return client.docmd(_coded(b"\0" + username + b"\0" + password))
    return code, reply


def _login(client: smtplib.SMTP, username: bytes, password: bytes) -> tuple[int, bytes]:
    code, reply = client.docmd("AUTH", "LOGIN")
    if code == _CONTINUE:
        code, reply = client.docmd(_coded(username))
    if code == _CONTINUE:
        code, reply = client.docmd(_coded(password))
    return code, reply


def _coded(text: bytes) -> str:
    return base64.b64encode(text).decode("ascii")


#: The methods, in the order in which they are tried.
METHODS: dict[str, Callable[[smtplib.SMTP, bytes, bytes], tuple[int, bytes]]] = {
    "CRAM-MD5": _cram_md5,
    "PLAIN": _plain,
    "LOGIN": _login,
}
