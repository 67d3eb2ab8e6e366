"""accounts: sessions as rows, passwords chosen by others

Revision: 0015. A new table and new columns with constant defaults: no table is rewritten, and processes of the previous
version can run during the upgrade. Users must sign in again. Stored hashes of repeated requests are removed: they were
plain hashes of bodies that may contain passwords. The index is built concurrently.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "users", sa.Column("must_change_password", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("users", sa.Column("prepared_by", sa.Uuid(), nullable=True))
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_sessions_token_hash")),
    )
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"])
    op.execute("DELETE FROM idempotency_keys")
    with op.get_context().autocommit_block():
        # An interrupted run leaves an invalid index.
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_audit_events_organization")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_audit_events_organization ON audit_events (organization_id, created_at DESC)"
        )
