"""What lies in a queue, looked at without taking it."""

from typing import Any

from dramatiq import Message


def waiting(queue: str) -> list[Message[Any]]:
    """The messages of `queue` that are not taken yet, in their order."""
    from actors.broker import broker

    ids: Any = broker.client.lrange(f"{broker.namespace}:{queue}", 0, -1)
    bodies: Any = broker.client.hmget(f"{broker.namespace}:{queue}.msgs", ids) if ids else []
    return [Message.decode(body) for body in bodies if body is not None]
