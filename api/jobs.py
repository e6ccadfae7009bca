"""Jobs: list, read, cancel, retry and discard; `dead=true` lists the dead letters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Query
from sqlalchemy import Connection

from api import announce
from api.bodies import one_line
from api.outlook import OUTSIDE, outlooks_of
from api.paging import Limit, Page
from api.plans import REASON_CHARS, ApprovalIn, PlanOut, RejectionIn, plan_of
from api.services import Services, Use
from storyforge import clock
from storyforge.database import approvals
from storyforge.database import jobs as job_rows
from storyforge.domain.job import (
    WIRE_STAGES,
    Approval,
    Job,
    JobConfig,
    JobError,
    JobKind,
    JobResult,
    JobState,
    JobStatus,
    WaitReason,
    WireStage,
    live_thumbnail_url,
)
from storyforge.domain.queue_outlook import Outlook
from storyforge.domain.wire import Wire
from storyforge.errors import InvalidInput

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

# Wire shapes


class JobOut(Wire):
    """A job as clients see it: the live update's fields and what was asked for.

    attempts: failed attempts by error class. queue_position: 0 while a device films it, else its
    place in line; eta_seconds: until it is filmed, null with `eta_reason` when nobody knows.
    wait_reason: what a waiting job waits for. plan: of a job that waits for approval, when it is
    read alone.
    """

    job_id: UUID
    scene_id: UUID
    kind: JobKind
    state: JobState
    status: JobStatus
    stage: WireStage | None
    progress: int
    message: str
    seq: int
    text: str
    config: JobConfig
    after_job_id: UUID | None
    bible_version: int | None
    attempts: Mapping[str, int]
    queue_position: int | None
    eta_seconds: float | None
    eta_reason: str
    error: JobError | None
    preview_url: str | None
    live_url: str | None
    live_thumbnail_url: str | None
    result: JobResult | None
    discarded: bool
    approval: Approval
    wait_reason: WaitReason | None
    plan: PlanOut | None
    created_at: datetime
    updated_at: datetime


def job_out(job: Job, outlook: Outlook = OUTSIDE, plan: PlanOut | None = None) -> JobOut:
    """The wire shape of a job; leases and workers stay inside."""
    return JobOut(
        job_id=job.id,
        scene_id=job.scene_id,
        kind=job.kind,
        state=job.state,
        status=job.status,
        stage=WIRE_STAGES[job.stage] if job.stage else None,
        progress=job.progress,
        message=job.message,
        seq=job.seq,
        text=job.text,
        config=job.config,
        after_job_id=job.after_job_id,
        bible_version=job.bible_version,
        attempts=job.attempts,
        queue_position=outlook.position,
        eta_seconds=outlook.eta_s,
        eta_reason=outlook.reason,
        error=job.error,
        preview_url=job.preview_url,
        live_url=job.live_url,
        live_thumbnail_url=live_thumbnail_url(job.id) if job.live_url else None,
        result=job.result,
        discarded=job.discarded,
        approval=job.approval,
        wait_reason=job.wait_reason,
        plan=plan,
        created_at=job.created_at,
        updated_at=job.updated_at,
    )


# Operations


def page_jobs(
    services: Services,
    limit: int,
    cursor: UUID | None,
    *,
    scene_id: UUID | None,
    states: Sequence[JobState],
    dead: bool,
) -> Page[JobOut]:
    """Jobs, newest first; the dead letters are the failed jobs that nobody discarded."""
    if dead and set(states) - {JobState.DEAD}:
        raise InvalidInput("dead=true lists failed jobs only; leave `state` out.")
    with services.database.read() as c:
        found = job_rows.list_jobs(
            c,
            limit=limit + 1,
            before=cursor,
            scene_id=scene_id,
            states=[JobState.DEAD] if dead else states,
            discarded=False if dead else None,
        )
        ahead = outlooks_of(services.database, c, found)
    more = len(found) > limit
    items = tuple(job_out(job, ahead.get(job.id, OUTSIDE)) for job in found[:limit])
    return Page[JobOut](items=items, next_cursor=str(items[-1].job_id) if more else None)


def _moved(services: Services, later: BackgroundTasks, move: Callable[[Connection], Job]) -> JobOut:
    job = services.database.write(move)
    later.add_task(announce.job_moved, services, job)
    return job_out(job)


# Routes


@router.get("")
def list_all(
    services: Use,
    limit: Limit = 20,
    cursor: UUID | None = None,
    scene_id: Annotated[UUID | None, Query(alias="sceneId")] = None,
    state: Annotated[list[JobState] | None, Query()] = None,
    dead: bool = False,
) -> Page[JobOut]:
    """One page of jobs, newest first."""
    return page_jobs(services, limit, cursor, scene_id=scene_id, states=state or (), dead=dead)


@router.get("/{job_id}")
def read(services: Use, job_id: UUID) -> JobOut:
    """One job; with its plan while it waits for approval."""
    with services.database.read() as c:
        job = job_rows.get_job(c, job_id)
        ahead = outlooks_of(services.database, c, [job])
        return job_out(job, ahead.get(job.id, OUTSIDE), plan_of(services, c, job))


@router.post("/{job_id}/cancel")
def cancel(services: Use, job_id: UUID, later: BackgroundTasks) -> JobOut:
    """End a job that has not ended; what it made is thrown away."""
    return _moved(services, later, lambda c: job_rows.cancel_job(c, job_id, now=clock.utc_now()))


@router.post("/{job_id}/retry")
def retry(services: Use, job_id: UUID, later: BackgroundTasks) -> JobOut:
    """Run a failed job again from its first unfinished stage, or release a held one."""
    database = services.database
    job = database.write(
        lambda c: job_rows.retry_job(c, job_id, database.clock, now=clock.utc_now())
    )
    services.dispatcher.wake(job.lane)
    later.add_task(announce.job_moved, services, job)
    return job_out(job)


@router.post("/{job_id}/approve")
def approve(
    services: Use, job_id: UUID, later: BackgroundTasks, body: ApprovalIn | None = None
) -> JobOut:
    """Film what a held job has planned, or the script that is sent instead."""
    database = services.database
    script = body.script.script() if body is not None and body.script is not None else None
    job = database.write(
        lambda c: approvals.approve_job(c, job_id, database.clock, script, now=clock.utc_now())
    )
    if job.state is JobState.QUEUED:  # also when it was approved before: that wake-up may be lost
        services.dispatcher.wake(job.lane)
    later.add_task(announce.job_moved, services, job)
    return job_out(job)


@router.post("/{job_id}/reject")
def reject(
    services: Use, job_id: UUID, later: BackgroundTasks, body: RejectionIn | None = None
) -> JobOut:
    """End a held job; nothing of it is filmed."""
    reason = one_line(body.reason, "/reason", REASON_CHARS) if body is not None else ""
    return _moved(
        services, later, lambda c: approvals.reject_job(c, job_id, reason, now=clock.utc_now())
    )


@router.post("/{job_id}/discard")
def discard(services: Use, job_id: UUID, later: BackgroundTasks) -> JobOut:
    """Take a failed job off the dead letters."""
    return _moved(services, later, lambda c: job_rows.discard_job(c, job_id, now=clock.utc_now()))
