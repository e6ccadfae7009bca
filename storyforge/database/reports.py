"""What is known of how a segment was made: continuity reports and film records."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, select

from storyforge.database import jobs as job_rows
from storyforge.database.tables import segments, stage_results
from storyforge.domain.continuity import ValidationResult
from storyforge.domain.film_record import FilmRecord
from storyforge.domain.job import Stage
from storyforge.errors import NotFound


def job_report(c: Connection, job_id: UUID) -> ValidationResult:
    """The report on a job's script: the accepted one, else the one that stopped the job.

    Raises NotFound for an unknown job, and while nothing is checked.
    """
    job_rows.get_job(c, job_id)
    query = (
        select(stage_results.c.body["report"])
        .where(stage_results.c.job_id == job_id, stage_results.c.stage == Stage.CHECK_CONTINUITY)
        .order_by(stage_results.c.item)
        .limit(1)
    )
    report = c.execute(query).scalar_one_or_none()
    if report is None:
        raise NotFound(
            f"Job {job_id} has no continuity report yet; it comes with status continuity_checked."
        )
    return ValidationResult.model_validate(report)


def segment_report(c: Connection, scene_id: UUID, segment_id: UUID) -> ValidationResult:
    """The report on the script that was filmed. Raises NotFound."""
    return ValidationResult.model_validate(_of(c, segments.c.continuity, scene_id, segment_id))


def segment_film(c: Connection, scene_id: UUID, segment_id: UUID) -> FilmRecord:
    """How the segment was filmed. Raises NotFound, also for one from before there were records."""
    record = _of(c, segments.c.film, scene_id, segment_id)
    if record is None:
        raise NotFound(f"Segment {segment_id} was filmed before film records were kept.")
    return FilmRecord.model_validate(record)


def _of(c: Connection, column: Column[Any], scene_id: UUID, segment_id: UUID) -> Any:
    query = select(column).where(
        segments.c.scene_id == scene_id,
        segments.c.id == segment_id,
        segments.c.hidden_at.is_(None),
    )
    row = c.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"Scene {scene_id} has no segment {segment_id}.")
    return row[0]
