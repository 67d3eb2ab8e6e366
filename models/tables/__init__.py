"""The SQLAlchemy tables, for pages, the API and migrations. The check pipeline uses `models.queries`."""

from check_types import MonitorType
from models.tables.alerts import Alert, Delivery, SummaryItem
from models.tables.api_keys import ApiKey
from models.tables.audit_events import AuditEvent
from models.tables.base import Base
from models.tables.certificate_warnings import CertificateWarning
from models.tables.cleanup_runs import CleanupRun
from models.tables.heartbeat_pings import HeartbeatPing
from models.tables.idempotency_keys import IdempotencyKey
from models.tables.incidents import Incident
from models.tables.jobs import Job
from models.tables.locations import Location
from models.tables.members import Member, Role
from models.tables.monitors import (
    MaintenanceWindow,
    MaintenanceWindowMonitor,
    Monitor,
    MonitorNotificationSetting,
    MonitorState,
    shown_status,
    shown_status_expression,
)
from models.tables.notification_providers import NotificationProvider
from models.tables.operator_warnings import OperatorWarning
from models.tables.organizations import Organization
from models.tables.ping_intake import PingIntake
from models.tables.projects import Project
from models.tables.results import MonitorResult
from models.tables.rollups import DailyRollup, HourlyRollup
from models.tables.runs import Run
from models.tables.tests import Test
from models.tables.users import User, UserSession
from models.tables.variables import Variable

__all__ = [
    "Alert",
    "ApiKey",
    "AuditEvent",
    "Base",
    "CertificateWarning",
    "CleanupRun",
    "DailyRollup",
    "Delivery",
    "HeartbeatPing",
    "HourlyRollup",
    "IdempotencyKey",
    "Incident",
    "Job",
    "Location",
    "MaintenanceWindow",
    "MaintenanceWindowMonitor",
    "Member",
    "Monitor",
    "MonitorNotificationSetting",
    "MonitorResult",
    "MonitorState",
    "MonitorType",
    "NotificationProvider",
    "OperatorWarning",
    "Organization",
    "PingIntake",
    "Project",
    "Role",
    "Run",
    "SummaryItem",
    "Test",
    "User",
    "UserSession",
    "Variable",
    "shown_status",
    "shown_status_expression",
]
