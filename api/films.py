"""Film records: what the gates measured on a segment's clips and joins, takes, sources, recipes."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.services import Use
from storyforge.database import reports
from storyforge.domain.film_record import FilmRecord

router = APIRouter(prefix="/v1", tags=["playback"])


@router.get("/scenes/{scene_id}/segments/{segment_id}/film")
def of_segment(services: Use, scene_id: UUID, segment_id: UUID) -> FilmRecord:
    """How a segment was filmed; 404 for one that was filmed before there were records."""
    with services.database.read() as c:
        return reports.segment_film(c, scene_id, segment_id)
