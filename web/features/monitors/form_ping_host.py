"""The inputs of a ping monitor."""

from typing import Any

from web.features.monitors.form_http_request import IP_VERSIONS
from web.ui.fields import Choice, Number

FIELDS: dict[str, Any] = {
    "config.packetCount": Number("Packets"),
    "config.packetSize": Number("Bytes in a packet"),
    "config.maxPacketLossPercent": Number(
        "Highest packet loss in percent", description="At the default of 99, one answer is enough."
    ),
    "config.ipVersion": Choice("Address family", choices=IP_VERSIONS),
}
