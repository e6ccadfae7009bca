"""Carries live events of this process's readers: from Redis at once, from the database at last.

One Redis reader per process, whatever the number of sockets. Every second the rows of the
subscribed scenes are looked at too, so that a lost message or a broker that is away only costs
that second.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Iterable
from datetime import timedelta
from uuid import UUID

import redis.asyncio
import structlog
from anyio import CapacityLimiter, to_thread
from pydantic import ValidationError
from redis.exceptions import RedisError

from api.live_outbox import ENDED_STATUSES, Outbox
from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database import scenes as scene_rows
from storyforge.database.engine import Database
from storyforge.domain.job import Job, JobProgressUpdate
from storyforge.errors import StoryForgeError
from storyforge.events import CHANNEL, LiveEvent
from storyforge.ids import uuid7_floor

POLL_S = 1.0
_RECONNECT_S = (0.2, 5.0)  # first and longest pause, with jitter
_LISTEN_S = 1.0
# A job that was made and ended between two looks is found by its age; ended ones stay known for
# longer than that, so that they are not told again.
_YOUNG = timedelta(seconds=60)
_KNOWN_S = 300.0
_log = structlog.get_logger(__name__)


class LiveHub:
    """Who listens to which scene, and the two sources. Used from one event loop only."""

    def __init__(
        self, database: Database, broker_url: str | None, *, poll_s: float = POLL_S
    ) -> None:
        self._database = database
        self._broker_url = broker_url
        self._poll_s = poll_s
        self._readers: dict[UUID, set[Outbox]] = {}
        self._known: dict[UUID, dict[UUID, int]] = {}  # scene -> job -> newest seq told
        self._ended: dict[UUID, float] = {}  # ended jobs in _known, and since when
        self._revisions: dict[UUID, int | None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._threads: CapacityLimiter | None = None
        self.sockets = 0

    def start(self) -> None:
        """Begin to listen; called inside the running loop."""
        self._threads = CapacityLimiter(4)
        self._tasks = [asyncio.create_task(self._poll())]
        if self._broker_url:
            self._tasks.append(asyncio.create_task(self._listen(self._broker_url)))

    async def stop(self) -> None:
        """End both sources."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def join(self, outbox: Outbox, scene_ids: Iterable[UUID]) -> None:
        """Bring this reader the events of these scenes from now on."""
        for scene_id in scene_ids:
            self._readers.setdefault(scene_id, set()).add(outbox)

    def leave(self, outbox: Outbox, scene_ids: Iterable[UUID]) -> None:
        """Bring them no more."""
        for scene_id in scene_ids:
            readers = self._readers.get(scene_id, set())
            readers.discard(outbox)
            if not readers:
                self._readers.pop(scene_id, None)
                self._revisions.pop(scene_id, None)
                for job_id in self._known.pop(scene_id, ()):
                    self._ended.pop(job_id, None)

    def tell(self, event: LiveEvent) -> None:
        """Give an event to its readers; each drops what it knows already."""
        readers = self._readers.get(event.scene_id)
        if not readers:
            return
        if event.job is not None:
            self._learn(event.job)
        for outbox in tuple(readers):
            outbox.offer(event)

    def tell_jobs(self, jobs: Iterable[Job]) -> None:
        """Tell what rows say."""
        for job in jobs:
            self.tell(LiveEvent(kind="job", scene_id=job.scene_id, job=job.update()))

    def _learn(self, job: JobProgressUpdate) -> None:
        known = self._known.setdefault(job.scene_id, {})
        if job.seq <= known.get(job.job_id, -1):
            return
        known[job.job_id] = job.seq
        if job.status in ENDED_STATUSES:
            self._ended[job.job_id] = clock.monotonic_s()
        else:
            self._ended.pop(job.job_id, None)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            if self._readers:
                try:
                    await self._look()
                except StoryForgeError as exc:
                    _log.warning("live updates cannot look", detail=exc.detail)
                except Exception:  # noqa: BLE001  the outermost loop of this task: it goes on
                    _log.exception("live updates failed to look")

    async def _look(self) -> None:
        scene_ids = tuple(self._readers)
        self._forget_old()
        known = {job: seq for jobs in self._known.values() for job, seq in jobs.items()}
        jobs, revisions = await to_thread.run_sync(
            self._rows, scene_ids, known, limiter=self._threads
        )
        self.tell_jobs(jobs)
        for scene_id in scene_ids:
            revision = revisions.get(scene_id)  # None: it was deleted
            if scene_id not in self._revisions or self._revisions[scene_id] != revision:
                self.tell(LiveEvent(kind="scene", scene_id=scene_id, revision=revision))
            if scene_id in self._readers:  # the last one may have left meanwhile
                self._revisions[scene_id] = revision

    def _rows(
        self, scene_ids: Collection[UUID], known: dict[UUID, int]
    ) -> tuple[list[Job], dict[UUID, int]]:
        since = uuid7_floor(clock.utc_now() - _YOUNG)
        with self._database.read() as c:
            jobs = job_rows.changed_jobs(c, scene_ids, known, since)
            return list(jobs), scene_rows.scene_revisions(c, scene_ids)

    def _forget_old(self) -> None:
        before = clock.monotonic_s() - _KNOWN_S
        old = {job_id for job_id, since in self._ended.items() if since < before}
        for known in self._known.values() if old else ():
            for job_id in old & known.keys():
                del known[job_id]
        for job_id in old:
            del self._ended[job_id]

    async def _listen(self, url: str) -> None:
        pause_s, longest_s = _RECONNECT_S
        while True:
            client = redis.asyncio.Redis.from_url(
                url, socket_connect_timeout=2, socket_timeout=5, health_check_interval=10
            )
            try:
                async with client.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(CHANNEL)
                    pause_s = _RECONNECT_S[0]
                    while True:
                        message = await channel.get_message(timeout=_LISTEN_S)
                        if message is not None:
                            self._hear(message["data"])
            except (RedisError, OSError) as exc:
                _log.warning("live updates lost the broker", error=type(exc).__name__)
            finally:
                await client.aclose()
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311  jitter
            pause_s = min(pause_s * 2, longest_s)

    def _hear(self, data: bytes | str) -> None:
        try:
            event = LiveEvent.model_validate_json(data)
        except ValidationError:
            _log.warning("a message on the live channel is not ours")
            return
        if event.kind == "scene" or event.job is not None:
            self.tell(event)
