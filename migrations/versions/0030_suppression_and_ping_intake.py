"""suppression and ping intake

Revision: 0030. Renames only: `monitor_states.hushed` to `suppressed_by`, `owing` to `pending_alert`, and the table `attendance`
to `ping_intake`. Each rename takes an exclusive lock for a moment and rewrites no row.
"""

from alembic import op

revision = "0030"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.alter_column("monitor_states", "hushed", new_column_name="suppressed_by")
    op.alter_column("monitor_states", "owing", new_column_name="pending_alert")
    op.execute("ALTER INDEX ix_monitor_states_owing RENAME TO ix_monitor_states_pending_alert")
    op.rename_table("attendance", "ping_intake")
    op.execute("ALTER TABLE ping_intake RENAME CONSTRAINT pk_attendance TO pk_ping_intake")
