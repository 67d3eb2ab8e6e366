"""Why TLS with a target failed, as a sentence for the operator of the target.

OpenSSL returns the result of the verification as a number (`X509_V_ERR_…`), and errors of the handshake too: an alert of
the other side is 1000 plus the number of the alert. OpenSSL's text is used if there is no sentence here.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from actors.probes.certificate import Certificate
from actors.probes.wording import plain

_EXPIRED = 10
_NO_ISSUER = "its issuer is not trusted, or an intermediate certificate is not sent"
_OTHER_NAME = "the certificate was issued for another name"
_NO_AUTHORITY = "an issuer in the certificate chain is not a certificate authority"
_WEAK_KEY = "its key is too weak"
_BAD_CHAIN = "its certificate chain breaks the rules for certificates"
_BAD_EXTENSION = "a certificate in its chain has an extension that is not supported"
_BAD_NAMES = "an issuer in the certificate chain must not issue certificates for this name"
_BY_VERIFY_RESULT = {
    2: _NO_ISSUER,
    4: "the signature of a certificate cannot be checked",
    6: "the key of an issuer in the certificate chain cannot be read",
    7: "the signature of a certificate is wrong",
    9: "the certificate is not valid yet",
    13: "the certificate has no readable start of its validity",
    14: "the certificate has no readable end of its validity",
    18: "the certificate is self-signed",
    19: "the certificate comes from an authority that is not trusted",
    20: _NO_ISSUER,
    21: _NO_ISSUER,
    22: "its certificate chain is too long",
    23: "the certificate was revoked",
    24: "the key of an issuer in the certificate chain cannot be read",
    25: "its certificate chain is longer than an issuer in it allows",
    26: "the certificate is not meant for servers",
    27: "the certificate comes from an authority that is not trusted for servers",
    28: "the certificate comes from an authority that is not trusted for servers",
    29: _BAD_CHAIN,
    30: _BAD_CHAIN,
    31: _BAD_CHAIN,
    32: _NO_AUTHORITY,
    34: _BAD_EXTENSION,
    37: _BAD_CHAIN,
    39: "the key of the certificate must not be used for signatures",
    41: _BAD_EXTENSION,
    42: _BAD_EXTENSION,
    45: _BAD_EXTENSION,
    47: _BAD_NAMES,
    48: _BAD_NAMES,
    49: _BAD_NAMES,
    51: _BAD_NAMES,
    52: _BAD_NAMES,
    53: _BAD_NAMES,
    55: _BAD_CHAIN,
    62: _OTHER_NAME,
    64: _OTHER_NAME,
    66: _WEAK_KEY,
    67: "the key of an issuer in its certificate chain is too weak",
    68: "a signature in its certificate chain uses a hash that is too weak",
    76: _BAD_CHAIN,
    77: _BAD_CHAIN,
    78: _BAD_CHAIN,
    79: _NO_AUTHORITY,
}
WANTS_CERTIFICATE = "it demands a client certificate, which a check does not have"
_BY_ALERT = {
    0: "it ended the handshake",
    10: "it did not expect our message",
    20: "it received a damaged message",
    22: "it received a message that is too long for it",
    # In TLS 1.2 both have the same alert.
    40: "it refused the handshake: it accepts none of our TLS ciphers, or demands a client certificate",
    41: WANTS_CERTIFICATE,
    42: WANTS_CERTIFICATE,
    43: WANTS_CERTIFICATE,
    44: WANTS_CERTIFICATE,
    45: WANTS_CERTIFICATE,
    46: WANTS_CERTIFICATE,
    47: "it refused the handshake as invalid",
    48: WANTS_CERTIFICATE,
    49: "it does not let this client in (alert “access denied”)",
    50: "it could not read our message",
    51: "it could not verify a signature or decrypt a message",
    70: "it accepts none of our TLS versions",
    71: "it demands stronger TLS ciphers than ours",
    80: "it had an internal error",
    86: "it offers a higher TLS version than it was asked for",
    90: "it cancelled the handshake",
    109: "it misses an extension in our handshake",
    110: "it does not support an extension of our handshake",
    112: "it does not serve this host name",
    116: WANTS_CERTIFICATE,
    120: "it speaks neither HTTP/1.1 nor HTTP/2",
}
# Part of the words of OpenSSL or libcurl, in lower case -> what it means for the operator of the target.
_BY_WORDS = (
    ("subject name", _OTHER_NAME),
    ("does not match", _OTHER_NAME),
    # libcurl's words for an alert of the other side that says “certificate expired”, too.
    ("certificate verification failed", "the verification of a certificate failed"),
    ("common name", "the certificate names no host"),
    ("wrong version number", "the port does not speak TLS"),
    ("packet length too long", "the port does not speak TLS"),
    ("bad record type", "the port does not speak TLS"),
    ("http request", "the port does not speak TLS"),
    ("unsupported protocol", "it offers only TLS versions that are no longer safe"),
    ("no protocols available", "it accepts none of our TLS versions"),
    ("protocol version", "it accepts none of our TLS versions"),
    ("unsafe legacy renegotiation", "its TLS library lacks secure renegotiation, which is no longer safe"),
    ("dh key too small", "its Diffie-Hellman key is too weak"),
    ("ee key too small", _WEAK_KEY),
    ("ca key too small", "the key of an issuer in its certificate chain is too weak"),
    ("md too weak", "a signature in its certificate chain uses a hash that is too weak"),
    ("too small", _WEAK_KEY),
    ("too weak", _WEAK_KEY),
    ("bad signature", "the signature of its handshake is wrong"),
    ("wrong signature", "it signs with a method that is no longer safe"),
    ("cipher returned", "it chose a TLS cipher that was not offered"),
)
_ERROR_NUMBER = re.compile(r"error:0A([0-9A-F]{6}):", re.IGNORECASE)
# OpenSSL's number for an alert of the other side is this plus the alert's own.
_FIRST_ALERT, _LAST_ALERT = 1000, 1255


def alert(words: str) -> int | None:
    """Return the number of the TLS alert that libcurl's `words` tell of, None if they tell of none."""
    found = _ERROR_NUMBER.search(words)
    number = int(found[1], 16) if found else 0
    return number - _FIRST_ALERT if _FIRST_ALERT <= number <= _LAST_ALERT else None


def sentence(verify_result: int, words: str, sent: Sequence[Certificate], now: datetime) -> str:
    """Return why the handshake failed, as the end of a sentence; `sent` are the certificates that the target sent."""
    if verify_result == _EXPIRED:
        return _expired(sent, now)
    if verify_result in _BY_VERIFY_RESULT:
        return _BY_VERIFY_RESULT[verify_result]
    number = alert(words)
    if number is not None:
        return _BY_ALERT.get(number) or f"it refused the handshake with TLS alert {number}"
    lower = words.lower()
    for part, meaning in _BY_WORDS:
        if part in lower:
            return meaning
    said = plain(words.rpartition("::")[2] or words, 160).rstrip(".")
    return f"OpenSSL says “{said}”" if said else "the handshake did not succeed"


def _expired(sent: Sequence[Certificate], now: datetime) -> str:
    """Return which certificate has expired: the target's own, one that it sends along, or one of this machine."""
    ended = [one for one in sent if one.valid_to <= now]
    if not sent or sent[0] in ended:
        return "the certificate has expired"
    if ended:
        return f"the intermediate certificate {plain(ended[0].subject, 100)} expired on {ended[0].valid_to:%Y-%m-%d}"
    return "the certificate of the authority behind its own has expired"
