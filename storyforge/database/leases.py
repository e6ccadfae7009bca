"""Leases: claim, renew, hand on, hand back. Every write carries the fence.

A claim adds one to the job's epoch; a writer with an older epoch changes no row and learns so
by LeaseLost. Cancelling, deleting and sweeping raise the epoch too, so a stale worker can never
write again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Row,
    bindparam,
    case,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from storyforge.database import jobs as job_rows
from storyforge.database.lease_clock import LeaseClock
from storyforge.database.tables import jobs
from storyforge.domain.job import (
    Approval,
    Job,
    JobKind,
    JobState,
    JobStatus,
    Lane,
    Stage,
    WaitReason,
    furthest,
)
from storyforge.errors import DeviceLost

JobRow: TypeAlias = Row[Any]
PLAN_READY = "The plan is ready: approve it to film it, or reject it."
LOST = "worker_lost"  # the error class of a worker that died
_COST_A_PROCESS = frozenset({LOST, DeviceLost.code})


class LeaseLost(Exception):
    """Somebody else owns the job now, or it has ended; stop and free the device."""


@dataclass(frozen=True)
class Claim:
    """The right to write to one job, until the epoch moves on.

    suspect: a worker or its device died with it before, so it gets a process to itself.
    batch_key: of its film's shape. fenced: always True, except in the test that proves that the oracle sees the damage.
    """

    job_id: UUID
    scene_id: UUID
    lane: Lane
    epoch: int
    kind: JobKind
    fenced: bool = True
    suspect: bool = False
    batch_key: str | None = None

    def holds(self) -> ColumnElement[bool]:
        """The fence, as a condition on the job's row."""
        if not self.fenced:
            return jobs.c.id == self.job_id
        return (
            (jobs.c.id == self.job_id)
            & (jobs.c.epoch == self.epoch)
            & (jobs.c.state == JobState.LEASED)
        )


def claim_next(
    c: Connection,
    clock: LeaseClock,
    lane: Lane,
    worker: str,
    *,
    lease_s: float,
    fenced: bool,
    now: datetime,
) -> Claim | None:
    """Lease the oldest due job of the lane; None when there is nothing to do."""
    row = claim_row(c, clock, lane, worker, lease_s=lease_s, now=now)
    return None if row is None else claim_of(row, fenced=fenced)


def claim_row(
    c: Connection, clock: LeaseClock, lane: Lane, worker: str, *, lease_s: float, now: datetime
) -> Row[Any] | None:
    """The same, giving all of the job's row."""
    wanted = {"of_lane": lane, "by_worker": worker, "lease_s": lease_s, "at": now}
    return c.execute(_claiming(clock), wanted).one_or_none()


def claim_of(row: Row[Any], *, fenced: bool) -> Claim:
    """The claim that `claim_row` made."""
    kind, lane = JobKind(row.kind), Lane(row.lane)
    return Claim(
        row.id, row.scene_id, lane, row.epoch, kind, fenced, is_suspect(row.attempts), row.batch_key
    )


def is_suspect(attempts: Collection[str]) -> bool:
    """Whether a process or a device died with a job; attempts: its failed ones, by error class."""
    return not _COST_A_PROCESS.isdisjoint(attempts)


def claimed_values(
    clock: LeaseClock, worker: Any, lease_s: Any, now: Any
) -> dict[str, ColumnElement[Any] | Any]:
    """What a claim writes; each argument may be a bound parameter."""
    return {
        "state": JobState.LEASED,
        "epoch": jobs.c.epoch + 1,
        "worker": worker,
        "due_at": clock.after(lease_s),
        "due_clock": clock.label,
        "status": case(
            (jobs.c.status == JobStatus.QUEUED, JobStatus.PROCESSING), else_=jobs.c.status
        ),
        "seq": jobs.c.seq + 1,
        "updated_at": now,
    }


