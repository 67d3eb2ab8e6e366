"""The table of channels: one row per type of notification provider, read by every folder.

A new channel is a row here, `notifications/NAME.py` with its `send`, its config model and its form inputs in
`web/features/notification_providers/`, and `tests/notifications/test_NAME.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What Supercheck must know about one type of provider. Field names are those of the config on the wire."""

    label: str
    #: Name of the icon in Bootstrap Icons.
    icon: str
    #: Config fields that are encrypted at rest and masked in responses. Header values are always secret.
    secret_fields: tuple[str, ...]
    #: Default limit: as many messages a minute as the service accepts.
    messages_per_minute: int = 60
    #: The config field with the URL that the channel calls; None if it does not speak HTTP.
    url_field: str | None = "webhookUrl"
    #: The URL that is called if `url_field` is empty.
    default_url: str = ""
    #: The URL's host may be part of a credential: the guard checks it at delivery, and no message shows it.
    is_host_secret: bool = False
    #: An event receiver gets every event. All other channels are read by people, who get summaries.
    is_event_receiver: bool = False


#: Provider type -> its row, in the order in which pages list them.
CHANNELS: Mapping[str, Channel] = MappingProxyType(
    {
        "email": Channel(label="E-mail", icon="envelope", secret_fields=("password",), url_field=None),
        "slack": Channel(label="Slack", icon="slack", secret_fields=("webhookUrl",)),
        "webhook": Channel(
            label="Webhook",
            icon="code-slash",
            secret_fields=("secret", "url"),
            messages_per_minute=3000,
            url_field="url",
            is_event_receiver=True,
        ),
        "telegram": Channel(
            label="Telegram",
            icon="telegram",
            secret_fields=("botToken",),
            messages_per_minute=20,
            url_field="apiBase",
            default_url="https://api.telegram.org",
        ),
        "discord": Channel(label="Discord", icon="discord", secret_fields=("webhookUrl",), messages_per_minute=30),
        "teams": Channel(label="Microsoft Teams", icon="microsoft-teams", secret_fields=("webhookUrl",)),
        "apprise": Channel(label="Apprise", icon="boxes", secret_fields=("url",), url_field="url", is_host_secret=True),
    }
)

#: Every config field that holds a URL which a channel calls.
URL_FIELDS: tuple[str, ...] = tuple(
    dict.fromkeys(channel.url_field for channel in CHANNELS.values() if channel.url_field is not None)
)
#: The types that get every event instead of summaries.
EVENT_RECEIVERS: frozenset[str] = frozenset(name for name, channel in CHANNELS.items() if channel.is_event_receiver)
