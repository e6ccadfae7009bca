"""Claiming several jobs at once, on both databases."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
from sqlalchemy import Connection, select, update

from storyforge import clock
from storyforge.database import batches, failures, jobs, leases
from storyforge.database.batches import Waiting
from storyforge.database.engine import Database
from storyforge.database.failures import Retry
from storyforge.database.leases import Claim, LeaseLost, claim_of
from storyforge.database.tables import jobs as job_table
from storyforge.domain.job import Job, JobState, Lane
from tests.builders import accept, claim, new_scene

LOST = Retry("worker_lost", 3, 0.0, 0.0)
KEY = "12345678:64x64@4:8+8"


def to_film(database: Database, count: int, key: str = KEY) -> list[UUID]:
    """Jobs that wait for the film lane."""
    ids = []
    for _ in range(count):
        ids.append(accept(database, new_scene(database).id).job.id)
        held = claim(database)
        assert held is not None
        database.write(
            lambda c, held=held: leases.hand_on(  # type: ignore[misc]
                c, database.clock, held, Lane.FILM, now=clock.utc_now(), batch_key=key
            )
        )
    return ids


def waiting(database: Database) -> list[Waiting]:
    with database.read() as c:
        return list(batches.waiting_jobs(c, database.clock, Lane.FILM))


def take(database: Database, ids: list[UUID], begins: int = 1, worker: str = "w") -> list[Claim]:
    def write(c: Connection) -> list[Claim]:
        rows = batches.claim_jobs(
            c, database.clock, ids, worker, begins=begins, lease_s=30.0, now=clock.utc_now()
        )
        return [claim_of(row, fenced=True) for row in rows]

    return database.write(write)


def expire(database: Database, job_id: UUID) -> Job | None:
    database.write(
        lambda c: c.execute(update(job_table).where(job_table.c.id == job_id).values(due_at=0.0))
    )
    return database.write(
        lambda c: failures.take_back(c, database.clock, job_id, LOST, now=clock.utc_now())
    )


def test_what_waits_is_listed_oldest_first_with_its_shape(database: Database) -> None:
    ids = to_film(database, 2)
    found = waiting(database)
    assert [one.id for one in found] == ids
    assert {one.key for one in found} == {KEY}
    assert all(0 <= one.waited_s < 60 for one in found)
    assert all(not one.suspect and one.overtaken == 0 for one in found)


def test_jobs_are_claimed_together_in_the_order_that_was_chosen(database: Database) -> None:
    ids = to_film(database, 3)
    claims = take(database, [ids[2], ids[0]])
    assert [one.job_id for one in claims] == [ids[2], ids[0]]
    assert {one.batch_key for one in claims} == {KEY}
    assert [one.id for one in waiting(database)] == [ids[1]]
    for held in claims:
        assert database.write(
            lambda c, held=held: leases.renew(c, database.clock, held, lease_s=30.0)  # type: ignore[misc]
        )


def test_workers_that_choose_the_same_jobs_share_them_out(database: Database) -> None:
    ids = to_film(database, 8)
    got: list[UUID] = []

    def work(name: str) -> None:
        got.extend(one.job_id for one in take(database, ids, worker=name))

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == ids


def test_a_death_costs_only_those_that_had_begun_an_attempt(database: Database) -> None:
    """F66: who only waited for its turn is no suspect either."""
    ids = to_film(database, 3)
    claims = take(database, ids, begins=1)
    database.write(lambda c: batches.begin(c, claims[1]))
    attempts = []
    for job_id in ids:
        job = expire(database, job_id)
        assert job is not None
        assert job.state is JobState.QUEUED
        attempts.append(job.attempts)
    assert attempts == [{"worker_lost": 1}, {"worker_lost": 1}, {}]
    assert [one.suspect for one in waiting(database)] == [True, True, False]
    with pytest.raises(LeaseLost):
        database.write(lambda c: batches.begin(c, claims[2]))


def test_a_job_that_was_cancelled_while_it_waited_does_not_begin(database: Database) -> None:
    ids = to_film(database, 2)
    claims = take(database, ids)
    database.write(lambda c: jobs.cancel_job(c, ids[1], now=clock.utc_now()))
    with pytest.raises(LeaseLost):
        database.write(lambda c: batches.begin(c, claims[1]))
    assert database.write(lambda c: leases.renew(c, database.clock, claims[0], lease_s=30.0))


def test_who_is_overtaken_is_counted_until_it_is_claimed(database: Database) -> None:
    ids = to_film(database, 3)
    take(database, [ids[1]])
    database.write(lambda c: batches.note_overtaken(c, database.clock, Lane.FILM, ids[1]))
    assert [(one.id, one.overtaken) for one in waiting(database)] == [(ids[0], 1), (ids[2], 0)]
    take(database, [ids[0]])
    with database.read() as c:
        query = select(job_table.c.overtaken).where(job_table.c.id == ids[0])
        assert c.execute(query).scalar_one() == 0


def test_the_shape_stays_with_a_job_that_is_handed_back(database: Database) -> None:
    ids = to_film(database, 1)
    (held,) = take(database, ids)
    database.write(lambda c: leases.hand_back(c, database.clock, held, now=clock.utc_now()))
    assert [one.key for one in waiting(database)] == [KEY]
