"""delivery: alert grouping, fallbacks, limits, attempts

Revision: 0005. New columns are empty or have a constant default, so no table is rewritten, and running processes need
not know them. Indexes are built concurrently.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

#: name -> (table, columns, condition)
INDEXES = {
    "ix_alerts_planned": ("alerts", "project_id, planned_at", ""),
    "ix_deliveries_provider": ("deliveries", "provider_id, created_at", ""),
    "ix_deliveries_failed": ("deliveries", "created_at", "status = 'failed'"),
}


def upgrade() -> None:
    # Give up after 5 s and let the operator repeat it: a lock that waits longer would queue every alert behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("notification_providers", sa.Column("max_per_minute", sa.Integer(), nullable=True))
    op.add_column("notification_providers", sa.Column("fallback_provider_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_notification_providers_fallback_provider_id"),
        "notification_providers",
        "notification_providers",
        ["fallback_provider_id"],
        ["id"],
        ondelete="SET NULL",
    )
    log = sa.Column("attempt_log", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    op.add_column("deliveries", log)
    op.add_column("deliveries", sa.Column("claimed_by", sa.Text(), nullable=True))
    op.add_column("deliveries", sa.Column("restarted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deliveries", sa.Column("fallback_for", sa.Uuid(), nullable=True))
    _create_summary_table()
    with op.get_context().autocommit_block():
        for name, (table, columns, condition) in INDEXES.items():
            # An interrupted run leaves an invalid index, which is rebuilt.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            where = f" WHERE {condition}" if condition else ""
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {table} ({columns}){where}")
        # The new index on provider and time replaces it.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_deliveries_provider_id")


def _create_summary_table() -> None:
    op.create_table(
        "storm_changes",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("collected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("summary_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_storm_changes_alert_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["notification_providers.id"],
            name=op.f("fk_storm_changes_provider_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["summary_id"], ["alerts.id"], name=op.f("fk_storm_changes_summary_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("alert_id", "provider_id", name=op.f("pk_storm_changes")),
    )
    op.create_index(op.f("ix_storm_changes_summary_id"), "storm_changes", ["summary_id"])
    op.create_index(
        "ix_storm_changes_open", "storm_changes", ["provider_id"], postgresql_where=sa.text("summary_id IS NULL")
    )
