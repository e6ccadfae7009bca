"""Builds what the stages work on from the scene's rows, once, at the job's first claim."""

from __future__ import annotations

from sqlalchemy import Connection

from storyforge.database import jobs, scenes, segments, stage_results
from storyforge.database.leases import Claim
from storyforge.domain.job import GenerationJobPayload, JobContext, JobKind
from storyforge.domain.segment import SegmentSummary

RECENT_SEGMENTS = 5  # told in full; older ones come as the rolling summary


def payload_of(c: Connection, claim: Claim) -> GenerationJobPayload:
    """The job's snapshot; made and saved under the fence if there is none. Raises LeaseLost."""
    saved = stage_results.load_payload(c, claim.job_id)
    if saved is not None:
        return saved
    payload = _snapshot(c, claim)
    stage_results.save_payload(c, claim, payload)
    return payload


def _snapshot(c: Connection, claim: Claim) -> GenerationJobPayload:
    job = jobs.get_job(c, claim.job_id)
    scene = scenes.get_scene(c, claim.scene_id)
    number = scene.next_number
    bible = scenes.get_bible(c, scene.id)
    if claim.kind is JobKind.RETAKE:
        number -= 1
        replaced = segments.last_rows(c, scene.id, 1, before=scene.next_number)[0]
        bible = segments.bible_before(c, replaced, version=scene.bible_version)
    rows = segments.last_rows(c, scene.id, RECENT_SEGMENTS, before=number)
    seed = job.config.seed or job.id.int & 0x7FFF_FFFF
    return GenerationJobPayload(
        job_id=job.id,
        scene_id=scene.id,
        title=scene.title,
        profile=scene.profile,
        text=job.text,
        segment_number=number,
        context=JobContext(
            scene_bible=bible,
            recent_segments=tuple(SegmentSummary.model_validate(row.summary) for row in rows),
            long_summary=rows[-1].long_summary if rows else "",
        ),
        config=job.config.model_copy(update={"seed": seed}),
    )
