"""/api/audit: the audit trail."""

from models.tables import AuditEvent
from web.api.pagination import Page, page_of
from web.api.route import May, route
from web.features.audit import service as audit
from web.features.audit.schemas import AuditOut, AuditQuery
from web.features.audit.service import AuditFilter
from web.http import pagination
from web.http.auth import Caller
from web.http.extensions import db


@route(
    "GET",
    "/audit",
    tag="Audit",
    summary="List audit events, newest first",
    may=May.ADMINISTER,
    query=AuditQuery,
    answers=Page[AuditOut],
)
def list_audit(caller: Caller, query: AuditQuery) -> Page[AuditOut]:
    wanted = AuditFilter(**query.model_dump(exclude={"page", "limit"}))
    found = audit.events(caller, wanted)
    newest = found.limit(query.limit).offset(query.offset)
    shown = [_event(event, actor) for event, actor in db.session.execute(newest)]
    return page_of(shown, query, pagination.count(found))


def _event(event: AuditEvent, actor: str | None) -> AuditOut:
    return AuditOut(
        id=event.id,
        action=event.action,
        object_type=event.object_type,
        object_id=event.object_id,
        user_id=event.user_id,
        api_key_id=event.api_key_id,
        actor=actor,
        details=event.details,
        ip=event.ip,
        correlation_id=event.correlation_id,
        created_at=event.created_at,
    )
