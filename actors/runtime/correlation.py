"""One correlation id from the request through all messages to the log lines."""

from typing import Any
from uuid import uuid4

import structlog
from dramatiq import Broker, Message, Middleware

_OPTION = "correlation_id"


def current() -> str:
    """Return the correlation id of the current context. Bind a new one if there is none."""
    bound = structlog.contextvars.get_contextvars().get(_OPTION)
    if bound is None:
        bound = uuid4().hex
        structlog.contextvars.bind_contextvars(**{_OPTION: bound})
    return str(bound)


class Correlation(Middleware):
    """Adds the correlation id to sent messages, and binds it while they are processed."""

    def before_enqueue(self, _broker: Broker, message: Message[Any], _delay: int | None) -> None:
        bound = structlog.contextvars.get_contextvars().get(_OPTION)
        if bound is not None:
            message.options.setdefault(_OPTION, bound)

    def before_process_message(self, _broker: Broker, message: Any) -> None:
        structlog.contextvars.clear_contextvars()
        bound = message.options.get(_OPTION)
        structlog.contextvars.bind_contextvars(actor=message.actor_name, **({_OPTION: bound} if bound else {}))
