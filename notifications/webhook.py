"""Webhook: the whole notice as JSON for event receivers, signed if the provider has a secret."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from notifications.notice import Notice, NotificationError
from notifications.post import post

METHODS = ("POST", "PUT", "PATCH")
#: Accepts every header that can be saved (`check_header` in `web/features/monitors/config_schemas.py`).
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]{0,8192}")
#: Headers that users cannot set, because Supercheck or the HTTP library sets them.
_RESERVED = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "expect", "te", "trailer"}
)


def send(notice: Notice, config: Mapping[str, Any]) -> None:
    """Send `notice` to `url`; `method`, `headers`, `secret` are optional. Raise `NotificationError`."""
    method = str(config.get("method") or "POST").upper()
    if method not in METHODS:
        raise NotificationError(f"The method must be one of {', '.join(METHODS)}.", permanent=True)
    body = json.dumps(payload(notice), separators=(",", ":")).encode()
    headers = custom_headers(config.get("headers") or {}) | {
        "Content-Type": "application/json",
        "X-Supercheck-Event": notice.event,
        "X-Supercheck-Delivery": str(notice.delivery_id),
    }
    secret = str(config.get("secret") or "")
    if secret:
        headers["X-Supercheck-Signature"] = signature(secret, body)
    post(str(config.get("url") or ""), body, headers, method, secrets=[secret])


def signature(secret: str, body: bytes) -> str:
    """Return `sha256=` and the hex HMAC of `body`. Receivers should compare it in constant time."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def custom_headers(headers: Any) -> dict[str, str]:
    """Return the user's `headers`. Raise `NotificationError` with the name of a header that cannot be sent."""
    if not isinstance(headers, Mapping):
        raise NotificationError("The headers must be an object of names and values.", permanent=True)
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _RESERVED or name.lower().startswith("x-supercheck-"):
            raise NotificationError(f"The header {name[:60]!r} cannot be set.", permanent=True)
        if not _VALUE.fullmatch(str(value)):
            raise NotificationError(f"The value of the header {name} cannot be sent.", permanent=True)
    return {name: str(value).strip() for name, value in headers.items()}


def payload(notice: Notice) -> dict[str, Any]:
    """Return the body as the wire contract defines it; `certificate` is left out if the notice is not about one."""
    monitor = notice.monitor
    return {
        "event": notice.event,
        "alertId": str(notice.alert_id) if notice.alert_id else None,
        "deliveryId": str(notice.delivery_id),
        "sentAt": _time(notice.sent_at),
        "monitor": {
            "id": str(monitor.id),
            "name": monitor.name,
            "type": monitor.type,
            "target": monitor.target,
            "url": monitor.url,
        },
        "status": notice.status,
        "previousStatus": notice.previous_status,
        "reason": notice.reason,
        "errorCode": notice.error_code,
        "responseTimeMs": notice.response_time_ms,
        "checkedAt": _time(notice.checked_at),
        "consecutiveFailureCount": notice.consecutive_failure_count,
        "alertNumber": notice.alert_number,
        "locations": [
            {
                "location": result.location,
                "status": result.status,
                "responseTimeMs": result.response_time_ms,
                "error": result.error,
            }
            for result in notice.locations
        ],
        "downSince": _time(notice.down_since),
        "downForSeconds": notice.down_for_seconds,
        **({"endedAt": _time(notice.ended_at)} if notice.ended_at else {}),
        "customMessage": notice.custom_message,
        "project": notice.project,
        **({"certificate": dict(notice.certificate)} if notice.certificate else {}),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
