"""The sweeper makes a lost wake-up or a dead worker harmless, however often it runs."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler.dispatch import RecordedWakeUps
from scheduler.leftovers import Collector
from scheduler.sweeper import RedisQueueLengths, Sweeper, remove_old_folders
from storyforge.database.engine import Database
from storyforge.database.tables import jobs
from storyforge.database.workers import WorkerRecord
from storyforge.domain.job import JobState, Lane
from storyforge.events import RecordedEvents
from storyforge.settings import JobSettings
from storyforge.storage.memory import MemoryStore
from tests.builders import accept, claim, hand_on, new_scene
from tests.chaos.evidence import gather


class Queues:
    """So many unread wake-ups in every lane."""

    def __init__(self, unread: int = 0) -> None:
        self._unread = unread

    def unread(self, lane: Lane) -> int:
        del lane
        return self._unread


def _sweeper(database: Database, folder: Path, unread: int = 0) -> Sweeper:
    return Sweeper(
        database=database,
        events=RecordedEvents(),
        dispatcher=RecordedWakeUps(),
        queues=Queues(unread),
        jobs=JobSettings(backoff_s=0.0),
        work_dir=folder,
        record=WorkerRecord(name="sweeper", role="sweeper", pid=1, info={}),
        collector=Collector(database, MemoryStore(), grace_s=3600.0),
    )


def _woken(sweeper: Sweeper) -> list[Lane]:
    assert isinstance(sweeper.dispatcher, RecordedWakeUps)
    return sweeper.dispatcher.lanes


def test_a_queued_job_without_a_wake_up_gets_one(database: Database, tmp_path: Path) -> None:
    accept(database, new_scene(database).id)
    sweeper = _sweeper(database, tmp_path)
    sweeper.sweep()
    assert _woken(sweeper) == [Lane.WRITE]


def test_a_lane_with_an_unread_wake_up_gets_no_second_one(
    database: Database, tmp_path: Path
) -> None:
    accept(database, new_scene(database).id)
    sweeper = _sweeper(database, tmp_path, unread=1)
    sweeper.sweep()
    assert _woken(sweeper) == []


def test_wake_ups_are_capped_however_long_the_queue(database: Database, tmp_path: Path) -> None:
    for _ in range(9):
        accept(database, new_scene(database).id)
    sweeper = _sweeper(database, tmp_path)
    sweeper.sweep()
    assert _woken(sweeper) == [Lane.WRITE] * 4


def test_waiting_and_leased_jobs_wake_nobody(database: Database, tmp_path: Path) -> None:
    scene = new_scene(database)
    accept(database, scene.id)
    accept(database, scene.id)
    claim(database)
    sweeper = _sweeper(database, tmp_path)
    sweeper.sweep()
    assert _woken(sweeper) == []


def test_an_expired_lease_is_taken_back_and_its_lane_woken(
    database: Database, tmp_path: Path
) -> None:
    job = accept(database, new_scene(database).id).job
    held = claim(database)
    assert held is not None
    hand_on(database, held, Lane.FILM)
    claim(database, Lane.FILM, lease_s=0.0)
    sweeper = _sweeper(database, tmp_path)
    sweeper.sweep()
    row = gather(database).jobs[job.id]
    assert (row.state, row.attempts) == (JobState.QUEUED, {"worker_lost": 1})
    assert _woken(sweeper) == [Lane.FILM]
    assert isinstance(sweeper.events, RecordedEvents)
    assert [event.job.seq for event in sweeper.events.events if event.job] == [row.seq]


def test_many_sweepers_at_once_count_one_failure(database: Database, tmp_path: Path) -> None:
    """F76."""
    ids = [accept(database, new_scene(database).id).job.id for _ in range(5)]
    for _ in ids:
        claim(database, lease_s=0.0)
    sweepers = [_sweeper(database, tmp_path) for _ in range(6)]
    threads = [threading.Thread(target=one.sweep) for one in sweepers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = gather(database).jobs
    assert [rows[job_id].attempts for job_id in ids] == [{"worker_lost": 1}] * 5


def test_a_live_lease_is_left_alone(database: Database, tmp_path: Path) -> None:
    job = accept(database, new_scene(database).id).job
    claim(database, lease_s=30.0)
    _sweeper(database, tmp_path).sweep()
    assert gather(database).jobs[job.id].state == JobState.LEASED


def test_a_broker_that_is_away_counts_as_no_wake_ups() -> None:
    queues = RedisQueueLengths("redis://127.0.0.1:1/0", timeout_s=0.2)
    assert queues.unread(Lane.FILM) == 0


def test_only_old_job_folders_are_removed(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "shot").write_text("x")
    os.utime(old, (1.0, 1.0))
    assert remove_old_folders(tmp_path, time.time() - 60.0) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert remove_old_folders(tmp_path / "nowhere", 0.0) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_sweeper_shows_itself_among_the_workers(database: Database, tmp_path: Path) -> None:
    from storyforge.database.workers import live_workers  # noqa: PLC0415  one test

    _sweeper(database, tmp_path).sweep()
    with database.read() as c:
        assert [one.role for one in live_workers(c, database.clock)] == ["sweeper"]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_row_held_by_a_hanging_worker_does_not_stop_the_sweep(
    database: Database, tmp_path: Path
) -> None:
    """A worker stopped within its transaction keeps its row locked, and only its row."""
    held, other = (accept(database, new_scene(database).id).job.id for _ in range(2))
    for _ in range(2):
        claim(database, lease_s=0.0)
    sweeper = _sweeper(database, tmp_path)
    with database.engine.connect() as hanging:
        hanging.execute(select(jobs.c.id).where(jobs.c.id == held).with_for_update())
        sweeper.sweep()
        rows = gather(database).jobs
        assert (rows[held].state, rows[other].state) == (JobState.LEASED, JobState.QUEUED)
    sweeper.sweep()
    assert gather(database).jobs[held].state == JobState.QUEUED
