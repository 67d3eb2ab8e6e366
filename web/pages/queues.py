"""How the queues of the installation stand, and what they gave up on: for those who run it."""

import redis
from flask import Blueprint, render_template

from web import queue_stats
from web.extensions import redis_client
from web.pages.access import organizer

blueprint = Blueprint("queues", __name__)
DEAD_LETTERS = 100


@blueprint.get("/queues")
def index() -> str:
    """The whole page; the figures come by live updates, and stand there at once where the broker answers."""
    organizer()
    try:
        client = redis_client()
        figures, dead = queue_stats.measure(client), queue_stats.dead_letters(client, DEAD_LETTERS)
    except redis.RedisError:
        return render_template("queues.html", away=True, figures=[], dead=[])
    return render_template("queues.html", away=False, figures=figures, dead=dead, most=DEAD_LETTERS)
