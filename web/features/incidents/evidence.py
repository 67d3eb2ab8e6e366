"""What a check found, described for the OpenAPI document: `details` of a result, and what an incident keeps of them."""

from typing import Any

_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}

_CERTIFICATE = {
    "type": "object",
    "description": "Of the certificates that the check came across, the one that ends first.",
    "properties": {
        "validFrom": _TEXT,
        "validTo": _TEXT,
        "daysRemaining": _NUMBER,
        "issuer": _TEXT,
        "subject": _TEXT,
        "fingerprintSha256": _TEXT,
        "host": {"type": "string", "description": "Who sent it: after redirects not always the host of the target."},
        "isIntermediate": {"type": "boolean", "description": "Whether it is not the host's own but one of its chain."},
    },
}

_EVIDENCE = {
    "type": "object",
    "description": (
        "What is kept of an answer that was not good enough. The target wrote it: show it as text, never as markup. "
        "The monitor's own secrets, and headers that look like credentials, are taken out."
    ),
    "properties": {
        "responseHeaders": {
            "type": "object",
            "description": "At most 40; repeated ones are joined by commas.",
            "additionalProperties": _TEXT,
        },
        "bodyExcerpt": {"type": "string", "description": "The beginning of the body.", "maxLength": 2048},
        "certificateChain": {
            "type": "array",
            "description": "The target's own first.",
            "items": {"type": "object", "properties": {"subject": _TEXT, "issuer": _TEXT, "validTo": _TEXT}},
        },
    },
}

#: `details` of a result. Each type of check has some of them; there may be more.
DETAILS: dict[str, Any] = {
    "description": "What was found, as far as the type of check has it.",
    "properties": {
        "statusCode": {"type": "integer"},
        "timings": {
            "type": "object",
            "description": "Milliseconds. A phase that did not take place is absent.",
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
            "description": "Who sent a heartbeat's ping.",
            "properties": {name: {"type": ["string", "null"]} for name in ("ip", "userAgent", "origin", "method")},
        },
        "exitCode": {"type": ["integer", "null"]},
        "body": {"type": ["string", "null"], "description": "The first 10 kB of a heartbeat ping's body."},
    },
}
