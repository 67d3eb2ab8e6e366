"""/api/sessions: the browsers that the caller is signed in with."""

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
    shown = [_session(one) for one in found[query.offset : query.offset + query.limit]]
    return page_of(shown, query, len(found))


def _session(one: UserSession) -> SessionOut:
    return SessionOut(
        id=one.id,
        ip=one.ip,
        user_agent=one.user_agent,
        current=one.id == sessions.present_id(),
        created_at=one.created_at,
        last_seen_at=one.seen_at,
    )


@route("DELETE", "/sessions/<uuid:session_id>", tag=SESSIONS, summary="Sign one of your browsers out", status=204)
def end_session(caller: Caller, session_id: UUID) -> None:
    if caller.user_id is None:
        raise Problem(403, "An API key has no sessions.")
    if not sessions.end_one(caller.user_id, session_id):
        raise not_found("session")
    audit_events.record_for_account(caller.user_id, "session.ended", actor=caller.user_id, session=str(session_id))
