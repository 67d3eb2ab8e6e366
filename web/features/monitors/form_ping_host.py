"""The inputs of a ping monitor."""

from typing import Any

from web.features.monitors.form_http_request import IP_VERSIONS
from web.ui.fields import Choice, Number

FIELDS: dict[str, Any] = {
    "config.packetCount": Number("Packets"),
    "config.packetSize": Number("Packet size (bytes)"),
    "config.maxPacketLossPercent": Number(
        "Maximum packet loss (%)", description="With the default of 99, one reply is enough."
    ),
    "config.ipVersion": Choice("Address family", choices=IP_VERSIONS),
}
