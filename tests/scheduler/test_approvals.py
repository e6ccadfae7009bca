"""Plans before films: held without a lease, approved, edited, rejected, on both databases."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from storyforge import clock
from storyforge.database import approvals
from storyforge.database import jobs as job_rows
from storyforge.database.deletion import delete_scene
from storyforge.database.engine import Database
from storyforge.database.scenes import change_scene
from storyforge.database.tables import segments
from storyforge.domain.bible import Character, SceneBible
from storyforge.domain.continuity import ContinuityIssue, IssueType, Severity, ValidationResult
from storyforge.domain.job import Approval, Job, JobState, JobStatus, Lane, WaitReason
from storyforge.domain.plan import Plan
from storyforge.domain.scene import SceneApproval
from storyforge.domain.script import Script, Shot
from storyforge.domain.segment import SegmentSummary
from storyforge.errors import Conflict, InvalidInput, NotFound, RenderFailed
from tests.builders import accept, new_scene, race
from tests.chaos.evidence import NO_WAKE_UPS, gather
from tests.chaos.oracle import judge
from tests.scheduler.rig import FILM, PUBLISH, WRITE, NoObjection, Rig

BIBLE = SceneBible(characters=(Character(id="mara", name="Mara", aliases=("The keeper",)),))


class NoDragons(NoObjection):
    """Objects to dragons alone."""

    def validate(
        self, script: Script, bible: SceneBible, recent: tuple[SegmentSummary, ...] = ()
    ) -> ValidationResult:
        del bible, recent
        found = tuple(
            ContinuityIssue(
                type=IssueType.SETTING_MISMATCH,
                severity=Severity.ERROR,
                description="There are no dragons",
                location=f"shots[{number}].prompt:0-6",
            )
            for number, shot in enumerate(script.shots)
            if "dragon" in shot.prompt
        )
        return ValidationResult(valid=not found, issues=found)


@pytest.fixture
def rig(database: Database, tmp_path: Path) -> Rig:
    return Rig(database, tmp_path / "work", validator=NoDragons())


def held(rig: Rig) -> Job:
    """A job whose plan is there."""
    job = accept(rig.database, new_scene(rig.database, BIBLE).id, hold=True).job
    rig.drain(WRITE)
    return rig.job(job.id)


def approve(rig: Rig, job_id: UUID, script: Script | None = None) -> Job:
    database = rig.database
    return database.write(
        lambda c: approvals.approve_job(c, job_id, database.clock, script, now=clock.utc_now())
    )


def reject(rig: Rig, job_id: UUID) -> Job:
    return rig.database.write(
        lambda c: approvals.reject_job(c, job_id, "Too dark.", now=clock.utc_now())
    )


def plan(rig: Rig, job_id: UUID) -> Plan:
    with rig.database.read() as c:
        found = approvals.read_plan(c, job_rows.get_job(c, job_id))
    assert found is not None
    return found


def own_script(prompt: str = "Mara waves.", seconds: float = 2.0) -> Script:
    return Script(
        shots=(Shot(prompt=prompt, characters=("the keeper",), seconds=seconds),), writer="me"
    )


def filmed_script(rig: Rig, job_id: UUID) -> Script:
    with rig.database.read() as c:
        body = c.execute(select(segments.c.script).where(segments.c.job_id == job_id)).scalar_one()
    return Script.model_validate(body)


def assert_the_promises_hold(rig: Rig, *job_ids: UUID) -> None:
    verdict = judge(gather(rig.database), job_ids, attempts_allowed={"": 3}, unread=NO_WAKE_UPS)
    assert verdict.violations == ()


def test_a_held_job_shows_its_plan_and_takes_nothing(rig: Rig) -> None:
    job = held(rig)
    assert (job.state, job.wait_reason, job.lane) == (
        JobState.WAITING,
        WaitReason.APPROVAL,
        Lane.FILM,
    )
    assert job.status is JobStatus.PREVIEW_READY
    assert job.preview_url is not None
    assert rig.events.events[-1].job == job.update(), "those who watch are told"
    assert rig.drain() == 0, "there is nothing to claim"
    assert len(plan(rig, job.id).script.shots) == 2
    follower = accept(rig.database, job.scene_id).job
    assert follower.after_job_id == job.id, "it keeps its scene's place"
    assert_the_promises_hold(rig, job.id, follower.id)


def test_an_approved_job_goes_on_at_the_film_and_is_not_written_again(rig: Rig) -> None:
    job = held(rig)
    written = plan(rig, job.id)
    for _ in range(2):  # a second time is fine
        assert approve(rig, job.id).state is JobState.QUEUED
    assert rig.drain(WRITE) == 0
    rig.drain(FILM, PUBLISH)
    done = rig.job(job.id)
    assert (done.state, done.approval, done.wait_reason) == (JobState.DONE, Approval.GIVEN, None)
    assert filmed_script(rig, job.id) == written.script
    assert approve(rig, job.id).state is JobState.DONE, "also after a lost reply"
    assert_the_promises_hold(rig, job.id)


def test_the_owners_script_is_checked_previewed_and_filmed(rig: Rig) -> None:
    job = held(rig)
    approve(rig, job.id, own_script())
    approve(rig, job.id, own_script())
    with pytest.raises(Conflict, match="another script"):
        approve(rig, job.id, own_script("Mara sleeps."))
    rig.drain()
    done = rig.job(job.id)
    assert done.state is JobState.DONE
    assert done.preview_url != job.preview_url
    filmed = filmed_script(rig, job.id)
    assert [shot.prompt for shot in filmed.shots] == ["Mara waves."]
    assert filmed.writer == "fake-writer/1, edited"
    assert_the_promises_hold(rig, job.id)


def test_an_own_script_against_the_bible_is_shown_with_its_report_and_films_nothing(
    rig: Rig,
) -> None:
    job = held(rig)
    proposed = plan(rig, job.id).script
    approve(rig, job.id, own_script("A dragon."))
    rig.drain()
    again = rig.job(job.id)
    assert (again.state, again.wait_reason) == (JobState.WAITING, WaitReason.APPROVAL)
    assert "no dragons" in again.message
    shown = plan(rig, job.id)
    assert shown.script == proposed
    assert shown.refused is not None
    refused = shown.refused.script.shots[0]
    assert (refused.prompt, refused.characters) == ("A dragon.", ("mara",)), "by their ids"
    assert not shown.refused.report.valid
    approve(rig, job.id)
    rig.drain()
    assert filmed_script(rig, job.id) == proposed


@pytest.mark.parametrize(
    ("script", "pointer"),
    [
        (own_script(seconds=2.6), "/script/shots"),
        (own_script(seconds=1.4), "/script/shots"),
        (
            Script(shots=(Shot(prompt="x", characters=("mara", "Zoe"), seconds=2),), writer=""),
            "/script/shots/0/characters/1",
        ),
    ],
)
def test_an_own_script_of_another_length_or_with_strangers_is_named(
    rig: Rig, script: Script, pointer: str
) -> None:
    job = held(rig)
    with pytest.raises(InvalidInput) as caught:
        approve(rig, job.id, script)
    assert caught.value.errors[0].pointer == pointer
    assert rig.job(job.id) == job


def test_a_rejected_job_ends_and_frees_its_scene(rig: Rig) -> None:
    job = held(rig)
    for _ in range(2):
        assert reject(rig, job.id).message == "Rejected: Too dark."
    with pytest.raises(Conflict):
        approve(rig, job.id)
    assert accept(rig.database, job.scene_id).job.state is JobState.QUEUED
    rig.drain()
    assert_the_promises_hold(rig, job.id)


def test_only_what_waits_for_approval_can_be_approved_or_rejected(rig: Rig) -> None:
    scene = new_scene(rig.database)
    live, follower = (accept(rig.database, scene.id).job for _ in range(2))
    for job in (live, follower):
        for act in (approve, reject):
            with pytest.raises(Conflict, match="waits for approval"):
                act(rig, job.id)
    with pytest.raises(NotFound):
        approve(rig, scene.id)
    waiting = held(rig)
    with pytest.raises(Conflict, match="approve or reject"):
        rig.database.write(
            lambda c: job_rows.retry_job(c, waiting.id, rig.database.clock, now=clock.utc_now())
        )


def test_an_approved_job_that_failed_is_retried_without_asking_again(rig: Rig) -> None:
    job = held(rig)
    approve(rig, job.id)

    def fail(_request: object) -> None:
        raise RenderFailed("It broke.")

    before, rig.camera.before_render = rig.camera.before_render, fail
    rig.drain()
    assert rig.job(job.id).state is JobState.DEAD
    rig.camera.before_render = before
    rig.database.write(
        lambda c: job_rows.retry_job(c, job.id, rig.database.clock, now=clock.utc_now())
    )
    rig.drain()
    assert rig.job(job.id).state is JobState.DONE


def test_a_scene_can_hold_every_job(rig: Rig) -> None:
    scene = new_scene(rig.database)
    rig.database.write(
        lambda c: change_scene(c, scene.id, now=clock.utc_now(), approval=SceneApproval.HOLD)
    )
    first, second = (accept(rig.database, scene.id).job for _ in range(2))
    rig.drain()
    approve(rig, first.id)
    rig.drain()
    assert rig.job(first.id).state is JobState.DONE
    rig.drain()
    assert rig.job(second.id).wait_reason is WaitReason.APPROVAL


def test_approve_reject_cancel_and_delete_have_one_winner(rig: Rig) -> None:
    database = rig.database
    for _ in range(15):
        job = held(rig)
        won: list[str] = []

        def trying(
            name: str, work: Callable[[], object], won: list[str] = won
        ) -> Callable[[], None]:
            def run() -> None:
                with contextlib.suppress(Conflict):
                    work()
                    won.append(name)

            return run

        race(
            trying("approve", lambda job=job: approve(rig, job.id)),
            trying("reject", lambda job=job: reject(rig, job.id)),
            trying(
                "delete",
                lambda job=job: database.write(
                    lambda c: delete_scene(c, job.scene_id, now=clock.utc_now())
                ),
            ),
        )
        found = rig.job(job.id)
        assert found.state is JobState.CANCELLED, "the scene is gone in the end"
        assert found.wait_reason is None
    rig.drain()
    assert_the_promises_hold(rig)
