"""Deleting a scene: it is gone at once, its jobs end, its files are collected later."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, update

from storyforge.database import jobs as job_rows
from storyforge.database import scenes as scene_rows
from storyforge.database.tables import jobs, scenes
from storyforge.domain.job import JobState, JobStatus


def delete_scene(c: Connection, scene_id: UUID, *, now: datetime) -> None:
    """Mark the scene deleted and cancel its open jobs; wins or loses whole against finalise.

    Raises NotFound.
    """
    scene_rows.lock_head(c, scene_id)
    open_jobs = select(jobs).where(
        jobs.c.scene_id == scene_id, jobs.c.state.in_(job_rows.OPEN_STATES)
    )
    for row in c.execute(open_jobs.order_by(jobs.c.id).with_for_update()).all():
        message = "Cancelled: the scene was deleted."
        job_rows.end_job(c, row, JobState.CANCELLED, JobStatus.CANCELLED, message, now=now)
    c.execute(update(scenes).where(scenes.c.id == scene_id).values(deleted_at=now, updated_at=now))
