"""The OpenAPI description of the `details` of a result, which incidents store as evidence."""

from typing import Any

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}

_CERTIFICATE = {
    "type": "object",
    "description": "The certificate that expires first, of all that the check received.",
    "properties": {
        "validFrom": _TEXT,
        "validTo": _TEXT,
        "daysRemaining": _NUMBER,
        "issuer": _TEXT,
        "subject": _TEXT,
        "fingerprintSha256": _TEXT,
        "host": {
            "type": "string",
            "description": "The host that sent it. After redirects it may differ from the target.",
        },
        "isIntermediate": {
            "type": "boolean",
            "description": "Whether it is an intermediate certificate instead of the host's own.",
        },
    },
}

_EVIDENCE = {
    "type": "object",
    "description": (
        "Excerpts of a response that failed the check. The content is not trusted: show it as text, never as markup. "
        "The monitor's secrets, and headers that look like credentials, are removed."
    ),
    "properties": {
        "responseHeaders": {
            "type": "object",
            "description": "At most 40. Repeated headers are joined by commas.",
            "additionalProperties": _TEXT,
        },
        "bodyExcerpt": {"type": "string", "description": "The start of the body.", "maxLength": 2048},
        "certificateChain": {
            "type": "array",
            "description": "The target's own first.",
            "items": {"type": "object", "properties": {"subject": _TEXT, "issuer": _TEXT, "validTo": _TEXT}},
        },
    },
}

#: `details` of a result. Each check type has some of these fields, and may have more.
DETAILS: dict[str, Any] = {
    "description": "The measurements of the check. The fields depend on its type.",
    "properties": {
        "statusCode": {"type": "integer"},
        "timings": {
            "type": "object",
            "description": "Milliseconds. A phase that did not occur is absent.",
            "properties": dict.fromkeys(("dnsMs", "connectMs", "tlsMs", "firstByteMs", "downloadMs"), _NUMBER),
        },
        "resolvedIp": _TEXT,
        "redirects": {
            "type": "array",
            "items": {"type": "object", "properties": {"url": _TEXT, "statusCode": {"type": "integer"}}},
        },
        "sslCertificate": _CERTIFICATE,
        "evidence": _EVIDENCE,
        "packetLossPercent": _NUMBER,
        "rttMs": {"type": "object", "properties": dict.fromkeys(("min", "avg", "max"), _NUMBER)},
        "errorCode": {"type": "string", "description": "See docs/errors.md."},
        "errorMessage": _TEXT,
        "certainty": _TEXT,
        "source": {
            "type": "object",
            "description": "The client that sent a heartbeat's ping.",
            "properties": {name: {"type": ["string", "null"]} for name in ("ip", "userAgent", "origin", "method")},
        },
        "exitCode": {"type": ["integer", "null"]},
        "body": {
            "type": ["string", "null"],
            "description": "The first 8 kB and the last 2 kB of a heartbeat ping's body.",
        },
    },
}
