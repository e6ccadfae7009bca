"""Plans before films: what a held job is about to film, its approval, its rejection.

A job that wants approval ends its writing as `waiting` without a lease, and stays its scene's live
job. Approving, rejecting, cancelling and deleting exclude each other by the job's row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, or_, select, update

from storyforge.database import jobs as job_rows
from storyforge.database.lease_clock import LeaseClock
from storyforge.database.leases import Claim, LeaseLost
from storyforge.database.tables import jobs, stage_results
from storyforge.domain.edited_script import check_edited_script
from storyforge.domain.job import (
    Approval,
    GenerationJobPayload,
    Job,
    JobState,
    JobStatus,
    Lane,
    Stage,
    WaitReason,
)
from storyforge.domain.plan import Plan, RefusedScript
from storyforge.domain.script import Script
from storyforge.errors import Conflict, NotFound

# The items under which the continuity stage saves: what may be filmed, and what may not.
_ACCEPTED, _REFUSED = 0, 1


def read_plan(c: Connection, job: Job) -> Plan | None:
    """The script and the report of a job as its writing left them; None while there is none."""
    saved = {
        row.item: row.body
        for row in c.execute(
            select(stage_results.c.item, stage_results.c.body).where(
                stage_results.c.job_id == job.id, stage_results.c.stage == Stage.CHECK_CONTINUITY
            )
        )
    }
    if _ACCEPTED not in saved:
        return None
    refused = saved.get(_REFUSED, {}) if job.wait_reason is WaitReason.APPROVAL else {}
    return Plan(
        script=saved[_ACCEPTED]["script"],
        report=saved[_ACCEPTED]["report"],
        refused=RefusedScript.model_validate(refused) if "script" in refused else None,
    )


def queue_position(c: Connection, job: Job) -> int:
    """Which one it is, counted from 1, of the jobs that film, if it were let go now."""
    before = select(func.count()).where(
        jobs.c.id != job.id,
        jobs.c.lane == Lane.FILM,
        or_(
            jobs.c.state == JobState.LEASED,
            (jobs.c.state == JobState.QUEUED) & (jobs.c.id < job.id),
        ),
    )
    return int(c.execute(before).scalar_one()) + 1


def approve_job(
    c: Connection, job_id: UUID, clock: LeaseClock, script: Script | None, *, now: datetime
) -> Job:
    """Let a held job go on to be filmed, with its own script or the owner's.

    The owner's script is checked for continuity by the writing lane before. Approving twice is
    fine. Raises NotFound, InvalidInput (the script) and Conflict.
    """
    row = job_rows.lock_job(c, job_id)
    if row.approval == Approval.GIVEN and row.state != JobState.CANCELLED:
        _check_same(c, row, script)
        return job_rows.job_of(row)
    plan = _require_held(c, row, "approved")
    values: dict[str, Any] = {"lane": Lane.FILM, "message": "Approved."}
    if script is not None and script.shots != plan.script.shots:
        payload = GenerationJobPayload.model_validate(row.payload)
        mine = payload.model_copy(update={"script": _own(payload, script, plan.script)})
        values = {
            "lane": Lane.WRITE,
            "payload": mine.to_json(),
            "message": "Approved with your script; it is checked first.",
        }
    c.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(
            state=JobState.QUEUED,
            approval=Approval.GIVEN,
            wait_reason=None,
            due_at=clock.now(),
            due_clock=clock.label,
            seq=jobs.c.seq + 1,
            updated_at=now,
            **values,
        )
    )
    return job_rows.get_job(c, job_id)


def reject_job(c: Connection, job_id: UUID, reason: str, *, now: datetime) -> Job:
    """End a held job without a film. Rejecting twice is fine. Raises NotFound and Conflict."""
    row = job_rows.lock_job(c, job_id)
    if row.state == JobState.CANCELLED:
        return job_rows.job_of(row)
    _require_held(c, row, "rejected")
    message = f"Rejected: {reason}" if reason else "Rejected."
    job_rows.end_job(c, row, JobState.CANCELLED, JobStatus.CANCELLED, message, now=now)
    return job_rows.get_job(c, job_id)


def hold_again(c: Connection, claim: Claim, why: str, *, now: datetime) -> Job | None:
    """Hold a job whose owner's script contradicts the bible; None when the script is a writer's.

    The script that was proposed stands again, and the plan shows the refused one with its report.
    Raises LeaseLost.
    """
    row = job_rows.lock_job(c, claim.job_id)
    if claim.fenced and (row.epoch != claim.epoch or row.state != JobState.LEASED):
        raise LeaseLost
    payload = GenerationJobPayload.model_validate(row.payload)
    if payload.script is None:
        return None
    c.execute(
        update(jobs)
        .where(jobs.c.id == row.id)
        .values(
            state=JobState.WAITING,
            approval=Approval.WANTED,
            wait_reason=WaitReason.APPROVAL,
            lane=Lane.FILM,
            worker=None,
            payload=payload.model_copy(update={"script": None}).to_json(),
            message=f"Your script was not taken: {why}",
            seq=jobs.c.seq + 1,
            updated_at=now,
        )
    )
    return job_rows.get_job(c, row.id)


def _own(payload: GenerationJobPayload, script: Script, proposed: Script) -> Script:
    bible, target_s = payload.context.scene_bible, payload.config.target_duration
    return check_edited_script(script, proposed, bible, target_seconds=target_s)


def _require_held(c: Connection, row: Row[Any], done: str) -> Plan:
    """The plan of a job that waits for approval."""
    if row.wait_reason != WaitReason.APPROVAL:
        raise Conflict(
            f"Job {row.id} is {row.status} ({row.state}); only a job that waits for approval can "
            f"be {done}."
        )
    plan = read_plan(c, job_rows.job_of(row))
    if plan is None:
        raise NotFound(f"Job {row.id} has lost its plan; cancel it and send the text again.")
    return plan


def _check_same(c: Connection, row: Row[Any], script: Script | None) -> None:
    if script is None:
        return
    payload = GenerationJobPayload.model_validate(row.payload)
    plan = read_plan(c, job_rows.job_of(row))
    proposed = plan.script if plan is not None else script
    approved = payload.script or proposed
    if approved.shots not in {script.shots, _own(payload, script, proposed).shots}:
        raise Conflict(f"Job {row.id} was approved with another script already.")
