"""The queues of the installation and the messages that failed for good, for its operators."""

from typing import Any

import redis
from flask import Blueprint, Response, render_template

from web.http.extensions import redis_client
from web.live import queue_stats
from web.ui.access import organizer
from web.ui.parts import part

blueprint = Blueprint("queues", __name__)
MAX_DEAD_MESSAGES = 100


@blueprint.get("/queues")
def index() -> str:
    """Return the whole page."""
    organizer()
    return render_template("queues/queues.html", queues=_figures(), dead=_dead(), most=MAX_DEAD_MESSAGES)


@blueprint.get("/queues/partials/figures")
def figures() -> Response:
    """Return the table of queues, which the page renews every few seconds."""
    organizer()
    return part("queues/_queues.html", queues=_figures())


def _figures() -> list[dict[str, Any]] | None:
    """Return the figures of every queue; None if the broker does not answer."""
    try:
        return queue_stats.measure(redis_client())
    except redis.RedisError:
        return None


def _dead() -> list[queue_stats.DeadMessage] | None:
    """Return the newest messages that failed for good; None if the broker does not answer."""
    try:
        return queue_stats.dead_messages(redis_client(), MAX_DEAD_MESSAGES)
    except redis.RedisError:
        return None
