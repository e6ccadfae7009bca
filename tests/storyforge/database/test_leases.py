"""Leases: claim, fence, retry, take back, on both databases."""

from __future__ import annotations

import threading
import time
from uuid import UUID

import pytest

from storyforge import clock
from storyforge.database import failures, jobs, leases
from storyforge.database.engine import Database
from storyforge.database.failures import Retry
from storyforge.database.leases import Claim, LeaseLost
from storyforge.domain.job import Job, JobError, JobState, JobStatus, Lane, Stage
from tests.builders import accept, claim, hand_on, new_scene

LOST = Retry("worker_lost", 3, 0.0, 0.0)


def _job(database: Database, job_id: UUID) -> Job:
    with database.read() as c:
        return jobs.get_job(c, job_id)


def _progress(database: Database, held: Claim, percent: int = 3) -> Job:
    return database.write(
        lambda c: leases.write_progress(
            c, held, stage=Stage.EXPAND_SCRIPT, progress=percent, message="x", now=clock.utc_now()
        )
    )


def _take_back(database: Database, job_id: UUID) -> Job | None:
    return database.write(
        lambda c: failures.take_back(c, database.clock, job_id, LOST, now=clock.utc_now())
    )


def test_a_job_is_claimed_once_and_only_in_its_lane(database: Database) -> None:
    job = accept(database, new_scene(database).id).job
    assert claim(database, Lane.FILM) is None
    first = claim(database)
    assert first is not None
    assert (first.job_id, first.epoch) == (job.id, 1)
    assert claim(database) is None
    assert _job(database, job.id).status is JobStatus.PROCESSING


def test_twenty_workers_claiming_at_once_get_every_job_exactly_once(database: Database) -> None:
    expected = {accept(database, new_scene(database).id).job.id for _ in range(10)}
    got: list[UUID] = []

    def work(name: str) -> None:
        while (held := claim(database, worker=name)) is not None:
            got.append(held.job_id)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted(expected)


def test_a_stale_writer_changes_nothing_and_learns_so(database: Database) -> None:
    job = accept(database, new_scene(database).id).job
    stale = claim(database, lease_s=0.0)
    assert stale is not None
    assert _take_back(database, job.id) is not None
    fresh = claim(database, worker="w2")
    assert fresh is not None
    assert fresh.epoch > stale.epoch
    before = _job(database, job.id)
    with pytest.raises(LeaseLost):
        _progress(database, stale)
    with pytest.raises(LeaseLost):
        hand_on(database, stale, Lane.FILM)
    assert not database.write(lambda c: leases.renew(c, database.clock, stale, lease_s=30.0))
    assert _job(database, job.id) == before
    assert _progress(database, fresh).progress == 3


def test_progress_never_goes_back(database: Database) -> None:
    accept(database, new_scene(database).id)
    held = claim(database)
    assert held is not None
    _progress(database, held, 40)
    assert _progress(database, held, 10).progress == 40


def test_a_renewed_lease_is_not_taken_back(database: Database) -> None:
    job = accept(database, new_scene(database).id).job
    held = claim(database, lease_s=0.0)
    assert held is not None
    database.write(lambda c: leases.renew(c, database.clock, held, lease_s=30.0))
    assert _take_back(database, job.id) is None
    assert _job(database, job.id).state is JobState.LEASED


def test_taking_back_twice_counts_one_failure(database: Database) -> None:
    job = accept(database, new_scene(database).id).job
    claim(database, lease_s=0.0)
    assert _take_back(database, job.id) is not None
    assert _take_back(database, job.id) is None
    assert _job(database, job.id).attempts == {"worker_lost": 1}


def test_a_job_that_kills_every_worker_dies_after_its_bounded_attempts(
    database: Database,
) -> None:
    scene = new_scene(database)
    job = accept(database, scene.id).job
    for _ in range(LOST.max_attempts):
        assert claim(database, lease_s=0.0) is not None
        _take_back(database, job.id)
    dead = _job(database, job.id)
    assert (dead.state, dead.status) == (JobState.DEAD, JobStatus.FAILED)
    assert dead.error is not None
    assert (dead.error.code, dead.error.attempts) == ("worker_lost", 3)
    assert accept(database, scene.id).job.state is JobState.QUEUED, "the scene is free again"


def test_a_failed_attempt_waits_for_its_backoff(database: Database) -> None:
    job = accept(database, new_scene(database).id).job
    held = claim(database)
    assert held is not None
    policy = Retry("store_unreachable", 5, 0.3, 10.0)
    error = JobError(code="store_unreachable", detail="Away.")
    database.write(
        lambda c: failures.fail_attempt(c, database.clock, held, policy, error, now=clock.utc_now())
    )
    assert claim(database) is None
    assert _job(database, job.id).state is JobState.QUEUED
    time.sleep(0.35)
    assert claim(database) is not None


@pytest.mark.parametrize(("failures", "wait_s"), [(1, 5.0), (2, 10.0), (3, 20.0), (9, 60.0)])
def test_backoff_doubles_to_its_cap(failures: int, wait_s: float) -> None:
    assert Retry("x", 10, 5.0, 60.0).wait_s(failures) == wait_s


def test_cancelling_raises_the_fence_at_once(database: Database) -> None:
    scene = new_scene(database)
    job = accept(database, scene.id).job
    held = claim(database)
    assert held is not None
    database.write(lambda c: jobs.cancel_job(c, job.id, now=clock.utc_now()))
    with pytest.raises(LeaseLost):
        _progress(database, held)
    assert _job(database, job.id).status is JobStatus.CANCELLED
    assert accept(database, scene.id).job.state is JobState.QUEUED


def test_handing_back_counts_no_attempt(database: Database) -> None:
    job = accept(database, new_scene(database).id).job
    held = claim(database)
    assert held is not None
    database.write(lambda c: leases.hand_back(c, database.clock, held, now=clock.utc_now()))
    found = _job(database, job.id)
    assert (found.state, found.attempts) == (JobState.QUEUED, {})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_leases_of_an_earlier_boot_are_over(database: Database) -> None:
    """A host that restarts has a new boot id: what SQLite's jobs held is free at once."""
    job = accept(database, new_scene(database).id).job
    claim(database, lease_s=3600.0)
    database.clock = type(database.clock)("boot:another")
    assert _take_back(database, job.id) is not None
