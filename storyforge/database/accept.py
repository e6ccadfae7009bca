"""Accepting a continuation: checks, idempotency key and job row in one transaction.

The row is the queue: once this commits, the job cannot be lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert

from storyforge.database import jobs as job_rows
from storyforge.database import scenes as scene_rows
from storyforge.database.engine import insert_if_absent
from storyforge.database.lease_clock import LeaseClock
from storyforge.database.tables import idempotency_keys, jobs, scene_heads, segments
from storyforge.domain.job import (
    ENDED,
    Approval,
    Job,
    JobConfig,
    JobKind,
    JobState,
    JobStatus,
    Lane,
    WaitReason,
)
from storyforge.domain.scene import SceneApproval
from storyforge.errors import Conflict, IdempotencyKeyReused, NotFound, QueueFull

# Built once, as in storyforge/database/scenes.py.
_OPEN = jobs.c.state.in_(job_rows.OPEN_STATES)
_QUEUE = select(
    select(func.count()).select_from(jobs).where(_OPEN).scalar_subquery().label("open_jobs"),
    select(jobs.c.id)
    .where(jobs.c.scene_id == bindparam("scene_id"), _OPEN)
    .order_by(jobs.c.id.desc())
    .limit(1)
    .scalar_subquery()
    .label("last_open"),
)
_TAKEN_HEAD = (
    update(scene_heads)
    .where(scene_heads.c.scene_id == bindparam("of_scene"))
    .values(live_job_id=bindparam("by_job"), revision=scene_heads.c.revision + 1)
)


@dataclass(frozen=True)
class IdempotencyKey:
    """A client's key and the hash of the body that it came with."""

    owner_id: str
    key: str
    body_hash: str


@dataclass(frozen=True)
class NewJob:
    """What a client asks for.

    config: an empty style preset means the scene's. bible_version: the version that the client has seen; None when it does not care.
    after_job_id: the job that this one must follow; None for the scene's last one. hold: whether
    it waits for approval before it is filmed, as it does anyway where the scene wants that.
    """

    id: UUID
    scene_id: UUID
    kind: JobKind
    text: str
    config: JobConfig
    bible_version: int | None = None
    after_job_id: UUID | None = None
    hold: bool = False


@dataclass(frozen=True)
class Accepted:
    """The job, and whether it is the answer to an earlier request with the same key."""

    job: Job
    replayed: bool


@dataclass(frozen=True)
class _Position:
    """Where in its scene's line a job goes; `after` None and a version: it is live at once."""

    bible_version: int | None
    after: UUID | None
    message: str


def accept_job(
    c: Connection,
    new: NewJob,
    clock: LeaseClock,
    *,
    now: datetime,
    idempotency: IdempotencyKey | None = None,
    max_open: int,
) -> Accepted:
    """Write the job, or find the one that this idempotency key made before.

    Raises NotFound (scene, or afterJobId), Conflict (stale version, taken place),
    IdempotencyKeyReused and QueueFull.
    """
    if idempotency is not None:
        replay = _claim_key(c, idempotency, new.id, now)
        if replay is not None:
            return Accepted(replay, replayed=True)
    head = scene_rows.lock_head(c, new.scene_id)
    open_jobs, last_open = _queue(c, new.scene_id)
    if open_jobs >= max_open:
        raise QueueFull(
            f"{max_open} jobs are open already; wait for some to finish.", retry_after_s=30
        )
    position = _position(c, new, head, last_open)
    live = position.after is None
    values = _values(new, head, position, clock, now)
    row = c.execute(_inserting(clock), values).one()
    if live:
        _take_head(c, new.scene_id, new.id)
    return Accepted(job_rows.job_of(row), replayed=False)


def _values(
    new: NewJob, head: Row[Any], position: _Position, clock: LeaseClock, now: datetime
) -> dict[str, Any]:
    """The columns of the new row."""
    live = position.after is None
    style = new.config.style_preset or head.style_preset
    return {
        "id": new.id,
        "scene_id": new.scene_id,
        "kind": new.kind,
        "state": JobState.QUEUED if live else JobState.WAITING,
        "lane": Lane.WRITE,
        "status": JobStatus.QUEUED,
        "stage": None,
        "progress": 0,
        "message": position.message,
        "approval": _approval(new, head),
        "wait_reason": None if live else WaitReason.PREDECESSOR,
        "text": new.text,
        "config": new.config.model_copy(update={"style_preset": style}).to_json(),
        "after_job_id": position.after,
        "bible_version": position.bible_version,
        "payload": None,
        "epoch": 0,
        "worker": None,
        "due_clock": clock.label,
        "attempts": {},
        "seq": 1,
        "error": None,
        "preview_url": None,
        "result": None,
        "discarded": False,
        "created_at": now,
        "updated_at": now,
    }


