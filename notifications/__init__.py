"""Channels: a `Notice` in, one HTTP or SMTP call out."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from notifications.notice import Notice, NoticeChange, NoticeLocation, NoticeMonitor, NotificationError, Sender


def _channel(name: str) -> Sender:
    """The channel in the module `name`, loaded when it is first used: most processes never send anything."""

    def send(notice: Notice, config: Mapping[str, Any]) -> None:
        import_module(f"notifications.{name}").send(notice, config)

    return send


#: Provider type -> channel.
SENDERS: dict[str, Sender] = {
    name: _channel(name) for name in ("email", "slack", "webhook", "telegram", "discord", "teams", "apprise")
}

__all__ = ["SENDERS", "Notice", "NoticeChange", "NoticeLocation", "NoticeMonitor", "NotificationError", "Sender"]
