"""/api/sessions: the caller's signed-in browsers."""

from uuid import UUID

from models.tables import UserSession
from web.api.pagination import Page, PageQuery, page_of
from web.api.route import route
from web.features.account.schemas import SessionOut
from web.http import sessions
from web.http.auth import Caller
from web.http.errors import Problem, not_found
from web.services import audit_events

SESSIONS = "Sessions"


@route(
    "GET", "/sessions", tag=SESSIONS, summary="List your signed-in browsers", query=PageQuery, answers=Page[SessionOut]
)
def list_sessions(caller: Caller, query: PageQuery) -> Page[SessionOut]:
    found = sessions.of(caller.user_id) if caller.user_id else ()
    shown = [_session(row) for row in found[query.offset : query.offset + query.limit]]
    return page_of(shown, query, len(found))


def _session(row: UserSession) -> SessionOut:
    return SessionOut(
        id=row.id,
        ip=row.ip,
        user_agent=row.user_agent,
        current=row.id == sessions.present_id(),
        created_at=row.created_at,
        last_seen_at=row.seen_at,
    )


@route("DELETE", "/sessions/<uuid:session_id>", tag=SESSIONS, summary="End one of your sessions", status=204)
def end_session(caller: Caller, session_id: UUID) -> None:
    if caller.user_id is None:
        raise Problem(403, "An API key has no sessions.")
    if not sessions.end_one(caller.user_id, session_id):
        raise not_found("session")
    audit_events.record_for_account(caller.user_id, "session.ended", actor=caller.user_id, session=str(session_id))
