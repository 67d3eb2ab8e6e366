"""Notification providers on the wire: what may stand in the config of each type."""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator

import host_names
from channels import CHANNELS
from web.api.pagination import PageQuery
from web.api.schema import CredentialsOut, FieldWarning, In, Name, Out
from web.features.monitors.config_schemas import check_header

if TYPE_CHECKING:
    ProviderType = str
else:
    ProviderType = Literal[tuple(CHANNELS)]
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f]*")
_USER = re.compile(r"[^@\s\x00-\x1f\x7f<>\"(),:;\\]{1,64}")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def _has_domain_form(domain: str) -> bool:
    try:
        return _DOMAIN.fullmatch(host_names.to_ascii(domain)) is not None
    except UnicodeError:
        return False


def clean_email(address: str) -> str:
    """`address` in its usual form. Raises `ValueError`; only the form counts, internal domains are fine."""
    try:
        found = validate_email(address.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        # Reserved, one-word and emoji domains have the form, too: user@mail, user@host.local.
        user, _, domain = address.strip().rpartition("@")
        if _USER.fullmatch(user) and _has_domain_form(domain):
            return address.strip()
        raise ValueError("Not an e-mail address.") from None
    return found.normalized


def _web_url(url: str) -> str:
    from web.features.monitors.targets import host_of_url

    host_of_url(url, user_info=True)
    return url


def _one_line(text: str) -> str:
    if not _ONE_LINE.fullmatch(text):
        raise ValueError("Must not contain line breaks or other control characters.")
    return text.strip()


def _bot_token(text: str) -> str:
    # It becomes part of a path; checked here and not in the schema, which holds for masked tokens, too.
    if not re.fullmatch(r"[A-Za-z0-9:_-]+", text):
        raise ValueError("Not a bot token: BotFather gives one such as 123456:ABC-DEF.")
    return text


def _id_to_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Email = Annotated[str, Field(max_length=320), AfterValidator(clean_email)]
Url = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(_web_url)]
BotToken = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_bot_token)]
Line = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_one_line)]


class SlackConfig(In):
    webhook_url: Url


class DiscordConfig(In):
    webhook_url: Url


class TeamsConfig(In):
    webhook_url: Url


class WebhookConfig(In):
    """With a `secret`, every message is signed."""

    url: Url
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: dict[str, str] = Field(default_factory=dict, max_length=50)
    secret: str | None = Field(default=None, min_length=1, max_length=1024)

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            check_header(name, value)
            if name.lower() in {"host", "content-type"} or name.lower().startswith("x-supercheck-"):
                raise ValueError(f"The header {name} is ours to set.")
        return headers


class EmailConfig(In):
    """Without `smtpHost` the operator's own server sends."""

    to: list[Email] = Field(min_length=1, max_length=50)
    smtp_host: Line | None = None
    smtp_port: int | None = Field(default=None, ge=1, le=65535)
    smtp_security: Literal["none", "starttls", "tls"] | None = None
    username: Line | None = None
    password: str | None = Field(default=None, max_length=1024)
    sender: Email | None = Field(default=None, alias="from")


class TelegramConfig(In):
    bot_token: BotToken
    chat_id: Annotated[Line, BeforeValidator(_id_to_text), WithJsonSchema({"type": ["string", "integer"]})]
    api_base: Url | None = None


class AppriseConfig(In):
    """Any service that Apprise knows, by its URL."""

    url: Line


CONFIGS: dict[str, type[In]] = {
    "email": EmailConfig,
    "slack": SlackConfig,
    "webhook": WebhookConfig,
    "telegram": TelegramConfig,
    "discord": DiscordConfig,
    "teams": TeamsConfig,
    "apprise": AppriseConfig,
}
Config = Annotated[
    dict[str, Any],
    WithJsonSchema({"anyOf": [{"$ref": f"#/components/schemas/{model.__name__}"} for model in CONFIGS.values()]}),
]


class ProviderIn(In):
    """A channel as it shall be. Fields that only answers have are accepted and ignored."""

    READ_ONLY: ClassVar[frozenset[str]] = frozenset(
        {"id", "health", "createdAt", "updatedAt", "credentials", "warnings"}
    )

    name: Name
    type: ProviderType
    enabled: bool = True
    config: Config
    max_per_minute: int | None = Field(
        default=None, ge=1, le=6000, description="Messages a minute; more of them wait. Null: what the type bears."
    )
    fallback_provider_id: UUID | None = Field(
        default=None,
        description="The project's provider that gets the message when this one fails permanently or for a long time.",
    )


class HealthPeriod(Out):
    """Deliveries that were made within a period. `successRate` is in percent, null where none has ended."""

    sent: int
    failed: int
    success_rate: float | None


class Health(Out):
    """The recent deliveries. `broken` means that the service refuses all messages until the config is corrected.

    `waiting` counts deliveries not tried yet, those over the provider's limit among them; `retrying` those that failed
    and are tried again.
    """

    status: Literal["unknown", "ok", "failing", "broken"]
    broken: bool
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    last_day: HealthPeriod
    last_week: HealthPeriod
    waiting: int
    retrying: int


class ProviderOut(Out):
    """A channel; secrets in `config` are masked."""

    id: UUID
    name: str
    type: ProviderType
    enabled: bool
    config: Config
    max_per_minute: int | None
    fallback_provider_id: UUID | None
    health: Health
    created_at: datetime
    updated_at: datetime
    #: Null where nothing is stored encrypted.
    credentials: CredentialsOut | None
    #: Only in the answers to POST, PUT and PATCH.
    warnings: list[FieldWarning] = Field(default_factory=list)


class ProvidersQuery(PageQuery):
    type: ProviderType | None = None


class UsedOut(Out):
    """How many monitors notify the provider that did not before."""

    added: int


class TestOut(Out):
    """What came of a test message."""

    success: bool
    error: str | None
    duration_ms: int
