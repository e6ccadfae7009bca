"""Films that can be watched while they are being made."""

import sqlalchemy as sa
from alembic import op

from storyforge.database.column_types import Json

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("live_url", sa.Text, nullable=True))
    op.create_table(
        "live_films",
        sa.Column("segment_id", sa.Uuid, primary_key=True),
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("visible", sa.Boolean, nullable=False),
        sa.Column("body", Json, nullable=False),
    )
    op.create_index("ix_live_films_job", "live_films", ["job_id", "segment_id"])


def downgrade() -> None:
    op.drop_table("live_films")
    op.drop_column("jobs", "live_url")
