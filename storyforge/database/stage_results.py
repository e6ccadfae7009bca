"""Saved stage results, so that a rerun resumes behind the last finished one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, select, update

from storyforge.database.engine import upsert
from storyforge.database.jobs import job_of
from storyforge.database.leases import Claim, LeaseLost
from storyforge.database.tables import jobs, stage_results
from storyforge.domain.job import GenerationJobPayload, Job, Stage

# Built once, as in storyforge/database/scenes.py.
_JOB = select(jobs).where(jobs.c.id == bindparam("job_id"))
_RESULT = select(stage_results.c.body).where(
    stage_results.c.job_id == bindparam("job_id"),
    stage_results.c.stage == bindparam("stage"),
    stage_results.c.item == bindparam("item"),
)
_RESULT_OF_INPUT = _RESULT.where(stage_results.c.input_hash == bindparam("input_hash"))


def save_result(
    c: Connection,
    claim: Claim,
    *,
    stage: Stage,
    item: int,
    input_hash: str,
    body: Mapping[str, Any],
    now: datetime,
) -> None:
    """Save one result under the fence. Raises LeaseLost."""
    locked = c.execute(select(jobs.c.id).where(claim.holds()).with_for_update()).one_or_none()
    if locked is None:
        raise LeaseLost
    upsert(
        c,
        stage_results,
        job_id=claim.job_id,
        stage=stage,
        item=item,
        input_hash=input_hash,
        body=dict(body),
        epoch=claim.epoch,
        created_at=now,
    )


def load_result(
    c: Connection, job_id: UUID, *, stage: Stage, item: int, input_hash: str | None
) -> Mapping[str, Any] | None:
    """The saved result for exactly this input (None: for whatever input), or None."""
    query = _RESULT if input_hash is None else _RESULT_OF_INPUT
    wanted = {"job_id": job_id, "stage": stage, "item": item, "input_hash": input_hash}
    body: Mapping[str, Any] | None = c.execute(query, wanted).scalar_one_or_none()
    return body


def save_payload(c: Connection, claim: Claim, payload: GenerationJobPayload) -> None:
    """Snapshot what the stages work on, at the first claim. Raises LeaseLost."""
    changed = c.execute(
        update(jobs).where(claim.holds()).values(payload=payload.to_json())
    ).rowcount
    if changed == 0:
        raise LeaseLost


def load_payload(c: Connection, job_id: UUID) -> GenerationJobPayload | Job:
    """The snapshot, or before the first claim the job to make it of."""
    return payload_in(c.execute(_JOB, {"job_id": job_id}).one())


def payload_in(row: Row[Any]) -> GenerationJobPayload | Job:
    """The same, of a row that was just read."""
    return GenerationJobPayload.model_validate(row.payload) if row.payload else job_of(row)
