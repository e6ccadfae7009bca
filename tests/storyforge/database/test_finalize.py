"""Finalising, retaking and removing: one linear story, on both databases."""

from __future__ import annotations

import contextlib
from uuid import UUID

import pytest
from sqlalchemy import Connection, select

from scheduler.payloads import payload_of
from storyforge import clock
from storyforge.database import jobs, scenes, segments
from storyforge.database import tables as t
from storyforge.database.engine import Database
from storyforge.database.finalize import finalize_job
from storyforge.database.leases import Claim, LeaseLost
from storyforge.domain.bible import SceneBible
from storyforge.domain.job import Job, JobKind, JobState, Lane
from storyforge.domain.scene import Scene
from storyforge.errors import Conflict
from tests.builders import accept, claim, film_next, filmed, hand_on, new_scene, outcome, race


def _scene(database: Database, scene_id: UUID) -> Scene:
    with database.read() as c:
        return scenes.get_scene(c, scene_id)


def _texts(database: Database, scene_id: UUID) -> list[tuple[int, str]]:
    with database.read() as c:
        page = segments.page_segments(c, scene_id, limit=100)
    return [(segment.number, segment.text) for segment in page]


def _chain(database: Database, scene_id: UUID) -> list[tuple[int, str | None, str]]:
    with database.read() as c:
        rows = c.execute(
            select(t.scene_bibles)
            .where(t.scene_bibles.c.scene_id == scene_id)
            .order_by(t.scene_bibles.c.version)
        ).all()
    return [(row.version, row.parent_hash, row.content_hash) for row in rows]


def test_a_finished_job_moves_head_bible_and_segments_together(database: Database) -> None:
    scene = new_scene(database)
    done = filmed(database, scene.id, "One.")
    filmed(database, scene.id, "Two.")
    after = _scene(database, scene.id)
    assert (after.bible_version, after.next_number, after.live_job_id) == (3, 3, None)
    assert after.profile is not None
    assert _texts(database, scene.id) == [(1, "One."), (2, "Two.")]
    chain = _chain(database, scene.id)
    assert [version for version, _, _ in chain] == [1, 2, 3]
    assert chain[0][1] is None
    assert [chain[1][1], chain[2][1]] == [chain[0][2], chain[1][2]]
    with database.read() as c:
        job = jobs.get_job(c, done.job_id)
    assert job.state is JobState.DONE
    assert job.result is not None
    assert job.result.updated_bible_version == 2


def test_a_second_finalise_of_the_same_job_changes_nothing(database: Database) -> None:
    scene = new_scene(database)
    done = filmed(database, scene.id)
    with pytest.raises(LeaseLost):
        database.write(
            lambda c: finalize_job(c, database.clock, done, outcome(), now=clock.utc_now())
        )
    assert len(_texts(database, scene.id)) == 1


def test_a_failure_inside_the_transaction_leaves_no_trace(database: Database) -> None:
    scene = new_scene(database)
    accept(database, scene.id)
    held = claim(database)
    assert held is not None

    def half(c: Connection) -> None:
        finalize_job(c, database.clock, held, outcome(), now=clock.utc_now())
        raise RuntimeError("the process dies here")

    with pytest.raises(RuntimeError):
        database.write(half)
    assert _texts(database, scene.id) == []
    assert _scene(database, scene.id).bible_version == 1
    assert len(_chain(database, scene.id)) == 1


def _publishing(database: Database, scene_id: UUID) -> Claim:
    accept(database, scene_id)
    for lane, following in ((Lane.WRITE, Lane.FILM), (Lane.FILM, Lane.PUBLISH)):
        held = claim(database, lane)
        assert held is not None
        hand_on(database, held, following)
    last = claim(database, Lane.PUBLISH)
    assert last is not None
    return last


def _finalise_against_cancel(database: Database, held: Claim) -> list[str]:
    result = outcome()
    won: list[str] = []

    def finish() -> None:
        with contextlib.suppress(LeaseLost):
            database.write(
                lambda c: finalize_job(c, database.clock, held, result, now=clock.utc_now())
            )
            won.append("done")

    def cancel() -> None:
        with contextlib.suppress(Conflict):
            database.write(lambda c: jobs.cancel_job(c, held.job_id, now=clock.utc_now()))
            won.append("cancelled")

    race(finish, cancel)
    return won


def test_cancel_against_finalise_has_exactly_one_winner(database: Database) -> None:
    for _ in range(20):
        scene = new_scene(database)
        won = _finalise_against_cancel(database, _publishing(database, scene.id))
        assert len(won) == 1, won
        assert len(_texts(database, scene.id)) == (1 if won == ["done"] else 0)


def test_a_retake_replaces_the_last_segment_at_once_and_starts_an_epoch(
    database: Database,
) -> None:
    scene = new_scene(database, SceneBible(synopsis="start"))
    filmed(database, scene.id, "One.")
    filmed(database, scene.id, "Two.")
    accept(database, scene.id, kind=JobKind.RETAKE, text="Two again.")
    assert _texts(database, scene.id)[-1] == (2, "Two."), "the old one stays until the new is done"
    film_next(database, outcome(text="Two again."))
    assert _texts(database, scene.id) == [(1, "One."), (2, "Two again.")]
    after = _scene(database, scene.id)
    assert (after.bible_version, after.next_number, after.playlist_epoch) == (4, 3, 2)


def test_removing_the_last_segment_brings_the_bible_before_it_back(database: Database) -> None:
    scene = new_scene(database, SceneBible(synopsis="start"))
    filmed(database, scene.id, "One.")
    filmed(database, scene.id, "Two.")
    with database.read() as c:
        first, last = segments.page_segments(c, scene.id, limit=2)
        before = scenes.get_bible(c, scene.id, 2)
    with pytest.raises(Conflict, match="not the last"):
        database.write(
            lambda c: segments.remove_last_segment(c, scene.id, first.id, now=clock.utc_now())
        )
    after = database.write(
        lambda c: segments.remove_last_segment(c, scene.id, last.id, now=clock.utc_now())
    )
    assert (after.bible_version, after.next_number, after.playlist_epoch) == (4, 2, 2)
    with database.read() as c:
        now = scenes.get_bible(c, scene.id)
    assert now.content_hash() == before.content_hash()
    filmed(database, scene.id, "Another two.")
    assert _texts(database, scene.id) == [(1, "One."), (2, "Another two.")]


def test_the_payload_of_a_retake_builds_on_what_was_before(database: Database) -> None:
    scene = new_scene(database, SceneBible(synopsis="start"))
    filmed(database, scene.id, "One.")
    job: Job = accept(database, scene.id, kind=JobKind.RETAKE, text="One again.").job
    held = claim(database)
    assert held is not None
    payload = database.write(lambda c: payload_of(c, held))
    assert payload.segment_number == 1
    assert payload.context.recent_segments == ()
    assert (payload.context.scene_bible.synopsis, payload.context.scene_bible.version) == (
        "start",
        2,
    )
    assert payload.config.seed != 0
    assert database.write(lambda c: payload_of(c, held)) == payload, "snapshotted once"
    assert payload.job_id == job.id
