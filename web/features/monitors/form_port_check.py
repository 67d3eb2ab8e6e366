"""The inputs of a port monitor."""

from typing import Any

from web.features.monitors.form_http_request import IP_VERSIONS
from web.ui.fields import Choice, Escaped, Number

TARGET = {"label": "Host", "placeholder": "example.com or 203.0.113.7", "type": "text", "hint": ""}
_ESCAPES = r"Write \r\n for a line break, \t for a tab, \\ for a backslash."
FIELDS: dict[str, Any] = {
    "config.port": Number("Port"),
    "config.protocol": Choice("Protocol", choices=(("tcp", "TCP"), ("udp", "UDP"))),
    "config.send": Escaped("Send", description=f"Optional. Text to send after connecting. {_ESCAPES}"),
    "config.expect": Escaped(
        "Expect",
        description="Optional. Text that the response must contain. Without it, a UDP port that does not reply counts as up, unconfirmed. "
        + _ESCAPES,
    ),
    "config.ipVersion": Choice("Address family", choices=IP_VERSIONS),
}
