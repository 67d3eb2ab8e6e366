"""The check types: one row each, which probes, API, pages and notifications read.

A leaf that any folder may import. Probes and notifications may not import `models`, so the table is not there.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class MonitorType(StrEnum):
    """The check types as stored and as sent."""

    HTTP_REQUEST = "http_request"
    WEBSITE = "website"
    PING_HOST = "ping_host"
    PORT_CHECK = "port_check"
    HEARTBEAT = "heartbeat"
    SYNTHETIC_TEST = "synthetic_test"


class TargetForm(StrEnum):
    """What a monitor's target is."""

    URL = "url"
    HOST = "host"
    NONE = "none"


class Option(NamedTuple):
    """The default of a config option, and the limits of a number. `default` None means that the option is off."""

    default: Any
    minimum: float | None = None
    maximum: float | None = None


class CheckType(NamedTuple):
    """One check type.

    `alias` is another name that API clients may send. `options` has each config option that has a default or limits, by its
    name in the API. `placeholder` is an example of a target.
    """

    label: str
    icon: str
    sentence: str
    target: TargetForm
    uses_locations: bool
    options: Mapping[str, Option]
    placeholder: str = ""
    alias: str = ""


_COMMON = {"timeoutSeconds": Option(30, 5, 300), "retries": Option(0, 0, 5)}
_HTTP = _COMMON | {
    "expectedStatusCodes": Option("200-299"),
    "keywordInBodyShouldBePresent": Option(default=True),
    "sslDaysUntilExpirationWarning": Option(30, 1, 3650),
    "followRedirects": Option(default=True),
    "maxRedirects": Option(5, 0, 20),
    "reuseConnection": Option(default=False),
    "verifyTls": Option(default=True),
    "maxResponseTimeMs": Option(None, 1, 300_000),
    "ipVersion": Option("auto"),
}

CHECK_TYPES: dict[str, CheckType] = {
    MonitorType.HTTP_REQUEST: CheckType(
        label="HTTP request",
        icon="braces",
        sentence="An API or any URL: method, headers, expected response",
        target=TargetForm.URL,
        uses_locations=True,
        options=_HTTP | {"method": Option("GET"), "enableSslCheck": Option(default=False)},
        placeholder="https://example.com/health",
        alias="http",
    ),
    MonitorType.WEBSITE: CheckType(
        label="Website",
        icon="globe2",
        sentence="A page: status, keyword, certificate",
        target=TargetForm.URL,
        uses_locations=True,
        options=_HTTP | {"enableSslCheck": Option(default=True)},
        placeholder="https://example.com",
    ),
    MonitorType.PING_HOST: CheckType(
        label="Ping",
        icon="broadcast",
        sentence="A host, by ICMP ping",
        target=TargetForm.HOST,
        uses_locations=True,
        options=_COMMON
        | {
            "packetCount": Option(3, 1, 10),
            "packetSize": Option(56, 0, 1400),
            "maxPacketLossPercent": Option(99, 0),
            "ipVersion": Option("auto"),
        },
        placeholder="example.com or 203.0.113.7",
        alias="ping",
    ),
    MonitorType.PORT_CHECK: CheckType(
        label="Port",
        icon="hdd-network",
        sentence="A TCP or UDP port",
        target=TargetForm.HOST,
        uses_locations=True,
        options=_COMMON | {"protocol": Option("tcp"), "ipVersion": Option("auto")},
        placeholder="example.com or 203.0.113.7",
        alias="port",
    ),
    MonitorType.HEARTBEAT: CheckType(
        label="Heartbeat",
        icon="heart-pulse",
        sentence="A job that pings Supercheck when it is done",
        target=TargetForm.NONE,
        uses_locations=False,
        options=_COMMON
        | {
            "expectedIntervalMinutes": Option(60, 0, 366 * 1440),
            "gracePeriodMinutes": Option(10, 0, 366 * 1440),
            "timezone": Option("UTC"),
            "requireApiKey": Option(default=False),
        },
    ),
    MonitorType.SYNTHETIC_TEST: CheckType(
        label="Browser test",
        icon="window-stack",
        sentence="A browser that follows a recorded test",
        target=TargetForm.NONE,
        uses_locations=True,
        options=_COMMON,
        alias="synthetic",
    ),
}


def with_defaults(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return `config` with the defaults of `kind` for options that are absent or null."""
    options = CHECK_TYPES[kind].options
    given = {name: value for name, value in config.items() if value is not None}
    return {name: option.default for name, option in options.items() if option.default is not None} | given
