"""The inputs of a ping monitor."""

from typing import Any

from web.features.monitors.form_http_request import IP_VERSIONS
from web.ui.fields import Choice, Number

TARGET = {"label": "Host", "placeholder": "example.com or 203.0.113.7", "type": "text", "hint": ""}
FIELDS: dict[str, Any] = {
    "config.packetCount": Number("Packets"),
    "config.packetSize": Number("Packet size (bytes)"),
    "config.maxPacketLossPercent": Number(
        "Maximum packet loss (%)", description="With the default of 99, one reply is enough."
    ),
    "config.ipVersion": Choice("Address family", choices=IP_VERSIONS),
}
