"""Segments keep how they were filmed."""

import sqlalchemy as sa
from alembic import op

from storyforge.database.column_types import Json

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("segments", sa.Column("film", Json, nullable=True))


def downgrade() -> None:
    op.drop_column("segments", "film")
