"""Whole stories on a real node: from a text to a film that plays, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database import scenes as scene_rows
from storyforge.database import segments as segment_rows
from storyforge.database.deletion import delete_scene
from storyforge.database.tables import scenes
from storyforge.domain.job import Job, JobKind, JobState, JobStatus, Stage
from storyforge.domain.scene import Scene
from storyforge.errors import Conflict
from tests.builders import new_scene
from tests.chaos.node import Node
from tests.journeys.stage_points import check_node

# A deadline of the specification with room for a machine that is shared with other tests.
CANCEL_S = 5.0
LONG = "The fox runs. It hides under a root. It waits for the moon. It sleeps at last."


def _scene(node: Node, scene_id: UUID) -> Scene:
    with node.database.read() as c:
        return scene_rows.get_scene(c, scene_id)


def _numbers(node: Node, scene_id: UUID) -> list[int]:
    with node.database.read() as c:
        return [one.number for one in segment_rows.page_segments(c, scene_id, limit=100)]


def _cancel(node: Node, job_id: UUID) -> Job:
    return node.database.write(lambda c: job_rows.cancel_job(c, job_id, now=clock.utc_now()))


def test_a_continuation_becomes_a_film_that_plays(node: Node) -> None:
    scene = new_scene(node.database)
    job = node.wait_ended([node.submit(scene.id, seconds=3.0)]).popitem()[1]
    assert job.status is JobStatus.FINAL_READY
    assert job.result is not None
    assert job.result.duration == 3.0
    assert job.preview_url is not None
    assert _scene(node, scene.id).bible_version == job.result.updated_bible_version == 2
    check_node(node)


def test_several_scenes_are_filmed_at_once(node: Node) -> None:
    every = [new_scene(node.database).id for _ in range(4)]
    jobs = node.wait_ended([node.submit(scene) for scene in every for _ in range(2)])
    assert {job.state for job in jobs.values()} == {JobState.DONE}
    assert [_numbers(node, scene) for scene in every] == [[1, 2]] * 4


def test_a_chain_of_four_is_filmed_in_order_each_on_the_bible_of_the_one_before(
    node: Node,
) -> None:
    scene = new_scene(node.database).id
    chain = [node.submit(scene, "First, the fox wakes.")]
    for text in ("Then it eats.", "Then it runs.", "Last, it sleeps."):
        chain.append(node.submit(scene, text, after_job_id=chain[-1]))
    jobs = node.wait_ended(chain)
    assert [jobs[one].bible_version for one in chain] == [1, 2, 3, 4]
    with node.database.read() as c:
        rows = segment_rows.page_segments(c, scene, limit=10)
        assert [row.job_id for row in rows] == chain
        bible = scene_rows.get_bible(c, scene)
    assert [event.segment_number for event in bible.timeline][-1] == 4
    check_node(node)


def test_a_retake_replaces_the_last_segment_and_keeps_the_chain(node: Node) -> None:
    scene = new_scene(node.database).id
    node.wait_ended([node.submit(scene), node.submit(scene)])
    before = _scene(node, scene)
    retake = node.submit(scene, "The fox swims instead.", kind=JobKind.RETAKE)
    assert node.wait_ended([retake])[retake].state is JobState.DONE
    after = _scene(node, scene)
    assert _numbers(node, scene) == [1, 2]
    assert (after.next_number, after.bible_version) == (3, before.bible_version + 1)
    assert after.playlist_epoch == before.playlist_epoch + 1
    with node.database.read() as c:
        last = segment_rows.page_segments(c, scene, limit=10)[-1]
    assert (last.job_id, last.text) == (retake, "The fox swims instead.")
    check_node(node)


def test_the_last_segment_can_be_removed_and_the_story_goes_on(node: Node) -> None:
    scene = new_scene(node.database).id
    jobs = node.wait_ended([node.submit(scene), node.submit(scene)])
    last = max(jobs.values(), key=lambda job: job.id).result
    assert last is not None
    node.database.write(
        lambda c: segment_rows.remove_last_segment(c, scene, last.segment_id, now=clock.utc_now())
    )
    assert _numbers(node, scene) == [1]
    following = node.submit(scene, "It goes another way.")
    assert node.wait_ended([following])[following].state is JobState.DONE
    assert _numbers(node, scene) == [1, 2]
    check_node(node)


def test_cancelling_frees_the_device_within_five_seconds(node: Node) -> None:
    """The next job is claimed by the one film process, so it has let go of the first."""
    scene, other = new_scene(node.database).id, new_scene(node.database).id
    long = node.submit(scene, LONG, seconds=40.0)
    node.wait_for(long, lambda job: job.stage is Stage.ENCODE_HLS, "is being filmed")
    _cancel(node, long)
    started_s = time.monotonic()
    said = f'"job_id": "{long}"'
    node.wait_until(
        lambda: any(
            said in line and "lease lost; stopped" in line for line in node.log("film").splitlines()
        ),
        "the film worker stopped",
    )
    assert time.monotonic() - started_s <= CANCEL_S
    following = node.submit(other)
    assert node.wait_ended([following])[following].state is JobState.DONE
    assert node.job(long).state is JobState.CANCELLED
    assert _numbers(node, scene) == []
    check_node(node)


def test_a_failed_job_holds_its_followers_and_a_retry_releases_them(node: Node) -> None:
    scene = new_scene(node.database).id
    first = node.submit(scene, LONG, seconds=24.0)
    second = node.submit(scene, after_job_id=first)
    third = node.submit(scene, after_job_id=second)
    node.wait_for(first, lambda job: job.stage is Stage.ENCODE_HLS, "is being filmed")
    _cancel(node, first)
    held = [node.job(one) for one in (second, third)]
    assert [job.state for job in held] == [JobState.WAITING] * 2
    assert all(job.message.startswith("Held: the job before it") for job in held)
    with pytest.raises(Conflict):
        node.submit(scene, after_job_id=first)
    node.database.write(
        lambda c: job_rows.retry_job(c, second, node.database.clock, now=clock.utc_now())
    )
    jobs = node.wait_ended([second, third])
    assert {job.state for job in jobs.values()} == {JobState.DONE}
    assert _numbers(node, scene) == [1, 2]
    check_node(node)


def test_a_deleted_scene_stays_deleted(node: Node) -> None:
    """F65: no resurrection, whatever was running."""
    scene = new_scene(node.database).id
    running = node.submit(scene, LONG, seconds=24.0)
    waiting = node.submit(scene)
    node.wait_for(running, lambda job: job.stage is Stage.ENCODE_HLS, "is being filmed")
    node.database.write(lambda c: delete_scene(c, scene, now=clock.utc_now()))
    jobs = node.wait_ended([running, waiting])
    assert {job.state for job in jobs.values()} == {JobState.CANCELLED}
    following = node.submit(new_scene(node.database).id)
    node.wait_ended([following])
    evidence = check_node(node)
    assert evidence.segments_of(scene) == ()
    assert len(evidence.bibles_of(scene)) == 1
    with node.database.read() as c:
        assert c.execute(select(scenes.c.deleted_at).where(scenes.c.id == scene)).scalar_one()


def test_cancelling_races_finalising_and_one_of_them_wins_whole(node: Node) -> None:
    """F64 in small: at whatever moment, never a cancelled job with a segment."""
    jobs: list[UUID] = []
    for delay_s in (0.3, 0.5, 0.7, 0.9):
        scene = new_scene(node.database).id
        jobs.append(node.submit(scene))
        time.sleep(delay_s)
        _try(lambda: _cancel(node, jobs[-1]))
    node.wait_ended(jobs)
    check_node(node)


def _try(action: Callable[[], object]) -> None:
    try:
        action()
    except Conflict:
        return
