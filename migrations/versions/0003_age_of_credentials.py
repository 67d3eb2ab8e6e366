"""age of credentials

Revision: 0003, after 0002. Columns without a default: the tables are not rewritten, and what runs meanwhile need not
know them. What was stored before stays without its times until it changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("monitors", "notification_providers", "variables")


def upgrade() -> None:
    # A short lock on tables that everybody reads: rather fail and be run again than make every check queue behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        for column in ("secrets_changed_at", "secrets_sealed_at"):
            op.add_column(table, sa.Column(column, sa.DateTime(timezone=True), nullable=True))
