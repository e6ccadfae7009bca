"""The oracle sees every kind of damage that it is there for, and nothing in a sound node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, delete, insert, select, text, update

from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database.engine import Database
from storyforge.database.tables import jobs, scene_bibles, scene_heads, segments
from storyforge.domain.job import JobState, Lane
from storyforge.ids import uuid7
from tests.builders import accept, claim, filmed, new_scene
from tests.chaos.evidence import NO_WAKE_UPS, Sighting, gather
from tests.chaos.oracle import Verdict, judge

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ALLOWED = {"": 3}


def _judge(
    database: Database,
    accepted: set[UUID] | None = None,
    unread: Mapping[Lane, int] = NO_WAKE_UPS,
    seen: tuple[Sighting, ...] = (),
) -> Verdict:
    evidence = gather(database)
    return judge(
        evidence,
        accepted if accepted is not None else set(evidence.jobs),
        attempts_allowed=ALLOWED,
        unread=unread,
        seen=seen,
    )


def _says(verdict: Verdict, rule: str, words: str) -> bool:
    return any(one.rule == rule and words in one.sentence for one in verdict.violations)


def _execute(database: Database, *statements: Any) -> None:
    def run(c: Any) -> None:
        for statement in statements:
            c.execute(statement)

    database.write(run)


def _copy_row(database: Database, table: Table, **changes: Any) -> None:
    def run(c: Any) -> None:
        row = c.execute(select(table)).mappings().first()
        c.execute(insert(table).values(**{**row, **changes}))

    database.write(run)


def _segment_of(database: Database, job_id: UUID) -> UUID:
    found = gather(database).made_by(job_id)[0].id
    assert isinstance(found, UUID)
    return found


def _sound(database: Database) -> tuple[UUID, UUID]:
    """A scene with two segments; gives (scene, first job)."""
    scene = new_scene(database)
    first = filmed(database, scene.id)
    filmed(database, scene.id, "Then it sleeps.")
    return scene.id, first.job_id


def test_a_sound_node_has_no_violation(database: Database) -> None:
    scene_id, _job = _sound(database)
    cancelled = accept(database, scene_id).job
    database.write(lambda c: job_rows.cancel_job(c, cancelled.id, now=clock.utc_now()))
    verdict = _judge(database)
    assert verdict == Verdict((), 0, 0)


def test_o1_a_lost_row_is_seen(database: Database) -> None:
    missing = uuid7()
    verdict = _judge(database, {missing})
    assert _says(verdict, "O1", f"{missing} was accepted")
    assert verdict.lost == 1


def test_o1_a_job_that_never_ends_is_seen(database: Database) -> None:
    job = accept(database, new_scene(database).id).job
    verdict = _judge(database, unread={**NO_WAKE_UPS, Lane.WRITE: 1})
    assert _says(verdict, "O1", f"{job.id} is still queued")
    assert verdict.lost == 1


def test_o1_a_follower_held_by_a_failed_job_is_no_loss(database: Database) -> None:
    scene = new_scene(database)
    first = accept(database, scene.id).job
    second = accept(database, scene.id, after_job_id=first.id).job
    accept(database, scene.id, after_job_id=second.id)
    database.write(lambda c: job_rows.cancel_job(c, first.id, now=clock.utc_now()))
    assert _judge(database).violations == ()


def test_o2_a_second_segment_of_one_job_is_seen(database: Database) -> None:
    _scene, job_id = _sound(database)
    _execute(database, text("DROP INDEX uq_segments_job"))
    _copy_row(database, segments, id=uuid7(), job_id=job_id, number=3)
    verdict = _judge(database)
    assert _says(verdict, "O2", f"{job_id} is done and has 2 segments")
    assert verdict.doubled == 1


def test_o2_a_done_job_without_a_segment_is_seen(database: Database) -> None:
    _scene, job_id = _sound(database)
    _execute(database, delete(segments).where(segments.c.job_id == job_id))
    verdict = _judge(database)
    assert _says(verdict, "O2", f"{job_id} is done and has 0 segments")
    assert verdict.lost == 1


def test_o2_a_cancelled_job_with_a_segment_is_seen(database: Database) -> None:
    _scene, job_id = _sound(database)
    _execute(database, update(jobs).where(jobs.c.id == job_id).values(state="cancelled"))
    assert _says(_judge(database), "O2", f"{job_id} is cancelled and has 1 segments")


def test_o2_a_job_that_names_another_segment_is_seen(database: Database) -> None:
    _scene, job_id = _sound(database)
    result = {"segmentId": str(uuid7())}
    _execute(database, update(jobs).where(jobs.c.id == job_id).values(result=result))
    assert _says(_judge(database), "O2", "names segment")


def test_o2_a_hole_in_the_numbers_is_seen(database: Database) -> None:
    _scene, job_id = _sound(database)
    _execute(database, update(segments).where(segments.c.job_id == job_id).values(number=7))
    assert _says(_judge(database), "O2", "has the segment numbers [2, 7]")


def test_o2_a_head_that_counts_wrong_is_seen(database: Database) -> None:
    scene_id, _job = _sound(database)
    _execute(database, update(scene_heads).values(next_number=9))
    assert _says(_judge(database), "O2", f"scene {scene_id} has 2 segments, and its head says")


def test_o3_a_missing_bible_version_is_seen(database: Database) -> None:
    _sound(database)
    _execute(database, delete(scene_bibles).where(scene_bibles.c.version == 2))
    verdict = _judge(database)
    assert _says(verdict, "O3", "has the bible versions [1, 3]")
    assert _says(verdict, "O3", "names a parent that is not version 2")


def test_o3_a_bible_that_was_altered_is_seen(database: Database) -> None:
    _sound(database)
    change = "UPDATE scene_bibles SET body = replace(body, 'fox', 'wolf') WHERE version = 2"
    _execute(database, text(change))
    assert _says(_judge(database), "O3", "does not match its hash")


def test_o3_a_broken_chain_is_seen(database: Database) -> None:
    _sound(database)
    stale = update(scene_bibles).where(scene_bibles.c.version == 3).values(parent_hash="0" * 64)
    _execute(database, stale)
    assert _says(_judge(database), "O3", "names a parent that is not version 2")


def test_o3_two_bible_versions_of_one_job_are_seen(database: Database) -> None:
    _scene, job_id = _sound(database)
    _execute(
        database, update(scene_bibles).where(scene_bibles.c.version == 3).values(job_id=job_id)
    )
    verdict = _judge(database)
    assert _says(verdict, "O3", f"{job_id} made 2 bible versions")
    assert verdict.doubled == 1


def test_o3_a_segment_on_an_unknown_bible_is_seen(database: Database) -> None:
    _scene, job_id = _sound(database)
    _execute(database, update(segments).where(segments.c.job_id == job_id).values(bible_version=8))
    assert _says(_judge(database), "O3", "says that bible 1 became 8")


def test_o5_too_many_attempts_are_seen(database: Database) -> None:
    _scene, job_id = _sound(database)
    _execute(database, update(jobs).where(jobs.c.id == job_id).values(attempts={"worker_lost": 4}))
    assert _says(_judge(database), "O5", "had 4 attempts as worker_lost, not 3")


def test_o5_a_death_without_a_reason_is_seen(database: Database) -> None:
    job = accept(database, new_scene(database).id).job
    _execute(
        database,
        update(jobs).values(state="dead", status="failed"),
        update(scene_heads).values(live_job_id=None),
    )
    assert _says(_judge(database), "O5", f"{job.id} is dead and gives no reason")


def test_o8_a_lease_that_is_left_is_seen(database: Database) -> None:
    job = accept(database, new_scene(database).id).job
    claim(database, worker="gone")
    assert _says(_judge(database), "O8", f"{job.id} is still leased to gone")


def test_o8_a_due_job_without_a_wake_up_is_seen(database: Database) -> None:
    job = accept(database, new_scene(database).id).job
    assert _says(_judge(database), "O8", f"{job.id} is due in lane write without a wake-up")
    woken = _judge(database, unread={**NO_WAKE_UPS, Lane.WRITE: 1})
    assert not _says(woken, "O8", "without a wake-up")


def test_o8_a_scene_that_waits_for_an_ended_job_is_seen(database: Database) -> None:
    scene_id, job_id = _sound(database)
    _execute(database, update(scene_heads).values(live_job_id=job_id))
    assert _says(_judge(database), "O8", f"scene {scene_id} waits for job {job_id}: done")


def test_o8_two_live_jobs_of_one_scene_are_seen(database: Database) -> None:
    scene = new_scene(database)
    accept(database, scene.id)
    second = accept(database, scene.id).job
    _execute(database, update(jobs).where(jobs.c.id == second.id).values(state=JobState.QUEUED))
    assert _says(_judge(database), "O8", f"{second.id} may run, and is not its scene's live job")


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ([(1, "queued"), (1, "final_ready")], "from seq 1 to 1"),
        ([(2, "preview_ready"), (3, "script_ready"), (4, "final_ready")], "from preview_ready to"),
        ([(2, "processing")], "its client saw []"),
        ([(2, "final_ready"), (3, "final_ready")], "its client saw ['final_ready', 'final_ready']"),
        ([(2, "cancelled")], "is final_ready, and its client saw ['cancelled']"),
    ],
)
def test_o9_a_wrong_history_is_seen(
    database: Database, history: list[tuple[int, str]], words: str
) -> None:
    _scene, job_id = _sound(database)
    seen = tuple(Sighting(job_id, seq, status) for seq, status in history)
    assert _says(_judge(database, seen=seen), "O9", words)


def test_o9_a_right_history_is_fine(database: Database) -> None:
    _scene, job_id = _sound(database)
    seen = (Sighting(job_id, 1, "queued"), Sighting(job_id, 9, "final_ready"))
    assert _judge(database, seen=seen).violations == ()
    assert _segment_of(database, job_id)
