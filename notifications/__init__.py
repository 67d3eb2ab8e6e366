"""Channels: each sends a `Notice` with one HTTP or SMTP call."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from channels import CHANNELS
from notifications.notice import Notice, NoticeChange, NoticeLocation, NoticeMonitor, NotificationError, Sender


def _sender(name: str) -> Sender:
    """Return the sender of the module `name`, which is imported at its first use: most processes never send anything."""

    def send(notice: Notice, config: Mapping[str, Any]) -> None:
        import_module(f"notifications.{name}").send(notice, config)

    return send


#: Provider type -> its sender.
SENDERS: dict[str, Sender] = {name: _sender(name) for name in CHANNELS}

__all__ = ["SENDERS", "Notice", "NoticeChange", "NoticeLocation", "NoticeMonitor", "NotificationError", "Sender"]
