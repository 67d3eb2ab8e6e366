"""The tables, as SQLAlchemy declares them: for pages, the API, migrations. The road of a check reads `models.queries`."""

from check_types import MonitorType
from models.tables.accounts import (
    ApiKey,
    AuditEvent,
    IdempotencyKey,
    Member,
    Organization,
    Project,
    Role,
    User,
    UserSession,
    Variable,
)
from models.tables.alerts import (
    Alert,
    CertificateWarning,
    Delivery,
    Incident,
    NotificationProvider,
    OperatorWarning,
    StormChange,
)
from models.tables.base import Base
from models.tables.monitors import (
    Location,
    MaintenanceWindow,
    Monitor,
    MonitorNotificationSetting,
    MonitorState,
    shown_status,
    shown_status_expression,
)
from models.tables.results import DailyRollup, HeartbeatPing, HourlyRollup, MonitorResult, PingIntake
from models.tables.runs import CleanupRun, Job, Run, Test

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
    "StormChange",
    "Test",
    "User",
    "UserSession",
    "Variable",
    "shown_status",
    "shown_status_expression",
]
