"""The inputs of a port monitor."""

from typing import Any

from web.forms.fields import Choice, Exact, Number
from web.forms.http_request import IP_VERSIONS

TARGET = {"label": "Host", "placeholder": "example.com or 203.0.113.7", "type": "text", "hint": ""}
FIELDS: dict[str, Any] = {
    "config.port": Number("Port"),
    "config.protocol": Choice("Protocol", choices=(("tcp", "TCP"), ("udp", "UDP"))),
    "config.send": Exact("Send", description="A text sent after connecting; empty: nothing."),
    "config.expect": Exact(
        "Expect", description="A text that the answer must contain. Without it, UDP silence counts as up, unconfirmed."
    ),
    "config.ipVersion": Choice("Address family", choices=IP_VERSIONS),
}
