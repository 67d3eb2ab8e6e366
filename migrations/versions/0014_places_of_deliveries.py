"""deliveries: places, providers enabled again

Revision: 0014. The new columns are empty, so no table is rewritten, and running processes need not know them. Indexes are
built concurrently; each contains only rows in progress.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

#: name -> (table, columns, condition)
INDEXES = {
    "ix_deliveries_claimed": ("deliveries", "provider_id", "claimed_by IS NOT NULL"),
    "ix_deliveries_waiting": ("deliveries", "provider_id, waits_since", "waits_since IS NOT NULL"),
    "ix_notification_providers_resumed": ("notification_providers", "resumed_at", "resumed_at IS NOT NULL"),
}


def upgrade() -> None:
    # Give up after 5 s and let the operator repeat it: a lock that waits longer would queue every alert behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("deliveries", sa.Column("waits_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notification_providers", sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True))
    with op.get_context().autocommit_block():
        for name, (table, columns, condition) in INDEXES.items():
            # An interrupted run leaves an invalid index, which is rebuilt.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {table} ({columns}) WHERE {condition}")
