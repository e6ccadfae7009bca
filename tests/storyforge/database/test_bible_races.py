"""Whoever builds on one version of a bible, or changes it: exactly one goes on, a hundred times."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from storyforge import clock
from storyforge.database import jobs, scenes
from storyforge.database.bible_edits import edit_bible
from storyforge.database.engine import Database
from storyforge.database.finalize import finalize_job
from storyforge.database.leases import Claim
from storyforge.domain.bible import SceneBible
from storyforge.domain.job import Job, JobState, Lane
from storyforge.errors import Conflict
from tests.builders import accept, claim, hand_on, new_scene, outcome, race
from tests.chaos.evidence import gather
from tests.chaos.oracle import bibles_are_one_chain, numbers_are_contiguous

ROUNDS = 100
Attempts = tuple[list[object], list[Conflict]]


def edit(database: Database, scene_id: UUID, base_version: int, synopsis: str) -> SceneBible:
    _, made = database.write(
        lambda c: edit_bible(
            c,
            scene_id,
            base_version=base_version,
            change=lambda old: old.model_copy(update={"synopsis": synopsis}),
            now=clock.utc_now(),
        )
    )
    return made


def _raced(*works: Callable[[], object]) -> Attempts:
    """What came of works that began at the same moment, and the refusals."""
    won: list[object] = []
    lost: list[Conflict] = []

    def trying(work: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                won.append(work())
            except Conflict as exc:
                lost.append(exc)

        return run

    race(*(trying(work) for work in works))
    return won, lost


def _assert_the_promises_hold(database: Database) -> None:
    evidence = gather(database)
    assert [*bibles_are_one_chain(evidence), *numbers_are_contiguous(evidence)] == []


def test_of_two_continuations_of_one_version_one_is_accepted_and_the_other_can_follow(
    database: Database,
) -> None:
    for _ in range(ROUNDS):
        scene = new_scene(database)
        send = lambda scene_id=scene.id: accept(database, scene_id, bible_version=1).job  # noqa: E731
        won, lost = _raced(send, send)
        assert (len(won), len(lost)) == (1, 1)
        job = won[0]
        assert isinstance(job, Job)
        assert f"bibleVersion 1 is being continued to version 2 by job {job.id}" in lost[0].detail
        follower = accept(database, scene.id, bible_version=1, after_job_id=job.id).job
        assert (follower.state, follower.after_job_id) == (JobState.WAITING, job.id)


def test_a_continuation_against_an_edit_of_its_bible(database: Database) -> None:
    winners = set()
    for _ in range(ROUNDS):
        scene = new_scene(database)
        won, lost = _raced(
            lambda scene_id=scene.id: accept(database, scene_id, bible_version=1).job,
            lambda scene_id=scene.id: edit(database, scene_id, 1, "Edited."),
        )
        assert (len(won), len(lost)) == (1, 1)
        winner = won[0]
        winners.add(type(winner))
        if isinstance(winner, Job):
            assert f"Job {winner.id} is continuing this scene" in lost[0].detail
        else:
            assert "bibleVersion 1, but the scene is at version 2" in lost[0].detail
    assert winners <= {Job, SceneBible}
    _assert_the_promises_hold(database)


def test_two_edits_of_one_version(database: Database) -> None:
    for _ in range(ROUNDS):
        scene = new_scene(database)
        won, lost = _raced(
            lambda scene_id=scene.id: edit(database, scene_id, 1, "One."),
            lambda scene_id=scene.id: edit(database, scene_id, 1, "Two."),
        )
        assert (len(won), len(lost)) == (1, 1)
        assert "version 1, but the scene is at version 2" in lost[0].detail
    _assert_the_promises_hold(database)


def test_an_edit_against_the_finalise_of_a_live_job(database: Database) -> None:
    for number in range(ROUNDS):
        scene = new_scene(database)
        held = _publishing(database, scene.id)
        result = outcome()
        based_on = 1 + number % 2  # what is there before, and what will be there
        _, lost = _raced(
            lambda held=held, result=result: database.write(
                lambda c: finalize_job(c, database.clock, held, result, now=clock.utc_now())
            ),
            lambda scene_id=scene.id, base=based_on: edit(database, scene_id, base, "Edited."),
        )
        with database.read() as c:
            assert jobs.get_job(c, held.job_id).state is JobState.DONE, "no edit stops a live job"
            after = scenes.get_scene(c, scene.id).bible_version
        assert after == 3 - len(lost), "an edit is there exactly when it was not refused"
        if based_on == 1:
            assert len(lost) == 1
            said = (str(held.job_id), "version 1, but the scene is at version 2")
            assert any(words in lost[0].detail for words in said)
    _assert_the_promises_hold(database)


def _publishing(database: Database, scene_id: UUID) -> Claim:
    accept(database, scene_id)
    for lane, following in ((Lane.WRITE, Lane.FILM), (Lane.FILM, Lane.PUBLISH)):
        held = claim(database, lane)
        assert held is not None
        hand_on(database, held, following)
    last = claim(database, Lane.PUBLISH)
    assert last is not None
    return last
