"""The first tables: scenes, heads, bibles, jobs, stage results, segments, keys, workers."""

import sqlalchemy as sa
from alembic import op

from storyforge.database.column_types import Json, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _scene_tables()
    _job_tables()
    _segment_table()
    _plain_tables()


def downgrade() -> None:
    for table in (
        "workers",
        "idempotency_keys",
        "segments",
        "stage_results",
        "jobs",
        "scene_bibles",
        "scene_heads",
        "scenes",
    ):
        op.drop_table(table)


def _scene_tables() -> None:
    op.create_table(
        "scenes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("owner_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("style_preset", sa.Text, nullable=False),
        sa.Column("profile", Json, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("deleted_at", UtcDateTime, nullable=True),
    )
    op.create_index("ix_scenes_owner", "scenes", ["owner_id", "deleted_at", "id"])
    op.create_table(
        "scene_heads",
        sa.Column("scene_id", sa.Uuid, sa.ForeignKey("scenes.id"), primary_key=True),
        sa.Column("bible_version", sa.Integer, nullable=False),
        sa.Column("next_number", sa.Integer, nullable=False),
        sa.Column("live_job_id", sa.Uuid, nullable=True),
        sa.Column("playlist_epoch", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "scene_bibles",
        sa.Column("scene_id", sa.Uuid, sa.ForeignKey("scenes.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("parent_hash", sa.Text, nullable=True),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("job_id", sa.Uuid, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("scene_id", "version"),
    )


def _job_tables() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("scene_id", sa.Uuid, sa.ForeignKey("scenes.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=True),
        sa.Column("progress", sa.Integer, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("config", Json, nullable=False),
        sa.Column("after_job_id", sa.Uuid, nullable=True),
        sa.Column("bible_version", sa.Integer, nullable=True),
        sa.Column("payload", Json, nullable=True),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("worker", sa.Text, nullable=True),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("due_clock", sa.Text, nullable=False),
        sa.Column("attempts", Json, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("error", Json, nullable=True),
        sa.Column("preview_url", sa.Text, nullable=True),
        sa.Column("result", Json, nullable=True),
        sa.Column("discarded", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_jobs_claim", "jobs", ["lane", "state", "id"])
    op.create_index("ix_jobs_scene", "jobs", ["scene_id", "state", "id"])
    op.create_index("ix_jobs_state", "jobs", ["state", "due_at"])
    op.create_table(
        "stage_results",
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("item", sa.Integer, nullable=False),
        sa.Column("input_hash", sa.Text, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "stage", "item"),
    )


def _segment_table() -> None:
    op.create_table(
        "segments",
        sa.Column("scene_id", sa.Uuid, sa.ForeignKey("scenes.id"), nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("base_version", sa.Integer, nullable=False),
        sa.Column("bible_version", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("script", Json, nullable=False),
        sa.Column("continuity", Json, nullable=False),
        sa.Column("summary", Json, nullable=False),
        sa.Column("long_summary", sa.Text, nullable=False),
        sa.Column("media", Json, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("hidden_at", UtcDateTime, nullable=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("scene_id", "id"),
        postgresql_partition_by="RANGE (scene_id)",
    )
    op.create_index(
        "uq_segments_number",
        "segments",
        ["scene_id", "number"],
        unique=True,
        postgresql_where=sa.text("hidden_at IS NULL"),
        sqlite_where=sa.text("hidden_at IS NULL"),
    )
    op.create_index(
        "ix_segments_seconds",
        "segments",
        ["scene_id", "seconds"],
        postgresql_where=sa.text("hidden_at IS NULL"),
        sqlite_where=sa.text("hidden_at IS NULL"),
    )
    op.create_index("uq_segments_job", "segments", ["scene_id", "job_id"], unique=True)


def _plain_tables() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("owner_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("body_hash", sa.Text, nullable=False),
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "key"),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("info", Json, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("due_clock", sa.Text, nullable=False),
    )
