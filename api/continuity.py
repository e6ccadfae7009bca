"""Continuity reports: what contradicts the bible in a job's or a segment's script."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.services import Use
from storyforge.database import reports
from storyforge.domain.continuity import ValidationResult

router = APIRouter(prefix="/v1", tags=["continuity"])


@router.get("/jobs/{job_id}/continuity")
def of_job(services: Use, job_id: UUID) -> ValidationResult:
    """The report on a job's script, also when it stopped the job; 404 until it is checked."""
    with services.database.read() as c:
        return reports.job_report(c, job_id)


@router.get("/scenes/{scene_id}/segments/{segment_id}/continuity")
def of_segment(services: Use, scene_id: UUID, segment_id: UUID) -> ValidationResult:
    """The report on the script of a segment."""
    with services.database.read() as c:
        return reports.segment_report(c, scene_id, segment_id)