def find_replay(c: Connection, key: IdempotencyKey) -> Job | None:
    """The job that this key made before, without taking the key. Raises IdempotencyKeyReused."""
    row = c.execute(
        select(idempotency_keys).where(
            idempotency_keys.c.owner_id == key.owner_id, idempotency_keys.c.key == key.key
        )
    ).one_or_none()
    if row is None:
        return None
    if row.body_hash != key.body_hash:
        raise IdempotencyKeyReused(
            f"Idempotency-Key '{key.key}' was used for job {row.job_id} with another body; "
            "use a new key for a new request."
        )
    return job_rows.get_job(c, row.job_id)


def _approval(new: NewJob, head: Row[Any]) -> Approval:
    wanted = new.hold or head.approval == SceneApproval.HOLD
    return Approval.WANTED if wanted else Approval.NONE


def _take_head(c: Connection, scene_id: UUID, job_id: UUID) -> None:
    c.execute(_TAKEN_HEAD, {"of_scene": scene_id, "by_job": job_id})


def _claim_key(c: Connection, key: IdempotencyKey, job_id: UUID, now: datetime) -> Job | None:
    """Take the key for this job; gives the earlier job when the key is taken."""
    if insert_if_absent(
        c,
        idempotency_keys,
        owner_id=key.owner_id,
        key=key.key,
        body_hash=key.body_hash,
        job_id=job_id,
        created_at=now,
    ):
        return None
    return find_replay(c, key)


def _position(c: Connection, new: NewJob, head: Row[Any], last_open: UUID | None) -> _Position:
    if new.bible_version is not None:
        _check_version(new, head)
    if new.kind is JobKind.RETAKE and head.live_job_id is not None:
        raise Conflict(
            f"Job {head.live_job_id} is continuing this scene; a retake needs a quiet scene. "
            "Wait for it or cancel it."
        )
    if new.after_job_id is not None:
        return _behind_named(c, new, head)
    tail = None if new.bible_version is not None else last_open
    if tail is not None:
        return _Position(None, tail, f"Waiting for job {tail}.")
    return _Position(head.bible_version, None, "Queued.")


def _check_version(new: NewJob, head: Row[Any]) -> None:
    if new.bible_version != head.bible_version:
        raise Conflict(
            f"You sent bibleVersion {new.bible_version}, but the scene is at version "
            f"{head.bible_version}. Read the new bible and send that version."
        )
    if head.live_job_id is not None and new.after_job_id is None:
        raise Conflict(
            f"bibleVersion {head.bible_version} is being continued to version "
            f"{head.bible_version + 1} by job {head.live_job_id}. Send afterJobId "
            f"{head.live_job_id} to follow it."
        )


def _behind_named(c: Connection, new: NewJob, head: Row[Any]) -> _Position:
    after = new.after_job_id
    row = c.execute(
        select(jobs.c.id, jobs.c.state, jobs.c.status).where(
            jobs.c.id == after, jobs.c.scene_id == new.scene_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"afterJobId {after} is no job of scene {new.scene_id}.")
    if row.state in {JobState.DEAD, JobState.CANCELLED}:
        raise Conflict(
            f"afterJobId {after} is {row.status}, so nothing can follow it. Retry it first, or "
            "leave afterJobId out."
        )
    follower = (
        c.execute(
            select(jobs.c.id).where(
                jobs.c.scene_id == new.scene_id,
                jobs.c.after_job_id == after,
                # a done one has moved the scene's head on, which is looked at below
                jobs.c.state.in_(job_rows.OPEN_STATES),
            )
        )
        .scalars()
        .first()
    )
    if follower is not None:
        raise Conflict(
            f"Job {follower} follows job {after} already. Send afterJobId {follower} to follow "
            "that one."
        )
    if JobState(row.state) not in ENDED:
        return _Position(None, row.id, f"Waiting for job {row.id}.")
    made = c.execute(
        select(segments.c.bible_version).where(
            segments.c.scene_id == new.scene_id,
            segments.c.job_id == after,
            segments.c.hidden_at.is_(None),
        )
    ).scalar_one_or_none()
    if made != head.bible_version or head.live_job_id is not None:
        raise Conflict(
            f"afterJobId {after} is not the end of the scene any more: it made bible version "
            f"{made}, and the scene is at version {head.bible_version}"
            + (f", being continued by job {head.live_job_id}." if head.live_job_id else ".")
        )
    return _Position(head.bible_version, None, "Queued.")


def _queue(c: Connection, scene_id: UUID) -> tuple[int, UUID | None]:
    """How many jobs are open on the node, and the last open one of the scene; one round trip."""
    row = c.execute(_QUEUE, {"scene_id": scene_id}).one()
    return row.open_jobs, row.last_open


@cache
def _inserting(clock: LeaseClock) -> ReturningInsert[Any]:
    return insert(jobs).values(due_at=clock.now()).returning(jobs)
