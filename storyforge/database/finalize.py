"""The one transaction that makes a job's film part of its scene."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from storyforge.database import jobs as job_rows
from storyforge.database import scenes as scene_rows
from storyforge.database import segments as segment_rows
from storyforge.database.bibles import add_bible
from storyforge.database.lease_clock import LeaseClock
from storyforge.database.leases import Claim, LeaseLost
from storyforge.database.tables import jobs, scene_heads, scenes, segments
from storyforge.domain.bible import SceneBible
from storyforge.domain.bible_changes import BibleOrigin
from storyforge.domain.continuity import ValidationResult
from storyforge.domain.film_record import FilmRecord
from storyforge.domain.job import Job, JobKind, JobResult, JobState, JobStatus, Stage
from storyforge.domain.script import Script
from storyforge.domain.segment import EncodedSegment, SegmentSummary
from storyforge.errors import Conflict


@dataclass(frozen=True)
class Outcome:
    """All that a finished job adds to its scene."""

    segment_id: UUID
    text: str
    script: Script
    continuity: ValidationResult
    bible: SceneBible
    summary: SegmentSummary
    long_summary: str
    media: EncodedSegment
    video_url: str
    thumbnail_url: str
    film: FilmRecord | None = None


@dataclass(frozen=True)
class Finalized:
    """The finished job, and the follower that may run now."""

    job: Job
    promoted: UUID | None


def finalize_job(
    c: Connection, clock: LeaseClock, claim: Claim, outcome: Outcome, *, now: datetime
) -> Finalized:
    """Segment, bible n+1, summary, head and job in one transaction.

    Raises LeaseLost when the claim is stale, Conflict when the scene's head moved on.
    """
    head = scene_rows.lock_head(c, claim.scene_id)
    row = c.execute(select(jobs).where(claim.holds()).with_for_update()).one_or_none()
    if row is None:
        raise LeaseLost
    moved = head.live_job_id != row.id or head.bible_version != row.bible_version
    if claim.fenced and moved:
        raise Conflict(
            f"The scene's head is at bible version {head.bible_version} with live job "
            f"{head.live_job_id}; job {row.id} was written on version {row.bible_version}."
        )
    version = head.bible_version + 1
    number, base_version = _place(c, row, head, now=now)
    add_bible(
        c,
        scene_id=row.scene_id,
        bible=outcome.bible.model_copy(update={"version": version}),
        origin=BibleOrigin.JOB,
        job_id=row.id,
        now=now,
    )
    _insert_segment(c, row, outcome, (number, base_version, version), now=now)
    _finish_job(c, claim, outcome, version, now=now)
    promoted = _promote_follower(c, clock, row, version, now=now)
    _move_head(c, row, outcome, (number, version), promoted, now=now)
    return Finalized(job_rows.get_job(c, row.id), promoted)


def _place(c: Connection, row: Row[Any], head: Row[Any], *, now: datetime) -> tuple[int, int]:
    """The segment's number and the bible it builds on; a retake hides what it replaces."""
    if row.kind != JobKind.RETAKE:
        return head.next_number, head.bible_version
    old = segment_rows.last_rows(c, row.scene_id, 1, before=head.next_number)[0]
    segment_rows.hide(c, row.scene_id, old.id, now=now)
    return old.number, old.base_version


def _insert_segment(
    c: Connection,
    row: Row[Any],
    outcome: Outcome,
    place: tuple[int, int, int],
    *,
    now: datetime,
) -> None:
    number, base_version, version = place
    c.execute(
        insert(segments).values(
            scene_id=row.scene_id,
            id=outcome.segment_id,
            number=number,
            job_id=row.id,
            base_version=base_version,
            bible_version=version,
            text=outcome.text,
            script=outcome.script.to_json(),
            continuity=outcome.continuity.to_json(),
            summary=outcome.summary.model_copy(update={"number": number}).to_json(),
            long_summary=outcome.long_summary,
            media=outcome.media.to_json(),
            film=outcome.film.to_json() if outcome.film else None,
            seconds=outcome.media.seconds,
            hidden_at=None,
            created_at=now,
        )
    )


def _finish_job(
    c: Connection, claim: Claim, outcome: Outcome, version: int, *, now: datetime
) -> None:
    result = JobResult(
        segment_id=outcome.segment_id,
        video_url=outcome.video_url,
        thumbnail_url=outcome.thumbnail_url,
        duration=outcome.media.seconds,
        updated_bible_version=version,
    )
    c.execute(
        update(jobs)
        .where(claim.holds())
        .values(
            state=JobState.DONE,
            status=JobStatus.FINAL_READY,
            stage=Stage.FINALIZE_JOB,
            progress=100,
            message="The segment is part of the scene.",
            result=result.to_json(),
            worker=None,
            seq=jobs.c.seq + 1,
            updated_at=now,
        )
    )


def _promote_follower(
    c: Connection, clock: LeaseClock, row: Row[Any], version: int, *, now: datetime
) -> UUID | None:
    followers = list(
        c.execute(
            select(jobs.c.id)
            .where(
                jobs.c.scene_id == row.scene_id,
                jobs.c.state == JobState.WAITING,
                jobs.c.after_job_id == row.id,
            )
            .order_by(jobs.c.id)
        ).scalars()
    )
    if not followers:
        return None
    first: UUID = followers[0]
    others = followers[1:]
    c.execute(
        update(jobs)
        .where(jobs.c.id == first)
        .values(
            state=JobState.QUEUED,
            message="Queued.",
            wait_reason=None,
            bible_version=version,
            due_at=clock.now(),
            due_clock=clock.label,
            seq=jobs.c.seq + 1,
            updated_at=now,
        )
    )
    if others:  # released ones that met behind the same job: they go on in line
        c.execute(update(jobs).where(jobs.c.id.in_(others)).values(after_job_id=first))
    return first


def _move_head(
    c: Connection,
    row: Row[Any],
    outcome: Outcome,
    place: tuple[int, int],
    promoted: UUID | None,
    *,
    now: datetime,
) -> None:
    number, version = place
    retake = row.kind == JobKind.RETAKE
    c.execute(
        update(scene_heads)
        .where(scene_heads.c.scene_id == row.scene_id)
        .values(
            bible_version=version,
            next_number=number + 1,
            live_job_id=promoted,
            playlist_epoch=scene_heads.c.playlist_epoch + (1 if retake else 0),
            revision=scene_heads.c.revision + 1,
        )
    )
    c.execute(
        update(scenes)
        .where(scenes.c.id == row.scene_id, scenes.c.profile.is_(None))
        .values(profile=outcome.media.profile.to_json())
    )
    c.execute(update(scenes).where(scenes.c.id == row.scene_id).values(updated_at=now))
