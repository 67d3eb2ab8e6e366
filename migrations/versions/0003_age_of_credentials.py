"""age of credentials

Revision: 0003, after 0002. Columns without a default: the tables are not rewritten, and running processes need
not know them. Existing secrets have no times until they change.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("monitors", "notification_providers", "variables")


def upgrade() -> None:
    # Give up after 5 s and let the operator repeat it: a lock that waits longer would queue every check behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        for column in ("secrets_changed_at", "secrets_sealed_at"):
            op.add_column(table, sa.Column(column, sa.DateTime(timezone=True), nullable=True))
