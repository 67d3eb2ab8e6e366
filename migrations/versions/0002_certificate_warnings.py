"""certificate warnings

Revision: 0002, after 0001. A new table, which running processes do not know.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The foreign key needs a short lock on `monitors`.
    # Give up after 5 s and let the operator repeat it: a lock that waits longer would queue every check behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "certificate_warnings",
        sa.Column("monitor_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint_sha256", sa.Text(), nullable=False),
        sa.Column("threshold_days", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["monitor_id"], ["monitors.id"], name=op.f("fk_certificate_warnings_monitor_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "monitor_id", "fingerprint_sha256", "threshold_days", name=op.f("pk_certificate_warnings")
        ),
    )
