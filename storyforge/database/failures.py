"""Failures: a counted attempt, the wait before the next, the end; and leases that ran out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from storyforge.database import jobs as job_rows
from storyforge.database.lease_clock import LeaseClock
from storyforge.database.leases import LOST, Claim, LeaseLost
from storyforge.database.tables import jobs
from storyforge.domain.job import Job, JobError, JobState, JobStatus, Lane


@dataclass(frozen=True)
class Retry:
    """What a failed attempt means: its class, how many of it are allowed, and the wait."""

    error_class: str
    max_attempts: int
    backoff_s: float
    backoff_max_s: float

    def wait_s(self, failures: int) -> float:
        """Seconds before the next attempt: doubling, capped."""
        return float(min(self.backoff_s * 2 ** max(0, failures - 1), self.backoff_max_s))


def fail_attempt(
    c: Connection,
    clock: LeaseClock,
    claim: Claim,
    retry: Retry,
    error: JobError,
    *,
    now: datetime,
    lane: Lane | None = None,
) -> Job:
    """Count a failed attempt: queue again after the backoff, or end as dead.

    lane: where to queue, when results of an earlier lane must be made again. Raises LeaseLost.
    """
    row = job_rows.lock_job(c, claim.job_id)
    if claim.fenced and (row.epoch != claim.epoch or row.state != JobState.LEASED):
        raise LeaseLost
    _count_failure(c, clock, row, retry, error, now=now, lane=lane)
    return job_rows.get_job(c, claim.job_id)


def expired_jobs(c: Connection, clock: LeaseClock, *, limit: int = 100) -> Sequence[UUID]:
    """Jobs whose lease has run out."""
    query = (
        select(jobs.c.id)
        .where(jobs.c.state == JobState.LEASED, clock.is_due(jobs))
        .order_by(jobs.c.due_at)
        .limit(limit)
    )
    return list(c.execute(query).scalars())


def take_back(
    c: Connection, clock: LeaseClock, job_id: UUID, retry: Retry, *, now: datetime
) -> Job | None:
    """Take an expired lease away, safe to run twice; None when it was renewed meanwhile."""
    row = job_rows.lock_job(c, job_id)
    due = c.execute(select(clock.is_due(jobs)).where(jobs.c.id == job_id)).scalar_one()
    if row.state != JobState.LEASED or not due:
        return None
    if not row.begun:
        _give_back(c, clock, row, now=now)
        return job_rows.get_job(c, job_id)
    error = JobError(
        code=LOST,
        detail=f"The worker stopped answering in stage {row.stage or 'none'}.",
        stage=row.stage or "",
        error_class=retry.error_class,
    )
    _count_failure(c, clock, row, retry, error, now=now)
    return job_rows.get_job(c, job_id)


def lanes_with_work(c: Connection, clock: LeaseClock) -> Mapping[Lane, int]:
    """How many due jobs each lane has."""
    query = (
        select(jobs.c.lane, func.count())
        .where(jobs.c.state == JobState.QUEUED, clock.is_due(jobs))
        .group_by(jobs.c.lane)
    )
    return {Lane(lane): count for lane, count in c.execute(query)}


def _give_back(c: Connection, clock: LeaseClock, row: Any, *, now: datetime) -> None:
    """Its worker died while the job waited for its turn: nothing was tried."""
    c.execute(
        update(jobs)
        .where(jobs.c.id == row.id)
        .values(
            state=JobState.QUEUED,
            epoch=jobs.c.epoch + 1,
            worker=None,
            due_at=clock.now(),
            due_clock=clock.label,
            seq=jobs.c.seq + 1,
            updated_at=now,
        )
    )


def _count_failure(
    c: Connection,
    clock: LeaseClock,
    row: Any,
    retry: Retry,
    error: JobError,
    *,
    now: datetime,
    lane: Lane | None = None,
) -> None:
    attempts = {**row.attempts, retry.error_class: row.attempts.get(retry.error_class, 0) + 1}
    failures = attempts[retry.error_class]
    final = error.model_copy(update={"attempts": failures})
    if failures >= retry.max_attempts:
        job_rows.end_job(
            c,
            row,
            JobState.DEAD,
            JobStatus.FAILED,
            final.detail,
            now=now,
            error=final,
            attempts=attempts,
        )
        return
    c.execute(
        update(jobs)
        .where(jobs.c.id == row.id)
        .values(
            state=JobState.QUEUED,
            lane=lane or row.lane,
            epoch=jobs.c.epoch + 1,
            worker=None,
            attempts=attempts,
            due_at=clock.after(retry.wait_s(failures)),
            due_clock=clock.label,
            message=f"{final.detail} Trying again ({failures} of {retry.max_attempts - 1}).",
            seq=jobs.c.seq + 1,
            updated_at=now,
        )
    )
