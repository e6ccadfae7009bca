"""The heartbeat keeps a lease, notices a lost one, and ends what is stuck."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from sqlalchemy import update

from scheduler.attempt import Attempt
from scheduler.heartbeat import Heartbeat
from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database import workers
from storyforge.database.engine import Database, open_database
from storyforge.database.tables import jobs
from storyforge.database.workers import WorkerRecord
from storyforge.domain.job import Job, JobState, Stage
from storyforge.errors import DeviceLost
from storyforge.events import RecordedEvents
from storyforge.failpoints import Failpoints
from storyforge.settings import DatabaseSettings, JobSettings
from tests.builders import accept, claim, new_scene
from tests.chaos.evidence import gather

QUICK = JobSettings(lease_s=0.6, heartbeat_s=0.1, cancel_poll_s=0.03, stage_deadline_s=60.0)
RECORD = WorkerRecord(name="w1", role="film", pid=1, info={})


def _attempt(database: Database, lease_s: float = 0.6) -> Attempt:
    accept(database, new_scene(database).id)
    held = claim(database, lease_s=lease_s)
    assert held is not None
    return Attempt(held, database, RecordedEvents(), Failpoints(), lambda: False, 1.0)


def _job(database: Database, job_id: UUID) -> Job:
    with database.read() as c:
        return job_rows.get_job(c, job_id)


def test_a_watched_lease_outlives_its_length(database: Database) -> None:
    attempt = _attempt(database)
    heartbeat = Heartbeat(database, QUICK, RECORD)
    heartbeat.start()
    heartbeat.watch(attempt)
    time.sleep(1.5)
    assert attempt.claim.job_id not in gather(database).due
    assert not attempt.lost.is_set()
    heartbeat.unwatch(attempt)
    time.sleep(0.9)
    assert attempt.claim.job_id in gather(database).due, "unwatched, it runs out"
    heartbeat.stop()


def test_a_cancelled_job_is_noticed_within_one_poll(database: Database) -> None:
    attempt = _attempt(database, lease_s=30.0)
    heartbeat = Heartbeat(database, JobSettings(), RECORD)
    heartbeat.watch(attempt)
    heartbeat.beat()
    assert not attempt.lost.is_set()
    job_id = attempt.claim.job_id
    database.write(lambda c: job_rows.cancel_job(c, job_id, now=clock.utc_now()))
    heartbeat.beat()
    assert attempt.lost.is_set()


def test_a_database_that_is_away_costs_the_lease_only_when_it_has_run_out(
    database: Database,
) -> None:
    attempt = _attempt(database)
    nowhere = open_database("postgresql://nobody@127.0.0.1:1/none", DatabaseSettings())
    heartbeat = Heartbeat(nowhere, QUICK, RECORD)
    heartbeat.watch(attempt)
    heartbeat.beat()
    assert not attempt.lost.is_set(), "nobody can have taken it yet"
    time.sleep(QUICK.lease_s)
    heartbeat.beat()
    assert attempt.lost.is_set()
    nowhere.dispose()


def test_a_stage_without_progress_ends_its_process_after_saying_why(database: Database) -> None:
    """F33: alive, and stuck."""
    attempt = _attempt(database, lease_s=30.0)
    attempt.stage = Stage.ENCODE_HLS
    ended: list[bool] = []
    settings = QUICK.model_copy(update={"stage_deadline_s": 0.2})
    heartbeat = Heartbeat(database, settings, RECORD, end_process=lambda: ended.append(True))
    heartbeat.watch(attempt)
    heartbeat.beat()
    assert not ended
    time.sleep(0.25)
    heartbeat.beat()
    job = _job(database, attempt.claim.job_id)
    assert ended == [True]
    assert (job.state, job.attempts) == (JobState.QUEUED, {"stuck": 1})
    assert "Stage encode_hls made no progress for 0.2 s" in job.message


def test_progress_puts_the_deadline_off(database: Database) -> None:
    attempt = _attempt(database, lease_s=30.0)
    ended: list[bool] = []
    settings = QUICK.model_copy(update={"stage_deadline_s": 0.3})
    heartbeat = Heartbeat(database, settings, RECORD, end_process=lambda: ended.append(True))
    heartbeat.watch(attempt)
    for _ in range(4):
        time.sleep(0.15)
        attempt.step(Stage.RENDER_SHOTS, 0.1, "x")
        heartbeat.beat()
    assert not ended


def test_the_worker_gives_a_sign_of_life(database: Database) -> None:
    heartbeat = Heartbeat(database, QUICK, RECORD)
    heartbeat.beat()
    with database.read() as c:
        assert [one.name for one in workers.live_workers(c, database.clock)] == ["w1"]


def test_each_sign_of_life_carries_what_the_worker_knows_then(database: Database) -> None:
    degrees = iter((40, 50))
    record = RECORD.model_copy(update={"info": {"device": "0"}})
    heartbeat = Heartbeat(database, QUICK, record, info=lambda: {"celsius": next(degrees)})
    for celsius in (40, 50):
        heartbeat.beat()
        with database.read() as c:
            (seen,) = workers.live_workers(c, database.clock)
        assert seen.info == {"device": "0", "celsius": celsius}
        time.sleep(QUICK.heartbeat_s)


def test_a_fatal_fault_is_recorded_for_every_attempt_before_the_process_ends(
    database: Database,
) -> None:
    """F32: the jobs go back to the queue with the reason."""
    attempts = [_attempt(database, lease_s=30.0) for _ in range(2)]
    states: list[JobState] = []

    def end() -> None:
        states.extend(_job(database, one.claim.job_id).state for one in attempts)

    heartbeat = Heartbeat(database, QUICK, RECORD, end_process=end)
    for attempt in attempts:
        heartbeat.watch(attempt)
    heartbeat.end_for(DeviceLost("Device 0 failed. Xid 79."))
    assert states == [JobState.QUEUED, JobState.QUEUED]
    for attempt in attempts:
        job = _job(database, attempt.claim.job_id)
        assert job.attempts == {"device_lost": 1}
        assert "Xid 79" in job.message


@pytest.mark.parametrize("fenced", [True, False])
def test_only_the_fence_makes_a_lost_lease_stop_anybody(
    database: Database, *, fenced: bool
) -> None:
    """The negative control of the oracle relies on this switch."""
    accept(database, new_scene(database).id)
    held = claim(database, fenced=fenced)
    assert held is not None
    attempt = Attempt(held, database, RecordedEvents(), Failpoints(), lambda: False, 1.0)
    heartbeat = Heartbeat(database, QUICK, RECORD)
    heartbeat.watch(attempt)
    database.write(lambda c: c.execute(update(jobs).values(epoch=9)))
    heartbeat.beat()
    assert attempt.lost.is_set() is fenced
