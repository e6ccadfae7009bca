"""Jobs as readers and operators see them: get, list, cancel, retry, discard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select, union, update

from storyforge.database import scenes as scene_rows
from storyforge.database.lease_clock import LeaseClock
from storyforge.database.tables import jobs, scene_heads, stage_results
from storyforge.domain.job import (
    ENDED,
    STATUS_AFTER,
    Approval,
    Job,
    JobConfig,
    JobError,
    JobKind,
    JobResult,
    JobState,
    JobStatus,
    Lane,
    Stage,
    WaitReason,
    furthest,
)
from storyforge.errors import Conflict, NotFound

OPEN_STATES = tuple(sorted(set(JobState) - ENDED))


def get_job(c: Connection, job_id: UUID) -> Job:
    """One job. Raises NotFound."""
    row = c.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no job {job_id}.")
    return job_of(row)


def list_jobs(
    c: Connection,
    *,
    limit: int,
    before: UUID | None = None,
    scene_id: UUID | None = None,
    states: Collection[JobState] = (),
    discarded: bool | None = None,
) -> Sequence[Job]:
    """Jobs, newest first; `before` is the last id of the page before."""
    query = select(jobs)
    if before is not None:
        query = query.where(jobs.c.id < before)
    if scene_id is not None:
        query = query.where(jobs.c.scene_id == scene_id)
    if states:
        query = query.where(jobs.c.state.in_(sorted(states)))
    if discarded is not None:
        query = query.where(jobs.c.discarded.is_(discarded))
    return [job_of(row) for row in c.execute(query.order_by(jobs.c.id.desc()).limit(limit))]


def changed_jobs(
    c: Connection,
    scene_ids: Collection[UUID],
    known: Mapping[UUID, int],
    created_since: UUID | None = None,
) -> Sequence[Job]:
    """Jobs of these scenes that are open, or known by (id, seq), and have moved past that seq.

    created_since: an id; jobs minted later count too, even if they have ended already. The
    safety net of the live updates: what a lost message would have said.
    """
    if not scene_ids:
        return []
    of_scenes = jobs.c.scene_id.in_(list(scene_ids))
    # Ids first, and every branch names its states: so each is a range of ix_jobs_scene, where
    # one condition over all would read every job that the scenes ever had.
    wanted = [select(jobs.c.id).where(of_scenes, jobs.c.state.in_(OPEN_STATES))]
    if known:
        wanted.append(select(jobs.c.id).where(of_scenes, jobs.c.id.in_(list(known))))
    if created_since is not None:
        young = jobs.c.id >= created_since
        wanted.append(select(jobs.c.id).where(of_scenes, jobs.c.state.in_(ENDED), young))
    query = select(jobs).where(jobs.c.id.in_(union(*wanted))).order_by(jobs.c.id)
    found = [job_of(row) for row in c.execute(query)]
    return [job for job in found if job.seq > known.get(job.id, -1)]


def job_of(row: Row[Any]) -> Job:
    """A row as a domain job."""
    return Job(
        id=row.id,
        scene_id=row.scene_id,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        status=JobStatus(row.status),
        stage=Stage(row.stage) if row.stage else None,
        lane=Lane(row.lane),
        progress=row.progress,
        message=row.message,
        text=row.text,
        config=JobConfig.model_validate(row.config),
        after_job_id=row.after_job_id,
        bible_version=row.bible_version,
        epoch=row.epoch,
        attempts=row.attempts,
        seq=row.seq,
        error=JobError.model_validate(row.error) if row.error else None,
        preview_url=row.preview_url,
        live_url=row.live_url,
        approval=Approval(row.approval),
        wait_reason=WaitReason(row.wait_reason) if row.wait_reason else None,
        result=JobResult.model_validate(row.result) if row.result else None,
        discarded=row.discarded,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def lock_job(c: Connection, job_id: UUID) -> Row[Any]:
    """The job's row with its scene's head locked first (the lock order). Raises NotFound."""
    scene_id = c.execute(select(jobs.c.scene_id).where(jobs.c.id == job_id)).scalar_one_or_none()
    if scene_id is None:
        raise NotFound(f"There is no job {job_id}.")
    c.execute(
        select(scene_heads.c.scene_id).where(scene_heads.c.scene_id == scene_id).with_for_update()
    )
    return c.execute(select(jobs).where(jobs.c.id == job_id).with_for_update()).one()


def cancel_job(c: Connection, job_id: UUID, *, now: datetime) -> Job:
    """End a job that has not ended; its worker finds the fence raised and stops.

    Cancelling twice is fine. Raises NotFound, and Conflict when it is done or dead.
    """
    row = lock_job(c, job_id)
    if row.state == JobState.CANCELLED:
        return job_of(row)
    if JobState(row.state) in ENDED:
        raise Conflict(f"Job {job_id} has ended already: it is {row.status}.")
    end_job(c, row, JobState.CANCELLED, JobStatus.CANCELLED, "Cancelled.", now=now)
    return get_job(c, job_id)


def end_job(
    c: Connection,
    row: Row[Any],
    state: JobState,
    status: JobStatus,
    message: str,
    *,
    now: datetime,
    error: JobError | None = None,
    attempts: Mapping[str, int] | None = None,
) -> None:
    """End a locked job without a segment: raise the fence, free the scene, hold its followers."""
    c.execute(
        update(jobs)
        .where(jobs.c.id == row.id)
        .values(
            state=state,
            status=status,
            message=message,
            error=error.to_json() if error else None,
            live_url=None,
            wait_reason=None,
            attempts=dict(attempts) if attempts is not None else row.attempts,
            epoch=jobs.c.epoch + 1,
            worker=None,
            seq=jobs.c.seq + 1,
            updated_at=now,
        )
    )
    c.execute(
        update(scene_heads)
        .where(scene_heads.c.scene_id == row.scene_id, scene_heads.c.live_job_id == row.id)
        .values(live_job_id=None, revision=scene_heads.c.revision + 1)
    )
    _hold_followers(c, row.id, status, now=now)


def _hold_followers(c: Connection, job_id: UUID, status: JobStatus, *, now: datetime) -> None:
    message = (
        f"Held: the job before it ({job_id}) is {status}. Retry that job, or retry this one "
        "to film it on the scene as it stands, or cancel it."
    )
    waiting = jobs.c.state == JobState.WAITING
    frontier = [job_id]
    while frontier:  # the whole chain behind it is held, not only the first
        found = c.execute(
            select(jobs.c.id).where(waiting, jobs.c.after_job_id.in_(frontier))
        ).scalars()
        frontier = list(found)
        if frontier:
            c.execute(
                update(jobs)
                .where(jobs.c.id.in_(frontier), waiting)
                .values(
                    message=message,
                    wait_reason=WaitReason.PREDECESSOR_FAILED,
                    seq=jobs.c.seq + 1,
                    updated_at=now,
                )
            )


def retry_job(c: Connection, job_id: UUID, clock: LeaseClock, *, now: datetime) -> Job:
    """Run a dead job again from its first unfinished stage, or release a held one.

    Raises NotFound, and Conflict when it is neither, or the scene moved on since it died.
    """
    row = lock_job(c, job_id)
    head = scene_rows.lock_head(c, row.scene_id)
    if row.wait_reason == WaitReason.APPROVAL:
        raise Conflict(f"Job {job_id} waits for approval: approve or reject it.")
    if row.state == JobState.WAITING:
        return _release_held(c, row, head, clock, now=now)
    if row.state != JobState.DEAD:
        raise Conflict(f"Job {job_id} is {row.status}; only a failed or held job can be retried.")
    if row.bible_version is not None and row.bible_version != head.bible_version:
        raise Conflict(
            f"Job {job_id} was written on bible version {row.bible_version}, but the scene is "
            f"at version {head.bible_version} now. Send the continuation again."
        )
    if head.live_job_id is not None:
        raise Conflict(
            f"The scene is being continued by job {head.live_job_id}; wait for it or cancel it, "
            "then retry."
        )
    _make_live(c, row, head, clock, now=now)
    return get_job(c, job_id)


def _release_held(
    c: Connection, row: Row[Any], head: Row[Any], clock: LeaseClock, *, now: datetime
) -> Job:
    before = c.execute(
        select(jobs.c.state, jobs.c.status).where(jobs.c.id == row.after_job_id)
    ).one_or_none()
    if before is not None and JobState(before.state) not in {JobState.DEAD, JobState.CANCELLED}:
        raise Conflict(f"Job {row.id} waits for job {row.after_job_id}, which is {before.status}.")
    if head.live_job_id is not None:
        c.execute(
            update(jobs)
            .where(jobs.c.id == row.id)
            .values(
                after_job_id=head.live_job_id,
                message=f"Waiting for job {head.live_job_id}.",
                wait_reason=WaitReason.PREDECESSOR,
                seq=jobs.c.seq + 1,
                updated_at=now,
            )
        )
    else:
        _make_live(c, row, head, clock, now=now)
    return get_job(c, row.id)


def _make_live(
    c: Connection, row: Row[Any], head: Row[Any], clock: LeaseClock, *, now: datetime
) -> None:
    finished = c.execute(
        select(stage_results.c.stage).where(stage_results.c.job_id == row.id)
    ).scalars()
    reached = JobStatus.QUEUED
    for stage in finished:
        reached = furthest(reached, STATUS_AFTER.get(Stage(stage), JobStatus.PROCESSING))
    c.execute(
        update(jobs)
        .where(jobs.c.id == row.id)
        .values(
            state=JobState.QUEUED,
            status=reached,
            message="Queued again.",
            wait_reason=None,
            error=None,
            live_url=None,
            attempts={},
            discarded=False,
            bible_version=head.bible_version,
            due_at=clock.now(),
            due_clock=clock.label,
            seq=jobs.c.seq + 1,
            updated_at=now,
        )
    )
    c.execute(
        update(scene_heads)
        .where(scene_heads.c.scene_id == row.scene_id)
        .values(live_job_id=row.id, revision=scene_heads.c.revision + 1)
    )


def discard_job(c: Connection, job_id: UUID, *, now: datetime) -> Job:
    """Take a dead job off the dead-letter list; it stays failed. Raises NotFound, Conflict."""
    row = lock_job(c, job_id)
    if row.state != JobState.DEAD:
        raise Conflict(f"Job {job_id} is {row.status}; only a failed job can be discarded.")
    c.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(discarded=True, seq=jobs.c.seq + 1, updated_at=now)
    )
    return get_job(c, job_id)
