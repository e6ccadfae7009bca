"""One reader's queue of live messages: numbered per job, conflated when the reader is slow."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any
from uuid import UUID

from storyforge.domain.job import JobProgressUpdate, JobStatus
from storyforge.events import LiveEvent

MAX_PENDING = 1000  # messages that differ in kind; conflation keeps a slow reader far below
ENDED_STATUSES = frozenset({JobStatus.FINAL_READY, JobStatus.FAILED, JobStatus.CANCELLED})


class Hopeless(Exception):
    """The reader takes nothing in and too much waits for it."""


class Outbox:
    """What one reader has not been sent yet. Used from one event loop only.

    Of the running states of a job only the latest is kept; states that end it are all kept. No
    state is sent twice, and none after a later one.
    """

    def __init__(self, max_pending: int = MAX_PENDING) -> None:
        self._max_pending = max_pending
        self._pending: OrderedDict[Hashable, str] = OrderedDict()
        self._seqs: dict[UUID, tuple[UUID, int]] = {}  # job -> (its scene, newest seq queued)
        self._revisions: dict[UUID, int | None] = {}
        self._held: dict[UUID, list[LiveEvent]] = {}
        self._controls = 0
        self._wake = asyncio.Event()

    def hold(self, scene_ids: Iterable[UUID]) -> None:
        """Keep the events of these scenes back until their snapshot is queued."""
        for scene_id in scene_ids:
            self._held.setdefault(scene_id, [])

    def put_snapshot(
        self,
        scene_ids: Iterable[UUID],
        message: str,
        jobs: Iterable[JobProgressUpdate],
        revisions: Mapping[UUID, int],
    ) -> None:
        """Queue the snapshot of held scenes, then what came meanwhile and is newer."""
        for job in jobs:
            self._seqs[job.job_id] = (job.scene_id, job.seq)
        self._revisions.update(revisions)
        self.put(message)
        for scene_id in scene_ids:
            for event in self._held.pop(scene_id, ()):
                self.offer(event)

    def forget(self, scene_ids: Collection[UUID]) -> None:
        """Drop what is known and waiting of these scenes."""
        for scene_id in scene_ids:
            self._held.pop(scene_id, None)
            self._revisions.pop(scene_id, None)
        gone = {job for job, (scene_id, _) in self._seqs.items() if scene_id in scene_ids}
        for job_id in gone:
            del self._seqs[job_id]
        for key in [key for key in self._pending if _about(key) in gone | set(scene_ids)]:
            del self._pending[key]

    def put(self, message: str) -> None:
        """Queue a message of its own."""
        self._controls += 1
        self._queue(("control", self._controls), message)

    def offer(self, event: LiveEvent) -> None:
        """Queue an event unless it is known; a newer one of its kind takes its place."""
        held = self._held.get(event.scene_id)
        if held is not None:
            held.append(event)
        elif event.job is not None:
            self._offer_job(event.job)
        elif event.kind == "scene":
            self._offer_scene(event.scene_id, event.revision)

    async def next(self) -> str:
        """The next message, waiting for one. Raises Hopeless."""
        while True:
            if len(self._pending) > self._max_pending:
                raise Hopeless
            if self._pending:
                return self._pending.popitem(last=False)[1]
            self._wake.clear()
            await self._wake.wait()

    def _offer_job(self, job: JobProgressUpdate) -> None:
        if job.seq <= self._seqs.get(job.job_id, (job.scene_id, -1))[1]:
            return
        self._seqs[job.job_id] = (job.scene_id, job.seq)
        running = ("job", job.job_id, 0)
        text = live_text({"type": "update", "update": job.to_json()})
        if job.status in ENDED_STATUSES:
            self._pending.pop(running, None)
            self._queue(("job", job.job_id, job.seq), text)
        else:
            self._queue(running, text)

    def _offer_scene(self, scene_id: UUID, revision: int | None) -> None:
        if scene_id in self._revisions:
            before = self._revisions[scene_id]
            if before is None or (revision is not None and revision <= before):
                return
        self._revisions[scene_id] = revision
        message: dict[str, Any] = {"type": "scene", "sceneId": str(scene_id), "revision": revision}
        if revision is None:
            message["deleted"] = True
        self._queue(("scene", scene_id), live_text(message))

    def _queue(self, key: Hashable, message: str) -> None:
        self._pending[key] = message
        self._wake.set()


def live_text(message: Mapping[str, Any]) -> str:
    """Compact JSON for one WebSocket message."""
    return json.dumps(message, separators=(",", ":"))


def _about(key: Hashable) -> UUID | None:
    """The job or scene that a queued message is about; None for one of its own."""
    assert isinstance(key, tuple)
    return key[1] if isinstance(key[1], UUID) else None
