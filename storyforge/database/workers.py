"""Who works on this node: rows that every worker process and the sweeper keep fresh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from storyforge.database.engine import upsert
from storyforge.database.lease_clock import LeaseClock
from storyforge.database.tables import workers
from storyforge.domain.wire import Wire

ENGINE_ROLE = "engine"
"""Keepers of language model servers; they claim nothing."""


class WorkerRecord(Wire):
    """One live worker process; `info` says what it works with (model, device)."""

    name: str
    role: str
    pid: int
    info: Mapping[str, Any]


def beat_worker(c: Connection, clock: LeaseClock, record: WorkerRecord, *, ttl_s: float) -> None:
    """Say that this worker is alive for the next `ttl_s` seconds."""
    upsert(
        c,
        workers,
        name=record.name,
        role=record.role,
        pid=record.pid,
        info=dict(record.info),
        due_at=clock.after(ttl_s),
        due_clock=clock.label,
    )


def live_workers(c: Connection, clock: LeaseClock) -> Sequence[WorkerRecord]:
    """The workers that were heard of lately, by name."""
    query = select(workers).where(~clock.is_due(workers)).order_by(workers.c.name)
    return [
        WorkerRecord(name=row.name, role=row.role, pid=row.pid, info=row.info)
        for row in c.execute(query)
    ]


def forget_dead_workers(c: Connection, clock: LeaseClock) -> int:
    """Drop the rows of workers not heard of; gives how many."""
    return c.execute(delete(workers).where(clock.is_due(workers))).rowcount
