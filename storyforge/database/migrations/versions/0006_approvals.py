"""Jobs may wait for approval, and say what they wait for."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # a constant for the rows that are there; after that the code always says it
    for table in ("jobs", "scenes"):
        op.add_column(table, sa.Column("approval", sa.Text, nullable=True))
        op.execute(f"UPDATE {table} SET approval = 'none'")  # noqa: S608  two fixed names
        with op.batch_alter_table(table) as changed:
            changed.alter_column("approval", nullable=False, existing_type=sa.Text)
    op.add_column("jobs", sa.Column("wait_reason", sa.Text, nullable=True))
    op.execute(
        "UPDATE jobs SET wait_reason = CASE WHEN message LIKE 'Held%' "
        "THEN 'predecessor_failed' ELSE 'predecessor' END WHERE state = 'waiting'"
    )


def downgrade() -> None:
    op.drop_column("jobs", "wait_reason")
    op.drop_column("jobs", "approval")
    op.drop_column("scenes", "approval")
