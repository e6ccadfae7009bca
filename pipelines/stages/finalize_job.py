"""Commits the finished film to its scene."""

from __future__ import annotations

from uuid import UUID

from pipelines.stage_log import StageLog
from storyforge.database.finalize import Outcome
from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import ValidationResult
from storyforge.domain.film_record import FilmRecord
from storyforge.domain.job import GenerationJobPayload, Stage
from storyforge.domain.script import Script
from storyforge.domain.segment import EncodedSegment, SegmentSummary
from storyforge.storage.paths import LAST_FRAME, master_key, thumbnail_key

STAGE = Stage.FINALIZE_JOB


def finalize_job(
    payload: GenerationJobPayload,
    script: Script,
    report: ValidationResult,
    bible: SceneBible,
    summary: str,
    long_summary: str,
    segment_id: UUID,
    media: EncodedSegment,
    film: FilmRecord | None,
    log: StageLog,
) -> None:
    """One transaction: segment, bible n+1, summary, job done. Raises LeaseLost, Conflict."""
    log.hit(STAGE, "p1")
    log.step(STAGE, 0.0, "Adding the segment to the scene.")
    characters = sorted({name for shot in script.shots for name in shot.characters})
    places = [shot.place for shot in script.shots if shot.place]
    log.commit(
        Outcome(
            segment_id=segment_id,
            text=payload.text,
            script=script,
            continuity=report,
            bible=bible,
            summary=SegmentSummary(
                segment_id=segment_id,
                number=payload.segment_number,
                summary=summary,
                characters=tuple(characters),
                place=places[-1] if places else "",
                light=script.shots[-1].light,
                last_frame_sha256=next(
                    (file.sha256 for file in media.files if file.path == LAST_FRAME), ""
                ),
                seconds=media.seconds,
            ),
            long_summary=long_summary,
            media=media,
            film=film,
            video_url=f"/media/{master_key(payload.scene_id, segment_id)}",
            thumbnail_url=f"/media/{thumbnail_key(payload.scene_id, segment_id)}",
        )
    )
