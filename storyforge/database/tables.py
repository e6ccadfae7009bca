"""The tables, as SQLAlchemy Core; one definition for SQLite and PostgreSQL.

On PostgreSQL `jobs` is range-partitioned by its UUIDv7 id (creation time) and `segments` by
scene_id (the scene's creation time). SQLite ignores the partitioning. Promises that cross
partitions live in the plain tables `scene_heads` and `idempotency_keys`.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
    true,
)

from storyforge.database.column_types import Json, UtcDateTime

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

scenes = Table(
    "scenes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("style_preset", Text, nullable=False),
    Column("profile", Json, nullable=True),  # HlsProfile; NULL until the first segment commits
    Column("approval", Text, nullable=False),  # SceneApproval
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime, nullable=True),
    Index("ix_scenes_owner", "owner_id", "deleted_at", "id"),
)

# The compare-and-swap point of a scene. Lock order everywhere: idempotency key, head, job.
scene_heads = Table(
    "scene_heads",
    metadata,
    Column("scene_id", Uuid, ForeignKey("scenes.id"), primary_key=True),
    Column("bible_version", Integer, nullable=False),
    Column("next_number", Integer, nullable=False),
    Column("live_job_id", Uuid, nullable=True),
    Column("playlist_epoch", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
)

scene_bibles = Table(
    "scene_bibles",
    metadata,
    Column("scene_id", Uuid, ForeignKey("scenes.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("parent_hash", Text, nullable=True),  # NULL for version 1 only
    Column("content_hash", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("patch", Json, nullable=True),  # BiblePatch from the parent; NULL for version 1
    Column("origin", Text, nullable=False),  # BibleOrigin
    Column("job_id", Uuid, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("scene_id", "version"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("scene_id", Uuid, ForeignKey("scenes.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("stage", Text, nullable=True),
    Column("progress", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("approval", Text, nullable=False),  # Approval
    Column("wait_reason", Text, nullable=True),  # WaitReason; NULL unless it waits
    Column("text", Text, nullable=False),
    Column("config", Json, nullable=False),
    Column("after_job_id", Uuid, nullable=True),
    Column("bible_version", Integer, nullable=True),  # what it builds on; NULL while it waits
    Column("payload", Json, nullable=True),  # GenerationJobPayload, snapshotted at first claim
    Column("epoch", Integer, nullable=False),  # the fence: every claim adds one
    Column("batch_key", Text, nullable=True),  # of the film's shape; NULL before it is written
    Column("overtaken", Integer, nullable=False, server_default="0"),  # by claims of later jobs
    # False for a job that was claimed with others and waits for its turn on the device
    Column("begun", Boolean, nullable=False, server_default=true()),
    Column("worker", Text, nullable=True),
    # Queued: not before; leased: the lease's end. Seconds on the clock named by due_clock.
    Column("due_at", Float, nullable=False),
    Column("due_clock", Text, nullable=False),
    Column("attempts", Json, nullable=False),  # failed attempts by error class
    Column("seq", Integer, nullable=False),  # numbers the live updates
    Column("error", Json, nullable=True),
    Column("preview_url", Text, nullable=True),
    Column("live_url", Text, nullable=True),
    Column("result", Json, nullable=True),
    Column("discarded", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_jobs_claim", "lane", "state", "id"),
    Index("ix_jobs_scene", "scene_id", "state", "id"),
    Index("ix_jobs_state", "state", "due_at"),
    postgresql_partition_by="RANGE (id)",
)

stage_results = Table(
    "stage_results",
    metadata,
    Column("job_id", Uuid, ForeignKey("jobs.id"), nullable=False),
    Column("stage", Text, nullable=False),
    Column("item", Integer, nullable=False),  # shot index; 0 for stages with one result
    Column("input_hash", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("job_id", "stage", "item"),
)

# What each encode of a job has put into the store so far. A row is there before its first file, and
# until the last one is collected.
live_films = Table(
    "live_films",
    metadata,
    Column("segment_id", Uuid, primary_key=True),
    Column("job_id", Uuid, ForeignKey("jobs.id"), nullable=False),
    Column("visible", Boolean, nullable=False),
    Column("body", Json, nullable=False),  # LiveFilm
    Index("ix_live_films_job", "job_id", "segment_id"),
)

segments = Table(
    "segments",
    metadata,
    Column("scene_id", Uuid, ForeignKey("scenes.id"), nullable=False),
    Column("id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("base_version", Integer, nullable=False),  # the bible it was written on
    Column("bible_version", Integer, nullable=False),  # the bible it made
    Column("text", Text, nullable=False),
    Column("script", Json, nullable=False),
    Column("continuity", Json, nullable=False),
    Column("summary", Json, nullable=False),
    Column("long_summary", Text, nullable=False),  # of all older than the recent ones
    Column("media", Json, nullable=False),
    Column("film", Json, nullable=True),  # FilmRecord; NULL for segments from before there was one
    Column("seconds", Float, nullable=False),
    Column("hidden_at", UtcDateTime, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("scene_id", "id"),
    Index(
        "uq_segments_number",
        "scene_id",
        "number",
        unique=True,
        postgresql_where=text("hidden_at IS NULL"),
        sqlite_where=text("hidden_at IS NULL"),
    ),
    # a film's length is summed from this index alone
    Index(
        "ix_segments_seconds",
        "scene_id",
        "seconds",
        postgresql_where=text("hidden_at IS NULL"),
        sqlite_where=text("hidden_at IS NULL"),
    ),
    Index("uq_segments_job", "scene_id", "job_id", unique=True),  # one segment per job, ever
    postgresql_partition_by="RANGE (scene_id)",
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("owner_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body_hash", Text, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("owner_id", "key"),
)

# Who works here: written by every worker process and the sweeper, read by health and doctor.
workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("info", Json, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("due_clock", Text, nullable=False),
)
