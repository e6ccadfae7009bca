"""Batches: what waits for a lane, claiming several jobs at once, and who was overtaken by that."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Float, Row, case, cast, select, update

from storyforge.database.lease_clock import LeaseClock
from storyforge.database.leases import Claim, LeaseLost, claimed_values, is_suspect
from storyforge.database.tables import jobs
from storyforge.domain.job import JobState, Lane

WINDOW = 64  # the oldest that are looked at; a whole queue of thousands need not be read
# Due on a clock that is over: the host was restarted, so nobody knows how long it has waited.
_LONG_AGO_S = 1e9


@dataclass(frozen=True)
class Waiting:
    """A due job. key: of its shape; None when nobody knows it. waited_s: since it became due.

    overtaken: how many claims took a later job first. suspect: it must run alone.
    """

    id: UUID
    key: str | None
    waited_s: float
    overtaken: int
    suspect: bool


def waiting_jobs(c: Connection, clock: LeaseClock, lane: Lane) -> Sequence[Waiting]:
    """The oldest due jobs of a lane, oldest first."""
    waited = case(
        (jobs.c.due_clock == clock.label, cast(clock.now(), Float) - jobs.c.due_at),
        else_=_LONG_AGO_S,
    )
    query = (
        select(
            jobs.c.id, jobs.c.batch_key, jobs.c.overtaken, jobs.c.attempts, waited.label("waited")
        )
        .where(jobs.c.lane == lane, jobs.c.state == JobState.QUEUED, clock.is_due(jobs))
        .order_by(jobs.c.id)
        .limit(WINDOW)
    )
    return [
        Waiting(
            id=row.id,
            key=row.batch_key,
            waited_s=row.waited,
            overtaken=row.overtaken,
            suspect=is_suspect(row.attempts),
        )
        for row in c.execute(query)
    ]


def claim_jobs(
    c: Connection,
    clock: LeaseClock,
    ids: Collection[UUID],
    worker: str,
    *,
    begins: int,
    lease_s: float,
    now: datetime,
) -> Sequence[Row[Any]]:
    """Lease these jobs, as far as nobody else did meanwhile; gives their rows, oldest first.

    begins: how many of them, from the first on, begin at once; the others wait for their turn in
    the same process, and a death of that process before costs them no attempt.
    """
    free = (
        select(jobs.c.id)
        .where(jobs.c.id.in_(ids), jobs.c.state == JobState.QUEUED, clock.is_due(jobs))
        .with_for_update(skip_locked=True)
    )
    first = list(ids)[:begins]
    claiming = (
        update(jobs)
        .where(jobs.c.id.in_(free), jobs.c.state == JobState.QUEUED)
        .values(
            **claimed_values(clock, worker, lease_s, now),
            begun=jobs.c.id.in_(first),
            overtaken=0,
        )
        .returning(jobs)
    )
    return sorted(c.execute(claiming), key=lambda row: list(ids).index(row.id))


def note_overtaken(c: Connection, clock: LeaseClock, lane: Lane, newest: UUID) -> None:
    """A claim took `newest` first: count that on every due job that is older and still waits."""
    c.execute(
        update(jobs)
        .where(
            jobs.c.lane == lane,
            jobs.c.state == JobState.QUEUED,
            jobs.c.id < newest,
            clock.is_due(jobs),
        )
        .values(overtaken=jobs.c.overtaken + 1)
    )


def begin(c: Connection, claim: Claim) -> None:
    """A job that was claimed with others begins. Raises LeaseLost."""
    if c.execute(update(jobs).where(claim.holds()).values(begun=True)).rowcount == 0:
        raise LeaseLost
