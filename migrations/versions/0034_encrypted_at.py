"""encrypted at

Revision: 0034. `secrets_sealed_at` becomes `secrets_encrypted_at`. The rename changes the catalogue only; no row is
rewritten. Processes of the previous version must be restarted after it.
"""

from alembic import op

revision = "0034"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLES = ("monitors", "notification_providers", "variables")


def upgrade() -> None:
    # Give up after 5 s and let the operator repeat it: a lock that waits longer would queue every check behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in TABLES:
        op.alter_column(table, "secrets_sealed_at", new_column_name="secrets_encrypted_at")
