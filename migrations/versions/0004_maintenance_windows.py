"""maintenance windows

Revision: 0004, after 0003. The row of a window holds its current or next occurrence and the previous one, so that a
statement can check whether a monitor is in maintenance at a given time. `owing` and `hushed` record the alerts that were
suppressed. Running processes need not know the columns: each is nullable or has a default.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Give up after 5 s and let the operator repeat it: a lock that waits longer would queue every check behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in ("occurs_from", "occurs_until", "occurred_from", "occurred_until"):
        op.add_column("maintenance_windows", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "maintenance_windows",
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_maintenance_windows_scope"), "maintenance_windows", "monitor_id IS NULL OR tag IS NULL"
    )
    op.create_index(
        "ix_maintenance_windows_occurs",
        "maintenance_windows",
        ["occurs_from"],
        postgresql_where=sa.text("occurs_from IS NOT NULL"),
    )
    op.create_index(
        "ix_maintenance_windows_occurred",
        "maintenance_windows",
        ["occurred_until"],
        postgresql_where=sa.text("occurred_until IS NOT NULL"),
    )
    op.create_index(op.f("ix_maintenance_windows_monitor_id"), "maintenance_windows", ["monitor_id"])
    op.add_column("monitor_states", sa.Column("hushed", sa.Text(), server_default="", nullable=False))
    op.add_column("monitor_states", sa.Column("owing", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    # The index is empty at first, so it is built in a moment.
    op.create_index("ix_monitor_states_owing", "monitor_states", ["monitor_id"], postgresql_where=sa.text("owing"))
    op.add_column(
        "incidents", sa.Column("in_maintenance", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    # Marks a heartbeat ping that arrives in a window. Results of checks are marked by the statement that stores them
    # (models/queries/maintenance_windows.py), a hundred at a time.
    op.execute(
        """
        CREATE FUNCTION maintenance_mark(monitor uuid, moment timestamptz) RETURNS jsonb
        LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        BEGIN
            RETURN CASE WHEN EXISTS (
                SELECT FROM maintenance_windows w JOIN monitors m ON m.project_id = w.project_id
                    AND (w.monitor_id = m.id OR w.tag = ANY(m.tags) OR (w.monitor_id IS NULL AND w.tag IS NULL))
                WHERE m.id = monitor AND (w.occurs_from <= moment AND w.occurs_until > moment
                    OR w.occurred_from <= moment AND w.occurred_until > moment)
            ) THEN '{"maintenance": true}'::jsonb ELSE '{}'::jsonb END;
        END
        $$
        """
    )
