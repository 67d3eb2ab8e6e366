"""Every page of the application: where the demonstration shows it, and what makes pages hard to lay out."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models.tables import ApiKey, Incident, Location, MaintenanceWindow, Member, NotificationProvider, Project
from tests import factories
from tests.browser.live import monitor
from web.http.extensions import db

LONG_NAME = "checkout-production-ap-south-1-service-0042 (payments, cards, refunds)"
RIGHT_TO_LEFT_NAME = "خدمة الدفع (production)"
LONG_TARGET = "https://www.example.com/search?" + "&".join(f"filter{n}=value-{n}" for n in range(80))
#: Endpoints that answer something else than a page.
NO_PAGES = frozenset(
    {"pages.changes.stream", "pages.maintenance.monitors", "pages.monitor_form.judge", "pages.pings.deadline"}
)


def project() -> Project:
    """The demonstration's project."""
    return db.session.query(Project).filter_by(name="Production").one()


def hard_cases() -> None:
    """Add long names, right-to-left names, many tags, a long URL, and one row of what the demonstration lacks."""
    shop, theirs = monitor("Shop, front page"), project()
    tags = ["payments-and-refunds", "production", "ap-south-1", "on-call-team-three", "tier-1"]
    for name in (LONG_NAME, RIGHT_TO_LEFT_NAME):
        state = {"status": "up", "last_verdict": "up", "last_check_at": datetime.now(UTC)}
        factories.a_monitor(theirs, "website", {}, state, name=name, target=LONG_TARGET, tags=tags)
    soon = datetime.now(UTC) + timedelta(hours=5)
    factories.a_window(theirs, soon, soon + timedelta(hours=2), name="Release of the shop")
    factories.an_api_key(theirs)
    factories.a_user(theirs, email="quite.a.long.name.of.a.person@subsidiary.example.com")
    refused = factories.an_alert(
        shop, db.session.query(NotificationProvider).first(), failure_sequence=9, status="failed"
    )
    refused.deliveries[0].status = "failed"
    refused.deliveries[0].error = "The server answered 410 Gone."
    db.session.commit()


def _one(table: Any, *conditions: Any) -> Any:
    return db.session.query(table).filter(*conditions).limit(1).one().id


def addresses() -> dict[str, tuple[str, ...]]:
    """By endpoint: where the demonstration with its `hard_cases` shows each page. None: only without a session."""
    website, port, heartbeat = (monitor(name).id for name in ("Shop, front page", "Mail relay", "Nightly backup"))
    down, blocked, long = (monitor(name).id for name in ("Payments API", "Metrics database", LONG_NAME))
    incident = _one(Incident, Incident.monitor_id == down, Incident.ended_at.is_(None))
    provider, window, key = _one(NotificationProvider), _one(MaintenanceWindow), _one(ApiKey)
    member = db.session.query(Member).filter(Member.project_id.isnot(None)).first().id  # type: ignore[union-attr]
    location = db.session.query(Location).filter(Location.code != "us-east").first().code  # type: ignore[union-attr]
    return {
        "account.index": ("/settings/account",),
        "alerts.index": ("/alerts", "/alerts?type=ssl_expiring"),
        "api_keys.index": ("/settings/api-keys",),
        "api_keys.confirm_revoke": (f"/settings/api-keys/{key}/revoke",),
        "audit.index": ("/settings/audit", "/settings/audit?machines=1"),
        "dashboard.index": ("/",),
        "first_password.index": (),
        "incidents.index": ("/incidents",),
        "incidents.story": (f"/incidents/{incident}",),
        "locations.index": ("/locations",),
        "locations.confirm_remove": (f"/locations/{location}/remove",),
        "maintenance.index": ("/maintenance",),
        "maintenance.new": ("/maintenance/new",),
        "maintenance.edit": (f"/maintenance/{window}",),
        "maintenance.confirm_delete": (f"/maintenance/{window}/delete",),
        "members.index": ("/settings/members",),
        "members.confirm_remove": (f"/settings/members/{member}/remove",),
        "monitor.index": (
            *(f"/monitors/{one}" for one in (website, port, heartbeat, down, blocked, long)),
            f"/monitors/{website}?period=week&view=data",
        ),
        "monitor_actions.confirm_delete": (f"/monitors/delete?ids={long}",),
        "monitor_form.new": tuple(
            f"/monitors/new?type={kind}" for kind in ("http_request", "website", "ping_host", "port_check", "heartbeat")
        ),
        "monitor_form.edit": (f"/monitors/{website}/edit",),
        "monitors.index": ("/monitors", "/monitors?q=nothing+like+this"),
        "projects.index": ("/settings/projects",),
        "providers.index": ("/notification-providers",),
        "providers.new": ("/notification-providers/new?type=webhook",),
        "providers.edit": (f"/notification-providers/{provider}",),
        "providers.confirm_delete": (f"/notification-providers/{provider}/delete",),
        "queues.index": ("/queues",),
        "schedules.index": ("/schedules",),
        "sign_in.login": (),
        "failed_deliveries.index": ("/alerts/undelivered",),
    }
