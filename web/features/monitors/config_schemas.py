"""A monitor's `config`: one model per type, with its fields, limits and defaults.

The models dump camelCase names (`by_alias`): the table stores this form, and probes read it.
"""

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, field_validator, model_validator

from check_types import CHECK_TYPES, MonitorType
from web.api.schema import In, TimeZone

#: Headers that change the message's framing or apply to one connection only.
_HOP_BY_HOP = frozenset(
    [
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "http2-settings",
    ]
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_HEADERS = 50
_TEXT = 4096


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _number_to_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


IpVersion = Annotated[Literal["auto", "4", "6"], BeforeValidator(_number_to_text)]
Method = Annotated[Literal["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"], BeforeValidator(_upper)]


def _option(kind: MonitorType, name: str, **more: Any) -> Any:
    """Return the field of a config option, with its default and limits from the table of check types."""
    option = CHECK_TYPES[kind].options[name]
    return Field(default=option.default, ge=option.minimum, le=option.maximum, **more)


class LocationConfig(In):
    """The locations of a round and the rule of its verdict. If disabled, a round runs in the default location."""

    enabled: bool = False
    locations: list[str] = Field(default_factory=list, max_length=100)
    threshold: int = Field(default=50, ge=1, le=100)
    strategy: Literal["all", "majority", "any", "custom"] = "majority"

    @field_validator("locations")
    @classmethod
    def _once_each(cls, codes: list[str]) -> list[str]:
        return list(dict.fromkeys(codes))


class _AnyConfig(In):
    timeout_seconds: int = _option(MonitorType.HTTP_REQUEST, "timeoutSeconds")
    retries: int = _option(MonitorType.HTTP_REQUEST, "retries")


class _LocatedConfig(_AnyConfig):
    location_config: LocationConfig = Field(default_factory=LocationConfig)


class Auth(In):
    """The authentication of a request."""

    type: Literal["none", "basic", "bearer"] = "none"
    username: str | None = Field(default=None, max_length=1024)
    password: str | None = Field(default=None, max_length=_TEXT)
    token: str | None = Field(default=None, max_length=8192)

    @field_validator("username", "password", "token")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value is not None and _CONTROLS.search(value):
            raise ValueError("Must not contain line breaks or other control characters.")
        return value

    @model_validator(mode="after")
    def _complete(self) -> "Auth":
        if self.type == "basic" and not self.username:
            raise ValueError("Basic authentication requires a user name.")
        if self.type == "basic" and ":" in (self.username or ""):
            raise ValueError("A user name for basic authentication cannot contain a colon.")
        if self.type == "bearer" and not self.token:
            raise ValueError("Bearer authentication requires a token.")
        return self


class _HttpConfig(_LocatedConfig):
    expected_status_codes: str = _option(MonitorType.HTTP_REQUEST, "expectedStatusCodes", min_length=1, max_length=200)
    keyword_in_body: str | None = Field(default=None, max_length=_TEXT)
    keyword_in_body_should_be_present: bool = _option(MonitorType.HTTP_REQUEST, "keywordInBodyShouldBePresent")
    json_path: str | None = Field(default=None, max_length=1024)
    json_path_expected: Any = None
    auth: Auth = Field(default_factory=Auth)
    ssl_days_until_expiration_warning: int = _option(MonitorType.HTTP_REQUEST, "sslDaysUntilExpirationWarning")
    follow_redirects: bool = _option(MonitorType.HTTP_REQUEST, "followRedirects")
    max_redirects: int = _option(MonitorType.HTTP_REQUEST, "maxRedirects")
    #: A visit opens a connection of its own, and so does a check, unless this is set.
    reuse_connection: bool = _option(MonitorType.HTTP_REQUEST, "reuseConnection")
    verify_tls: bool = _option(MonitorType.HTTP_REQUEST, "verifyTls")
    max_response_time_ms: int | None = _option(MonitorType.HTTP_REQUEST, "maxResponseTimeMs")
    ip_version: IpVersion = _option(MonitorType.HTTP_REQUEST, "ipVersion")

    @field_validator("expected_status_codes")
    @classmethod
    def _readable_codes(cls, text: str) -> str:
        # Probes are imported on use, so that a web process that saves no monitor does not load them.
        from actors.probes import status_codes
        from actors.probes.invalid_config import InvalidConfig

        try:
            status_codes.parse(text)
        except InvalidConfig as error:
            raise ValueError(str(error)) from None
        return text

    @field_validator("json_path")
    @classmethod
    def _readable_path(cls, text: str | None) -> str | None:
        from actors.probes import json_path
        from actors.probes.invalid_config import InvalidConfig

        try:
            if text:
                json_path.compiled(text)
        except InvalidConfig as error:
            raise ValueError(str(error)) from None
        return text or None

    @field_validator("json_path_expected")
    @classmethod
    def _known_operator(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "op" not in value or not value.keys() <= {"op", "value"}:
            return value
        operators = ("eq", "ne", "gt", "gte", "lt", "lte", "contains", "matches", "exists")
        if value["op"] not in operators:
            raise ValueError(f"The op must be one of: {', '.join(operators)}.")
        if value["op"] == "matches":
            _check_pattern(value.get("value"))
        return value


def _check_pattern(value: object) -> None:
    from actors.probes.pattern import problem

    if not isinstance(value, str):
        raise ValueError("The value must be a regular expression.")
    if refused := problem(value):
        raise ValueError(refused)


class HttpRequestConfig(_HttpConfig):
    """`http_request`: a request with any method, headers and body."""

    method: Method = _option(MonitorType.HTTP_REQUEST, "method")
    headers: dict[str, str] = Field(default_factory=dict, max_length=_MAX_HEADERS)
    body: str | None = Field(default=None, max_length=256 * 1024)
    enable_ssl_check: bool = _option(MonitorType.HTTP_REQUEST, "enableSslCheck")

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            check_header(name, value)
        if len({name.lower() for name in headers}) != len(headers):
            raise ValueError("A header is named twice.")
        return headers


def check_header(name: str, value: str) -> None:
    """Raise `ValueError` if a request may not have this header. The message never contains the value."""
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError("A header's name may contain only letters, digits and hyphens.")
    if name.lower() in _HOP_BY_HOP:
        raise ValueError(f"The header {name} applies to the connection and cannot be set.")
    if _CONTROLS.search(value) or len(value) > 8192:
        raise ValueError(f"The value of {name} must be one line of at most 8192 characters.")


class WebsiteConfig(_HttpConfig):
    """`website`: always GET. The expiry of its certificate is checked."""

    enable_ssl_check: bool = _option(MonitorType.WEBSITE, "enableSslCheck")


class PingHostConfig(_LocatedConfig):
    """`ping_host`: ICMP echo."""

    packet_count: int = _option(MonitorType.PING_HOST, "packetCount")
    packet_size: int = _option(MonitorType.PING_HOST, "packetSize")
    max_packet_loss_percent: float = _option(MonitorType.PING_HOST, "maxPacketLossPercent", lt=100)
    ip_version: IpVersion = _option(MonitorType.HTTP_REQUEST, "ipVersion")


class PortCheckConfig(_LocatedConfig):
    """`port_check`: whether a port is open and, optionally, responds as expected."""

    port: int = Field(ge=1, le=65535)
    protocol: Literal["tcp", "udp"] = _option(MonitorType.PORT_CHECK, "protocol")
    send: str | None = Field(default=None, max_length=_TEXT)
    expect: str | None = Field(default=None, max_length=_TEXT)
    ip_version: IpVersion = _option(MonitorType.HTTP_REQUEST, "ipVersion")


class HeartbeatConfig(_AnyConfig):
    """`heartbeat`: how often a ping is expected. A cron expression replaces the interval."""

    expected_interval_minutes: float = _option(MonitorType.HEARTBEAT, "expectedIntervalMinutes")
    grace_period_minutes: float = _option(MonitorType.HEARTBEAT, "gracePeriodMinutes")
    cron_expression: str | None = Field(default=None, max_length=200)
    timezone: TimeZone = _option(MonitorType.HEARTBEAT, "timezone")
    max_run_minutes: float | None = Field(default=None, gt=0, le=366 * 1440)
    require_api_key: bool = _option(MonitorType.HEARTBEAT, "requireApiKey")
    expect_keyword: str | None = Field(default=None, max_length=1024)


class PlaywrightOptions(In):
    """How a browser test runs. `timeout` is in milliseconds."""

    headless: bool = True
    timeout: int = Field(default=120_000, ge=1000, le=3_600_000)
    retries: int = Field(default=0, ge=0, le=5)


class SyntheticTestConfig(_LocatedConfig):
    """`synthetic_test`: which stored browser test to run."""

    test_id: UUID
    test_title: str | None = Field(default=None, max_length=255)
    playwright_options: PlaywrightOptions = Field(default_factory=PlaywrightOptions)


CONFIGS: dict[str, type[_AnyConfig]] = {
    "http_request": HttpRequestConfig,
    "website": WebsiteConfig,
    "ping_host": PingHostConfig,
    "port_check": PortCheckConfig,
    "heartbeat": HeartbeatConfig,
    "synthetic_test": SyntheticTestConfig,
}
#: Keys of a config whose fields are merged in a change. Maps (headers) and lists are replaced.
RECORDS = frozenset({"auth", "locationConfig", "playwrightOptions"})
