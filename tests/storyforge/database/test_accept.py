"""Accepting continuations: durable, idempotent, in line, on both databases."""

from __future__ import annotations

from uuid import UUID

import pytest

from storyforge import clock
from storyforge.database import jobs, scenes
from storyforge.database.accept import IdempotencyKey
from storyforge.database.deletion import delete_scene
from storyforge.database.engine import Database
from storyforge.domain.job import Job, JobKind, JobState, JobStatus
from storyforge.errors import (
    Conflict,
    IdempotencyKeyReused,
    NotFound,
    QueueFull,
    StoryForgeError,
)
from storyforge.ids import uuid7
from tests.builders import accept, film_next, filmed, new_scene, outcome, race


def _job(database: Database, job_id: UUID) -> Job:
    with database.read() as c:
        return jobs.get_job(c, job_id)


def _live(database: Database, scene_id: UUID) -> UUID | None:
    with database.read() as c:
        return scenes.get_scene(c, scene_id).live_job_id


def test_the_first_job_is_live_and_later_ones_wait_in_line(database: Database) -> None:
    scene = new_scene(database)
    first, second, third = (accept(database, scene.id).job for _ in range(3))
    assert (first.state, first.bible_version) == (JobState.QUEUED, 1)
    assert (second.state, second.after_job_id) == (JobState.WAITING, first.id)
    assert (third.state, third.after_job_id) == (JobState.WAITING, second.id)
    assert _live(database, scene.id) == first.id


def test_a_finished_job_lets_the_next_one_go_on_the_new_bible(database: Database) -> None:
    scene = new_scene(database)
    accept(database, scene.id)
    second = accept(database, scene.id).job
    film_next(database, outcome())
    found = _job(database, second.id)
    assert (found.state, found.bible_version) == (JobState.QUEUED, 2)
    assert _live(database, scene.id) == second.id


def test_a_stale_bible_version_is_refused_naming_both(database: Database) -> None:
    scene = new_scene(database)
    filmed(database, scene.id)
    with pytest.raises(Conflict, match=r"bibleVersion 1, but the scene is at version 2"):
        accept(database, scene.id, bible_version=1)
    assert accept(database, scene.id, bible_version=2).job.state is JobState.QUEUED


def test_a_version_that_is_being_continued_names_the_job_to_follow(database: Database) -> None:
    scene = new_scene(database)
    live = accept(database, scene.id, bible_version=1).job
    with pytest.raises(Conflict, match=f"Send afterJobId {live.id}"):
        accept(database, scene.id, bible_version=1)
    follower = accept(database, scene.id, after_job_id=live.id).job
    assert (follower.state, follower.after_job_id) == (JobState.WAITING, live.id)
    with pytest.raises(Conflict, match=f"Job {follower.id} follows job {live.id}"):
        accept(database, scene.id, after_job_id=live.id)


def test_after_a_done_job_means_the_scene_ends_with_it(database: Database) -> None:
    scene = new_scene(database)
    first = filmed(database, scene.id)
    second = accept(database, scene.id, after_job_id=first.job_id).job
    assert (second.state, second.bible_version) == (JobState.QUEUED, 2)
    film_next(database, outcome())
    with pytest.raises(Conflict, match=r"follows job|not the end of the scene"):
        accept(database, scene.id, after_job_id=first.job_id)


def test_after_a_cancelled_or_foreign_job_is_refused(database: Database) -> None:
    scene, other = new_scene(database), new_scene(database)
    job = accept(database, scene.id).job
    with pytest.raises(NotFound, match="is no job of scene"):
        accept(database, other.id, after_job_id=job.id)
    database.write(lambda c: jobs.cancel_job(c, job.id, now=clock.utc_now()))
    with pytest.raises(Conflict, match="is cancelled"):
        accept(database, scene.id, after_job_id=job.id)


