"""places of deliveries

Revision: 0014. The new column is empty, so no table is rewritten, and what runs meanwhile need not know it. Indexes are
built beside the running system; both hold only what is under way.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0006"
branch_labels = None
depends_on = None

#: name -> (columns, condition), all of deliveries
INDEXES = {
    "ix_deliveries_claimed": ("provider_id", "claimed_by IS NOT NULL"),
    "ix_deliveries_waiting": ("provider_id, waits_since", "waits_since IS NOT NULL"),
}


def upgrade() -> None:
    # A short lock on a table that every alert needs: rather fail and be run again than make them queue behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("deliveries", sa.Column("waits_since", sa.DateTime(timezone=True), nullable=True))
    with op.get_context().autocommit_block():
        for name, (columns, condition) in INDEXES.items():
            # What an interrupted run has left is not valid, and is built again.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON deliveries ({columns}) WHERE {condition}")
