"""/api/dead-messages: the messages that actors gave up on."""

from datetime import UTC, datetime

from web.api.pagination import Page, PageQuery, page_of
from web.api.route import May, route
from web.features.queues.schemas import DeadMessageOut
from web.http.auth import Caller
from web.http.extensions import redis_client
from web.live import queue_stats

#: Older dead messages are not listed. Dramatiq deletes them after a week.
MAX_DEAD_MESSAGES = 1000


@route(
    "GET",
    "/dead-messages",
    tag="Schedules",
    summary="List the messages that actors gave up on, the newest first",
    may=May.ORGANIZE,
    query=PageQuery,
    answers=Page[DeadMessageOut],
)
def list_dead_messages(caller: Caller, query: PageQuery) -> Page[DeadMessageOut]:  # noqa: ARG001 - the installation's
    found = queue_stats.dead_messages(redis_client(), MAX_DEAD_MESSAGES)
    now = datetime.now(UTC)
    shown = [
        DeadMessageOut(**one._asdict(), age_seconds=round(max(0.0, (now - one.died_at).total_seconds()), 1))
        for one in found[query.offset : query.offset + query.limit]
    ]
    return page_of(shown, query, len(found))
