"""monitors of windows

Revision: 0022. A maintenance window may be for several monitors: a table lists them. `monitor_id` stays, because processes
of the release before read and write it; the condition in `maintenance_mark` (models/rules/coverage.py has it for all other
statements) understands their rows as well. It touches the windows only; what runs at the same time may go on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0018"
branch_labels = None
depends_on = None

FILL = """
INSERT INTO maintenance_window_monitors (window_id, monitor_id)
SELECT id, monitor_id FROM maintenance_windows WHERE monitor_id IS NOT NULL
ON CONFLICT DO NOTHING
"""
MARK = "UPDATE maintenance_windows SET listed = true WHERE monitor_id IS NOT NULL"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "maintenance_window_monitors",
        sa.Column("window_id", sa.Uuid(), nullable=False),
        sa.Column("monitor_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["window_id"],
            ["maintenance_windows.id"],
            name=op.f("fk_maintenance_window_monitors_window_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["monitor_id"],
            ["monitors.id"],
            name=op.f("fk_maintenance_window_monitors_monitor_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("window_id", "monitor_id", name=op.f("pk_maintenance_window_monitors")),
    )
    op.create_index(op.f("ix_maintenance_window_monitors_monitor_id"), "maintenance_window_monitors", ["monitor_id"])
    op.add_column(
        "maintenance_windows", sa.Column("listed", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.execute(FILL)
    op.execute(MARK)
    op.execute(
        """
        CREATE OR REPLACE FUNCTION maintenance_mark(monitor uuid, moment timestamptz) RETURNS jsonb
        LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        BEGIN
            RETURN CASE WHEN EXISTS (
                SELECT FROM maintenance_windows w JOIN monitors m ON w.project_id = m.project_id
                    AND CASE WHEN w.tag IS NOT NULL THEN w.tag = ANY(m.tags)
                        WHEN w.listed THEN EXISTS (SELECT FROM maintenance_window_monitors list
                            WHERE list.window_id = w.id AND list.monitor_id = m.id)
                        ELSE w.monitor_id IS NULL OR w.monitor_id = m.id END
                WHERE m.id = monitor AND (w.occurs_from <= moment AND w.occurs_until > moment
                    OR w.occurred_from <= moment AND w.occurred_until > moment)
            ) THEN '{"maintenance": true}'::jsonb ELSE '{}'::jsonb END;
        END
        $$
        """
    )
