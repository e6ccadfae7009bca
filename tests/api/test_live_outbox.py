"""A reader's queue: numbered, conflated, bounded."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.live_outbox import ENDED_STATUSES, Hopeless, Outbox
from storyforge.domain.job import JobProgressUpdate, JobStatus
from storyforge.events import LiveEvent

SCENE, JOB = uuid4(), uuid4()


def job(seq: int, status: JobStatus = JobStatus.PROCESSING, job_id: UUID = JOB) -> LiveEvent:
    update = JobProgressUpdate(job_id=job_id, scene_id=SCENE, seq=seq, status=status, progress=0)
    return LiveEvent(kind="job", scene_id=SCENE, job=update)


def scene(revision: int | None) -> LiveEvent:
    return LiveEvent(kind="scene", scene_id=SCENE, revision=revision)


def drain(outbox: Outbox) -> list[dict[str, Any]]:
    async def run() -> list[dict[str, Any]]:
        found = []
        while outbox._pending:
            found.append(json.loads(await outbox.next()))
        return found

    return asyncio.run(run())


def test_a_slow_reader_gets_the_latest_running_state_and_every_ending() -> None:
    outbox = Outbox()
    for event in (job(1), job(2), job(3, JobStatus.FAILED), job(4), job(5), job(5), job(2)):
        outbox.offer(event)
    assert [message["update"]["seq"] for message in drain(outbox)] == [3, 5]


def test_nothing_comes_twice_or_late() -> None:
    outbox = Outbox()
    outbox.offer(job(5, JobStatus.FINAL_READY))
    assert len(drain(outbox)) == 1
    for event in (job(5, JobStatus.FINAL_READY), job(4), job(3)):
        outbox.offer(event)
    assert drain(outbox) == []


def test_what_comes_during_a_snapshot_follows_it_if_it_is_newer() -> None:
    outbox = Outbox()
    outbox.hold([SCENE])
    for event in (job(3), job(6), scene(2), scene(4)):
        outbox.offer(event)
    assert drain(outbox) == []
    known = job(4).job
    assert known is not None
    outbox.put_snapshot([SCENE], '{"type":"snapshot"}', [known], {SCENE: 2})
    messages = drain(outbox)
    assert [message["type"] for message in messages] == ["snapshot", "update", "scene"]
    assert messages[1]["update"]["seq"] == 6
    assert messages[2]["revision"] == 4


def test_a_deleted_scene_is_told_once() -> None:
    outbox = Outbox()
    for revision in (3, None, None, 4):
        outbox.offer(scene(revision))
    assert drain(outbox) == [
        {"type": "scene", "sceneId": str(SCENE), "revision": None, "deleted": True}
    ]


def test_what_is_forgotten_is_not_sent() -> None:
    outbox = Outbox()
    outbox.put("{}")
    outbox.offer(job(1))
    outbox.offer(scene(1))
    outbox.forget([SCENE])
    assert drain(outbox) == [{}]
    outbox.offer(job(1))
    assert len(drain(outbox)) == 1


def test_a_reader_that_takes_nothing_in_is_hopeless() -> None:
    outbox = Outbox(max_pending=10)
    for _ in range(11):
        outbox.offer(job(1, job_id=uuid4()))
    with pytest.raises(Hopeless):
        asyncio.run(outbox.next())


moves = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.sampled_from([JobStatus.PROCESSING, JobStatus.FAILED, JobStatus.CANCELLED]),
        st.booleans(),
    )
)


@settings(deadline=None)
@given(moves)
def test_numbers_only_grow_and_the_newest_always_arrives(
    events: list[tuple[int, JobStatus, bool]],
) -> None:
    outbox, seen, newest = Outbox(), [], 0
    statuses = dict.fromkeys(range(1, 13), JobStatus.PROCESSING)
    for seq, status, read in events:
        statuses.setdefault(seq, status)
        outbox.offer(job(seq, status))
        newest = max(newest, seq)
        if read:
            seen += drain(outbox)
    seen += drain(outbox)
    numbers = [message["update"]["seq"] for message in seen]
    assert numbers == sorted(set(numbers))
    assert (numbers[-1:] or [0]) == [newest]


@settings(deadline=None)
@given(moves)
def test_every_ending_that_was_newest_arrives(events: list[tuple[int, JobStatus, bool]]) -> None:
    outbox, endings, newest = Outbox(), [], 0
    for seq, status, _ in events:
        if seq > newest and status in ENDED_STATUSES:
            endings.append(seq)
        newest = max(newest, seq)
        outbox.offer(job(seq, status))
    seen = [message["update"]["seq"] for message in drain(outbox)]
    assert set(endings) <= set(seen)
