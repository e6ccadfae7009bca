"""Each version of a bible keeps what it changes and how it came to be."""

import sqlalchemy as sa
from alembic import op

from storyforge.database.column_types import Json

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("scene_bibles") as table:
        table.add_column(sa.Column("patch", Json, nullable=True))
        table.add_column(sa.Column("origin", sa.Text, nullable=True))
    # until now only jobs and the removal of a segment made versions behind the first
    op.execute(
        "UPDATE scene_bibles SET origin = CASE WHEN version = 1 THEN 'start' "
        "WHEN job_id IS NOT NULL THEN 'job' ELSE 'removal' END"
    )
    with op.batch_alter_table("scene_bibles") as table:
        table.alter_column("origin", nullable=False, existing_type=sa.Text)


def downgrade() -> None:
    with op.batch_alter_table("scene_bibles") as table:
        table.drop_column("origin")
        table.drop_column("patch")
