"""The inputs of a port monitor."""

from typing import Any

from web.features.monitors.form_http_request import IP_VERSIONS
from web.ui.fields import Choice, Escaped, Number

_ESCAPES = r"Write \r\n for a line end, \t for a tab, \\ for a backslash."
FIELDS: dict[str, Any] = {
    "config.port": Number("Port"),
    "config.protocol": Choice("Protocol", choices=(("tcp", "TCP"), ("udp", "UDP"))),
    "config.send": Escaped("Send", description=f"A text sent after connecting; empty: nothing. {_ESCAPES}"),
    "config.expect": Escaped(
        "Expect",
        description="A text that the answer must contain. Without it, UDP silence counts as up, unconfirmed. "
        + _ESCAPES,
    ),
    "config.ipVersion": Choice("Address family", choices=IP_VERSIONS),
}
