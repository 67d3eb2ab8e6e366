"""Monitors in the API: requests and responses."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, WithJsonSchema, field_validator

from check_types import CHECK_TYPES
from web.api.pagination import PageQuery
from web.api.schema import CredentialsOut, FieldWarning, In, Name, Out, Time, TimeZone
from web.features.monitors.config_schemas import CONFIGS, LocationConfig
from web.features.results.schemas import ResultOut

MAX_TAGS = 30
if TYPE_CHECKING:
    Type = str
else:
    Type = Literal[tuple(CHECK_TYPES)]
Status = Literal["pending", "up", "down", "error", "paused", "maintenance"]
#: What clients may also write for a type.
ALIASES = {row.alias: str(kind) for kind, row in CHECK_TYPES.items() if row.alias}
_TYPES = sorted({*CONFIGS, *ALIASES})

#: The model of the monitor's type validates this object.
Config = Annotated[
    dict[str, Any],
    WithJsonSchema({"anyOf": [{"$ref": f"#/components/schemas/{model.__name__}"} for model in CONFIGS.values()]}),
]
Tag = Annotated[str, Field(min_length=1, max_length=50)]


def clean_tag(tag: str) -> str:
    """Return `tag` without spaces at its ends. Raise `ValueError` if it is empty or contains a comma."""
    tag = tag.strip()
    if not tag or "," in tag or not tag.isprintable():
        raise ValueError("A tag has 1 to 50 characters and no comma.")
    return tag


class AlertConfig(In):
    """When to send alerts, to whom, and after how many rounds."""

    enabled: bool = True
    alert_on_failure: bool = True
    alert_on_recovery: bool = True
    alert_on_ssl_expiration: bool = True
    failure_threshold: int = Field(default=1, ge=1, le=20)
    recovery_threshold: int = Field(default=1, ge=1, le=20)
    custom_message: str = Field(default="", max_length=1000)
    notification_providers: list[UUID] = Field(default_factory=list, max_length=50)


class MonitorIn(In):
    """A monitor in a request. Read-only fields are ignored, so that a response can be sent back as a request."""

    #: Fields that only responses have.
    READ_ONLY: ClassVar[frozenset[str]] = frozenset(
        [
            "id",
            "status",
            "lastCheckAt",
            "lastStatusChangeAt",
            "nextRunAt",
            "scheduledJobId",
            "createdAt",
            "updatedAt",
            "heartbeatUrl",
            "recentResults",
            "credentials",
            "warnings",
        ]
    )

    name: Name
    description: str = Field(default="", max_length=5000)
    type: Annotated[str, WithJsonSchema({"type": "string", "enum": _TYPES})]
    target: str = Field(default="", max_length=2048)
    frequency_minutes: float | None = Field(default=None, gt=0, le=366 * 1440)
    cron_expression: str | None = Field(default=None, max_length=200)
    timezone: TimeZone = "UTC"
    enabled: bool = True
    config: Config = Field(default_factory=dict)
    alert_config: AlertConfig = Field(default_factory=AlertConfig)
    tags: list[Tag] = Field(default_factory=list, max_length=MAX_TAGS)
    muted_until: Time | None = None
    #: An alternative place for `config.locationConfig`, where it is stored and returned.
    location_config: LocationConfig | None = None

    @field_validator("type")
    @classmethod
    def _full_word(cls, word: str) -> str:
        word = ALIASES.get(word, word)
        if word not in CONFIGS:
            raise ValueError(f"Must be one of: {', '.join(CONFIGS)}.")
        return word

    @field_validator("tags")
    @classmethod
    def _tidy(cls, tags: list[str]) -> list[str]:
        return list(dict.fromkeys(clean_tag(tag) for tag in tags))

    @field_validator("target")
    @classmethod
    def _without_blanks(cls, target: str) -> str:
        return target.strip()


class AlertConfigOut(Out):
    enabled: bool
    alert_on_failure: bool
    alert_on_recovery: bool
    alert_on_ssl_expiration: bool
    failure_threshold: int
    recovery_threshold: int
    custom_message: str
    notification_providers: list[UUID]


class MonitorOut(Out):
    """A monitor and its state. Secrets in `config` are masked."""

    id: UUID
    name: str
    description: str
    type: Type
    target: str
    frequency_minutes: int | float | None
    cron_expression: str | None
    timezone: str
    enabled: bool
    status: Status
    config: Config
    alert_config: AlertConfigOut
    tags: list[str]
    last_check_at: datetime | None
    last_status_change_at: datetime | None
    next_run_at: datetime | None
    scheduled_job_id: str | None
    muted_until: datetime | None
    created_at: datetime
    updated_at: datetime
    #: Null if the monitor has no secrets.
    credentials: CredentialsOut | None
    #: Only in responses to POST, PUT and PATCH.
    warnings: list[FieldWarning] = Field(default_factory=list)


class HeartbeatMonitorOut(MonitorOut):
    """A heartbeat monitor for callers who may edit it: its URL contains the secret token."""

    heartbeat_url: str


class MonitorDetailOut(MonitorOut):
    """One monitor with its latest 50 results."""

    heartbeat_url: str | None = Field(default=None, exclude_if=lambda url: url is None)
    recent_results: list[ResultOut]


class MonitorsQuery(PageQuery):
    """Filters: `q` searches name, target, description and tags.

    `notifies=nobody`: monitors that are checked with alerts on and have no enabled provider. `notifiesOnly`: those that
    have no enabled provider besides this one.
    """

    q: str | None = Field(default=None, max_length=255)
    type: str | None = None
    status: Status | None = None
    tag: str | None = Field(default=None, max_length=50)
    enabled: bool | None = None
    notifies: Literal["nobody"] | None = None
    notifies_only: UUID | None = None

    @field_validator("type")
    @classmethod
    def _full_word(cls, word: str | None) -> str | None:
        word = ALIASES.get(word or "", word)
        if word is not None and word not in CONFIGS:
            raise ValueError(f"Must be one of: {', '.join(CONFIGS)}.")
        return word


class RunOut(Out):
    """The id of the round, which its results have too."""

    execution_group_id: UUID


class NotifyIn(In):
    """A manual alert to the monitor's providers."""

    status: Literal["up", "down"]
    message: str = Field(default="", max_length=1000)


class NotifyOut(Out):
    alert_id: UUID


class BulkIn(In):
    """One action on many monitors. `addTag` and `removeTag` require `tag`."""

    ids: list[str] = Field(min_length=1, max_length=1000)
    action: Literal["pause", "resume", "delete", "run", "addTag", "removeTag"]
    tag: Tag | None = None


class BulkOut(Out):
    """The monitors that were changed, and {id: reason} of the others."""

    done: list[str]
    failed: dict[str, str]