@cache
def _claiming(clock: LeaseClock) -> ReturningUpdate[Any]:
    """Built once per process: building it costs more than running it."""
    oldest = (
        select(jobs.c.id)
        .where(
            jobs.c.lane == bindparam("of_lane"),
            jobs.c.state == JobState.QUEUED,
            clock.is_due(jobs),
        )
        .order_by(jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return (
        update(jobs)
        .where(jobs.c.id == oldest, jobs.c.state == JobState.QUEUED)
        .values(
            **claimed_values(
                clock,
                bindparam("by_worker"),
                bindparam("lease_s", type_=Float),
                bindparam("at"),
            ),
            begun=True,
        )
        .returning(jobs)
    )


def renew(c: Connection, clock: LeaseClock, claim: Claim, *, lease_s: float) -> bool:
    """Put the lease's end `lease_s` from now; False when the lease is lost."""
    return (
        c.execute(
            update(jobs)
            .where(claim.holds())
            .values(due_at=clock.after(lease_s), due_clock=clock.label)
        ).rowcount
        == 1
    )


def still_held(c: Connection, claim: Claim) -> bool:
    """Whether a write under this claim would still pass."""
    return c.execute(select(jobs.c.id).where(claim.holds())).one_or_none() is not None


def write_progress(
    c: Connection, claim: Claim, *, stage: Stage, progress: int, message: str, now: datetime
) -> Job:
    """Say where the job stands; progress never goes back. Raises LeaseLost."""
    _fenced(
        c,
        claim,
        stage=stage,
        progress=case((jobs.c.progress > progress, jobs.c.progress), else_=progress),
        message=message,
        now=now,
    )
    return job_rows.get_job(c, claim.job_id)


def finish_stage(
    c: Connection,
    claim: Claim,
    *,
    stage: Stage,
    progress: int,
    reached: JobStatus | None,
    preview_url: str | None = None,
    now: datetime,
) -> Job:
    """Record that a stage's result is saved. Raises LeaseLost."""
    current = job_rows.get_job(c, claim.job_id)
    status = furthest(current.status, reached) if reached else current.status
    _fenced(
        c,
        claim,
        stage=stage,
        status=status,
        progress=max(current.progress, progress),
        preview_url=preview_url or current.preview_url,
        now=now,
    )
    return job_rows.get_job(c, claim.job_id)


def hand_on(
    c: Connection,
    clock: LeaseClock,
    claim: Claim,
    lane: Lane,
    *,
    now: datetime,
    batch_key: str | None = None,
) -> Job:
    """End the lease at the lane's boundary; the job queues for the next lane.

    Before the film lane one that wants approval waits for it instead. batch_key: of its film's
    shape, once that is known; it stays from then on. Raises LeaseLost.
    """
    known = {} if batch_key is None else {"batch_key": batch_key}
    _requeue(c, clock, claim, now=now, lane=lane, **known)
    if lane is Lane.FILM:
        c.execute(
            update(jobs)
            .where(jobs.c.id == claim.job_id, jobs.c.approval == Approval.WANTED)
            .values(state=JobState.WAITING, wait_reason=WaitReason.APPROVAL, message=PLAN_READY)
        )
    return job_rows.get_job(c, claim.job_id)


def hand_back(c: Connection, clock: LeaseClock, claim: Claim, *, now: datetime) -> None:
    """Give the job back unharmed (a clean shutdown); no attempt is counted."""
    _requeue(c, clock, claim, now=now)


def _requeue(
    c: Connection,
    clock: LeaseClock,
    claim: Claim,
    *,
    now: datetime,
    lane: Lane | None = None,
    **more: Any,
) -> None:
    _fenced(
        c,
        claim,
        now=now,
        state=JobState.QUEUED,
        lane=lane or claim.lane,
        worker=None,
        due_at=clock.now(),
        due_clock=clock.label,
        **more,
    )


def _fenced(c: Connection, claim: Claim, *, now: datetime, **values: Any) -> None:
    changed = c.execute(
        update(jobs).where(claim.holds()).values(**values, seq=jobs.c.seq + 1, updated_at=now)
    ).rowcount
    if changed == 0:
        raise LeaseLost
