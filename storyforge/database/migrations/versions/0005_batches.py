"""Jobs of one shape are claimed together; who is overtaken by that is counted."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("batch_key", sa.Text, nullable=True))
    op.add_column("jobs", sa.Column("overtaken", sa.Integer, nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("begun", sa.Boolean, nullable=False, server_default=sa.true()))


def downgrade() -> None:
    for name in ("begun", "overtaken", "batch_key"):
        op.drop_column("jobs", name)
