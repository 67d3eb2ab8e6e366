"""Taking secrets out of texts that others wrote: in every spelling in which an answer may repeat what it was told."""

import base64
import html
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote

#: Names of headers, parameters and fields whose values are credentials. The second line has short words that are
#: credentials only as a whole part of a name: `X-PIN` is one, `X-Pinned` is not.
CREDENTIAL_NAME = re.compile(
    r"auth|cookie|key|token|secret|session|signature|credential|passw|passcode|passphrase|jwt|assertion|saml|bearer"
    r"|hmac|csrf|xsrf|(?:access|pass|security|verification|invite|activation)[-_ ]?code"
    r"|(?:^|[-_.])(?:pin|pass|pwd|pw|otp|totp|sid|sig|psk|pat|code|ticket|nonce|licen[cs]e)(?:$|[-_.])",
    re.IGNORECASE,
)
HIDDEN = "…"
#: What is shorter is found everywhere: taking it out would tell more than it hides.
SHORTEST = 4


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` with an ellipsis for every one of `secrets`, however it is spelled there.

    Of a secret that was cut, at the end of `text` or at the last ellipsis in it, what is left goes as well.
    """
    spelled = sorted({one for secret in secrets for one in spellings(secret)}, key=len, reverse=True)
    for one in spelled:
        text = text.replace(one, HIDDEN)
    if not spelled:
        return text
    head, mark, tail = text.rpartition(HIDDEN)
    return _uncut(head, spelled) + mark + _uncut(tail, spelled)


def _uncut(text: str, spelled: list[str]) -> str:
    """`text` without the beginning of a secret at its end. Looks only where one may begin: the text is hostile."""
    for one in spelled:
        begin = one[:SHORTEST]
        at = text.find(begin, max(0, len(text) - len(one)))
        while at >= 0:
            if one.startswith(text[at:]):
                return text[:at] + HIDDEN
            at = text.find(begin, at + 1)
    return text


@lru_cache(maxsize=512)
def spellings(secret: str) -> frozenset[str]:
    """`secret` as it is, for URLs, for HTML, for JSON, in hexadecimal, and in base64 whatever stands before it."""
    if len(secret) < SHORTEST:
        return frozenset()
    found = {secret, unquote(secret), quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
    found |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    plain = secret.encode("utf-8", "surrogatepass")
    found |= {plain.hex(), plain.hex().upper()}
    found |= {base64.b64encode(plain).decode(), base64.urlsafe_b64encode(plain).decode().rstrip("=")}
    for before in range(3):
        # Only whole groups of three bytes: at the ends base64 mixes in what the neighbours are.
        lost = (3 - before) % 3
        core = plain[lost : lost + (len(plain) - lost) // 3 * 3]
        found.add(base64.b64encode(core).decode())
    return frozenset(one for one in found if len(one) >= SHORTEST)