def test_an_unknown_scene_is_not_found_and_a_full_queue_says_so(database: Database) -> None:
    with pytest.raises(NotFound):
        accept(database, uuid7())
    scene = new_scene(database)
    accept(database, scene.id)
    with pytest.raises(QueueFull) as caught:
        accept(database, scene.id, max_open=1)
    assert caught.value.retry_after_s > 0


def test_twenty_requests_with_one_key_make_one_job(database: Database) -> None:
    scene = new_scene(database)
    key = IdempotencyKey("local", "k1", "hash-a")
    ids: list[UUID] = []

    def work() -> None:
        ids.append(accept(database, scene.id, key=key).job.id)

    race(*[work] * 20)
    assert len(ids) == 20
    assert len(set(ids)) == 1
    with database.read() as c:
        assert len(jobs.list_jobs(c, limit=50)) == 1


def test_a_key_with_another_body_is_refused_and_a_refused_request_frees_its_key(
    database: Database,
) -> None:
    scene = new_scene(database)
    key = IdempotencyKey("local", "k1", "hash-a")
    with pytest.raises(Conflict):
        accept(database, scene.id, key=key, bible_version=99)
    assert not accept(database, scene.id, key=key).replayed, "the refusal kept nothing"
    assert accept(database, scene.id, key=key).replayed
    with pytest.raises(IdempotencyKeyReused, match="another body"):
        accept(database, scene.id, key=IdempotencyKey("local", "k1", "hash-b"))


def test_two_racing_on_one_version_exactly_one_is_accepted(database: Database) -> None:
    for _ in range(25):
        won, lost = _two_on_one_version(database, new_scene(database).id)
        assert (len(won), len(lost)) == (1, 1)
        assert str(won[0].id) in lost[0].detail


def _two_on_one_version(
    database: Database, scene_id: UUID
) -> tuple[list[Job], list[StoryForgeError]]:
    won: list[Job] = []
    lost: list[StoryForgeError] = []

    def send() -> None:
        try:
            won.append(accept(database, scene_id, bible_version=1).job)
        except Conflict as exc:
            lost.append(exc)

    race(send, send)
    return won, lost


def test_a_dead_or_cancelled_job_holds_the_whole_line_behind_it(database: Database) -> None:
    scene = new_scene(database)
    first, second, third = (accept(database, scene.id).job for _ in range(3))
    database.write(lambda c: jobs.cancel_job(c, first.id, now=clock.utc_now()))
    for held in (second, third):
        found = _job(database, held.id)
        assert found.state is JobState.WAITING
        assert str(first.id) in found.message
        assert found.seq > held.seq
    released = database.write(
        lambda c: jobs.retry_job(c, second.id, database.clock, now=clock.utc_now())
    )
    assert (released.state, released.bible_version) == (JobState.QUEUED, 1)
    assert _live(database, scene.id) == second.id
    film_next(database, outcome())
    assert _job(database, third.id).state is JobState.QUEUED


def test_only_failed_or_held_jobs_can_be_retried(database: Database) -> None:
    scene = new_scene(database)
    first, second = (accept(database, scene.id).job for _ in range(2))
    for job in (first, second):
        with pytest.raises(Conflict):
            database.write(
                lambda c, job_id=job.id: jobs.retry_job(
                    c, job_id, database.clock, now=clock.utc_now()
                )
            )


def test_a_retake_needs_a_quiet_scene(database: Database) -> None:
    scene = new_scene(database)
    filmed(database, scene.id)
    accept(database, scene.id)
    with pytest.raises(Conflict, match="quiet scene"):
        accept(database, scene.id, kind=JobKind.RETAKE)


def test_deleting_a_scene_cancels_what_is_open_and_accepts_no_more(database: Database) -> None:
    scene = new_scene(database)
    open_jobs = [accept(database, scene.id).job for _ in range(3)]
    database.write(lambda c: delete_scene(c, scene.id, now=clock.utc_now()))
    assert {_job(database, job.id).status for job in open_jobs} == {JobStatus.CANCELLED}
    with pytest.raises(NotFound):
        accept(database, scene.id)
