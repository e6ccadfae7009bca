"""Builds what the stages work on from the scene's rows, once, at the job's first claim."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from storyforge.database import bibles, scenes, segments, stage_results
from storyforge.database.leases import Claim
from storyforge.domain.job import GenerationJobPayload, Job, JobContext, JobKind

RECENT_SEGMENTS = 5  # told in full; older ones come as the rolling summary


def payload_of(
    c: Connection, claim: Claim, row: Row[Any] | None = None, *, with_history: bool = False
) -> GenerationJobPayload:
    """The job's snapshot; made and saved under the fence if there is none. Raises LeaseLost.

    row: the job's, if this transaction has it already. with_history: for a writer that reads how
    the bible came to be.
    """
    if row is None:
        found = stage_results.load_payload(c, claim.job_id)
    else:
        found = stage_results.payload_in(row)
    if isinstance(found, GenerationJobPayload):
        return found
    payload = _snapshot(c, found, with_history=with_history)
    stage_results.save_payload(c, claim, payload)
    return payload


def _snapshot(c: Connection, job: Job, *, with_history: bool) -> GenerationJobPayload:
    scene, bible = scenes.get_story(c, job.scene_id)
    number = scene.next_number
    history = None
    if job.kind is JobKind.RETAKE:
        number -= 1
        replaced = segments.last_rows(c, scene.id, 1, before=scene.next_number)[0]
        bible = segments.bible_before(c, replaced, version=scene.bible_version)
    elif with_history:
        history = bibles.history_of(c, scene.id, bible.version)
    recent, long_summary = segments.recent_summaries(c, scene.id, RECENT_SEGMENTS, before=number)
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
            history=history,
            recent_segments=recent,
            long_summary=long_summary,
        ),
        config=job.config.model_copy(update={"seed": seed}),
    )
