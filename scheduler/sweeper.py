"""The sweeper: takes back expired leases, wakes lanes with work, keeps house. Safe to run twice.

`python -m scheduler.sweeper`. It is what makes a lost wake-up or a dead worker harmless.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import redis
import structlog
from sqlalchemy import Connection

from scheduler.dispatch import CeleryDispatcher, Dispatcher, make_celery
from scheduler.leftovers import Collector
from scheduler.retries import lost_retry
from scheduler.runtime import require_broker
from storyforge import clock
from storyforge.database import failures, workers
from storyforge.database.engine import Database, limit_lock_wait, open_database
from storyforge.database.partitions import ensure_partitions
from storyforge.database.workers import WorkerRecord
from storyforge.domain.job import Job, Lane
from storyforge.errors import DatabaseUnreachable, DiskFull
from storyforge.events import EventBus, LiveEvent, RedisEvents
from storyforge.settings import JobSettings, Settings, load_settings
from storyforge.storage import open_store
from storyforge.telemetry import set_up_logging

_log = structlog.get_logger(__name__)
_HOUSE_EVERY_S = 3600.0
_MAX_WAKE_UPS = 4  # per lane and sweep: each one drains until nothing is left
_TTL_SWEEPS = 4
_LOCK_WAIT_S = 2.0  # one job whose row is held must not keep the sweeper from the others


class QueueLengths(Protocol):
    """How many wake-ups lie unread in a lane's queue."""

    def unread(self, lane: Lane) -> int:
        """The queue's length; raises nothing, 0 when the broker is away."""
        ...


class RedisQueueLengths:
    """The lengths of Celery's lists in Redis."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._client = redis.Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        )

    def unread(self, lane: Lane) -> int:
        """The length of the lane's list."""
        try:
            length: Any = self._client.llen(lane.value)
        except redis.RedisError:
            return 0
        return int(length)


@dataclass
class Sweeper:
    """One `sweep` looks once at everything."""

    database: Database
    events: EventBus
    dispatcher: Dispatcher
    queues: QueueLengths
    jobs: JobSettings
    work_dir: Path
    record: WorkerRecord
    collector: Collector
    _housekept_s: float = field(default=float("-inf"))

    def sweep(self) -> None:
        """Take back, wake, and now and then keep house."""
        self._take_back()
        self._wake()
        self.database.write(
            lambda c: workers.beat_worker(
                c, self.database.clock, self.record, ttl_s=self.jobs.sweep_s * _TTL_SWEEPS
            )
        )
        if clock.monotonic_s() - self._housekept_s >= _HOUSE_EVERY_S:
            self._keep_house()
            self._housekept_s = clock.monotonic_s()

    def _take_back(self) -> None:
        with self.database.read() as c:
            expired = failures.expired_jobs(c, self.database.clock)
        for job_id in expired:
            self._take_one_back(job_id)

    def _take_one_back(self, job_id: UUID) -> None:
        policy = lost_retry(self.jobs)

        def take(c: Connection) -> Job | None:
            limit_lock_wait(c, _LOCK_WAIT_S)
            return failures.take_back(c, self.database.clock, job_id, policy, now=clock.utc_now())

        try:
            job = self.database.write(take)
        except DatabaseUnreachable as exc:  # its row is locked by a worker that hangs, say
            _log.warning("lease not taken back yet", job_id=str(job_id), error=exc.detail)
            return
        if job is not None:
            _log.warning("lease taken back", job_id=str(job_id), state=job.state.value)
            self.events.publish(LiveEvent(kind="job", scene_id=job.scene_id, job=job.update()))

    def _wake(self) -> None:
        with self.database.read() as c:
            waiting = failures.lanes_with_work(c, self.database.clock)
        for lane, count in waiting.items():
            for _ in range(min(count, _MAX_WAKE_UPS) - self.queues.unread(lane)):
                self.dispatcher.wake(lane)

    def _keep_house(self) -> None:
        now = clock.utc_now()
        made = self.database.write(lambda c: ensure_partitions(c, now=now))
        if made:
            _log.info("partitions made", names=made)
        self.database.write(lambda c: workers.forget_dead_workers(c, self.database.clock))
        self.collector.collect()
        oldest = now - timedelta(seconds=self.jobs.work_ttl_s)
        remove_old_folders(self.work_dir / "jobs", oldest.timestamp())


def remove_old_folders(root: Path, before_s: float) -> int:
    """Remove job folders not touched since `before_s` (seconds since 1970); gives how many."""
    removed = 0
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir() and folder.stat().st_mtime < before_s:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def build_sweeper(settings: Settings, pid: int) -> Sweeper:
    """Open what the sweeper needs."""
    broker_url = require_broker(settings)
    timeout_s = settings.broker.connect_timeout_s
    database = open_database(settings.database_url, settings.database)
    return Sweeper(
        database=database,
        events=RedisEvents(broker_url, timeout_s=timeout_s),
        dispatcher=CeleryDispatcher(make_celery(settings, broker_url)),
        queues=RedisQueueLengths(broker_url, timeout_s=timeout_s),
        jobs=settings.jobs,
        work_dir=settings.work_dir,
        record=WorkerRecord(name="sweeper", role="sweeper", pid=pid, info={}),
        collector=Collector(database, open_store(settings), settings.jobs.leftover_grace_s),
    )


def main() -> None:
    """Sweep until SIGTERM or SIGINT."""
    settings = load_settings()
    set_up_logging(settings.node.log_level, role="sweeper")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sweeper = build_sweeper(settings, os.getpid())
    while not stop.is_set():
        try:
            sweeper.sweep()
        except (DatabaseUnreachable, DiskFull) as exc:
            _log.warning("sweep skipped", error=exc.detail)
        except Exception:  # noqa: BLE001  the process's outermost loop: the next sweep follows
            _log.exception("sweep failed")
        stop.wait(settings.jobs.sweep_s)


if __name__ == "__main__":
    main()
