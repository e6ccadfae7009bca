"""Batches through the drain loop: claimed together, filmed in turn or fused, and isolated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from inference.video.model import ShotRequest, StepWatch
from scheduler.attempt import Attempt
from storyforge import clock
from storyforge.database import jobs as job_rows
from storyforge.database.engine import Database
from storyforge.database.leases import still_held
from storyforge.database.tables import jobs
from storyforge.domain.film_shape import FilmShape
from storyforge.domain.job import JobState
from storyforge.errors import DeviceLost, GpuTooSmall, RenderFailed
from tests.builders import accept, new_scene
from tests.scheduler.rig import FILM, SHOTS, WRITE, FakeCamera, Rig


@dataclass
class FusingCamera(FakeCamera):
    """Renders the same shot of several jobs in one pass; `during` may look around within it."""

    passes: list[int] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def can_fuse(self, requests: Sequence[ShotRequest]) -> bool:
        return len({(one.width, one.frames, one.index) for one in requests}) == 1

    def render_batch(
        self, requests: Sequence[ShotRequest], results: Sequence[Path], watch: StepWatch
    ) -> None:
        watch(1, 2)
        self.during()
        watch(2, 2)
        for request, result in zip(requests, results, strict=True):
            self.before_render(request)
            result.write_text(str(request.seed))
        self.passes.append(len(requests))


@pytest.fixture
def rig(database: Database, tmp_path: Path) -> Rig:
    return Rig(database, tmp_path / "work")


def _jobs_to_film(rig: Rig, count: int) -> list[UUID]:
    ids = [accept(rig.database, new_scene(rig.database).id).job.id for _ in range(count)]
    rig.drain(WRITE)
    return ids


def _row(rig: Rig, job_id: UUID) -> object:
    with rig.database.read() as c:
        return c.execute(jobs.select().where(jobs.c.id == job_id)).one()


def _states(rig: Rig, ids: Sequence[UUID]) -> list[JobState]:
    return [rig.job(one).state for one in ids]


def test_the_write_lane_leaves_the_film_s_shape_on_the_job(rig: Rig) -> None:
    (job_id,) = _jobs_to_film(rig, 1)
    shape = FilmShape.parse(_row(rig, job_id).batch_key)  # type: ignore[attr-defined]
    assert (shape.width, shape.height, shape.fps, len(shape.frames)) == (64, 64, 4, SHOTS)


def test_jobs_of_one_shape_are_claimed_together_and_all_are_done(rig: Rig) -> None:
    ids = _jobs_to_film(rig, 3)
    seen: list[list[JobState]] = []

    def look(request: ShotRequest) -> None:
        if request.index == 0:
            seen.append(_states(rig, ids))

    rig.camera.before_render = look
    assert rig.drain(FILM) == 3
    assert seen[0] == [JobState.LEASED] * 3
    rig.drain()
    assert _states(rig, ids) == [JobState.DONE] * 3
    assert [rig.job(one).attempts for one in ids] == [{}] * 3


def test_who_waits_for_its_turn_keeps_its_lease_and_is_never_stuck(rig: Rig) -> None:
    ids = _jobs_to_film(rig, 2)
    rig.jobs = rig.jobs.model_copy(update={"stage_deadline_s": 0.2, "lease_s": 0.5})
    rig.jobs = rig.jobs.model_copy(update={"heartbeat_s": 0.0})
    ended: list[bool] = []
    worker = rig.worker(FILM)
    object.__setattr__(worker.heartbeat, "_end_process", lambda: ended.append(True))
    held: list[bool] = []

    def beat(request: ShotRequest) -> None:
        if held:
            return
        watched = list(worker.heartbeat._renewed_s)
        for attempt in watched:
            if not attempt.begun:
                attempt.last_progress_s -= 1000  # a long render of the other one
        clock.sleep_s(0.3)
        for attempt in watched:
            if attempt.begun:
                attempt.touch()
        worker.heartbeat.beat()
        with rig.database.read() as c:
            held.extend(still_held(c, attempt.claim) for attempt in watched)

    rig.camera.before_render = beat
    worker.drain()
    assert ended == []
    assert held == [True, True]
    rig.drain()
    assert _states(rig, ids) == [JobState.DONE] * 2


def test_cancelling_or_failing_one_of_a_batch_costs_the_others_nothing(rig: Rig) -> None:
    ids = _jobs_to_film(rig, 4)

    def trouble(request: ShotRequest) -> None:
        if not rig.camera.rendered:
            rig.database.write(lambda c: job_rows.cancel_job(c, ids[2], now=clock.utc_now()))
        if request.seed == _seed(ids[1]):
            raise RenderFailed("All frames came out black.")

    rig.camera.before_render = trouble
    rig.drain()
    assert _states(rig, ids) == [
        JobState.DONE,
        JobState.DEAD,
        JobState.CANCELLED,
        JobState.DONE,
    ]
    assert rig.job(ids[3]).attempts == rig.job(ids[0]).attempts == {}
    assert len(rig.camera.rendered) == 2 * SHOTS


def _seed(job_id: UUID) -> int:
    return job_id.int & 0x7FFF_FFFF


def test_a_shutdown_hands_the_whole_batch_back_unharmed(rig: Rig) -> None:
    ids = _jobs_to_film(rig, 3)
    rig.stopping = lambda: bool(rig.camera.rendered)
    rig.drain(FILM)
    assert _states(rig, ids) == [JobState.QUEUED] * 3
    assert [rig.job(one).attempts for one in ids] == [{}] * 3


def test_a_lost_device_costs_those_that_wait_nothing(rig: Rig) -> None:
    """A quarantine in the middle: the heartbeat records the one that runs."""
    ids = _jobs_to_film(rig, 3)
    worker = rig.worker(FILM)
    object.__setattr__(worker.heartbeat, "_end_process", lambda: None)
    fell: list[bool] = []

    def fall(_request: ShotRequest) -> None:
        if not fell:
            fell.append(True)
            worker.heartbeat.end_for(DeviceLost("Xid 79."))

    rig.camera.before_render = fall
    worker.drain()
    attempts = [rig.job(one).attempts for one in ids]
    assert attempts == [{"device_lost": 1}, {}, {}]


def test_a_film_worker_stays_with_its_shape_and_comes_back_to_who_waited(rig: Rig) -> None:
    first = _jobs_to_film(rig, 2)
    other = _jobs_to_film(rig, 1)
    later = _jobs_to_film(rig, 2)
    rig.database.write(
        lambda c: c.execute(
            update(jobs).where(jobs.c.id == other[0]).values(batch_key="other:64x64@4:8")
        )
    )
    rig.jobs = rig.jobs.model_copy(update={"batch": 1})
    order: list[int] = []
    rig.camera.before_render = lambda request: (
        order.append(request.seed) if request.index == 0 else None  # type: ignore[func-returns-value]
    )
    rig.drain(FILM)
    assert order == [_seed(one) for one in [*first, *later, *other]]


def test_the_shapes_that_do_not_fit_are_left_to_other_devices(rig: Rig) -> None:
    (job_id,) = _jobs_to_film(rig, 1)
    worker = rig.worker(FILM)

    def too_large(_request: ShotRequest) -> None:
        raise GpuTooSmall("Too large.", retry_after_s=0)

    rig.camera.before_render = too_large
    worker.drain()
    assert worker.claims.avoid == {_row(rig, job_id).batch_key}  # type: ignore[attr-defined]


# Fused


@pytest.fixture
def fusing(rig: Rig) -> FusingCamera:
    rig.camera = FusingCamera()
    rig.fused = lambda _key: 2
    return rig.camera


def test_jobs_are_fused_only_where_the_profile_says_so(rig: Rig, fusing: FusingCamera) -> None:
    rig.fused = lambda _key: 1
    _jobs_to_film(rig, 2)
    rig.drain()
    assert fusing.passes == []
    rig.fused = lambda _key: 2
    ids = _jobs_to_film(rig, 2)
    rig.drain()
    assert fusing.passes == [2] * SHOTS
    assert _states(rig, ids) == [JobState.DONE] * 2
    assert fusing.rendered == list(range(SHOTS)) * 2, "only those of the first two, one by one"


def test_a_cancelled_member_costs_the_pass_nothing(rig: Rig, fusing: FusingCamera) -> None:
    ids = _jobs_to_film(rig, 2)
    attempts: list[Attempt] = []
    worker = rig.worker(FILM)

    def cancel() -> None:
        if attempts:
            return
        attempts.extend(worker.heartbeat._renewed_s)
        rig.database.write(lambda c: job_rows.cancel_job(c, ids[0], now=clock.utc_now()))
        worker.heartbeat.beat()

    fusing.during = cancel
    worker.drain()
    rig.drain()
    assert _states(rig, ids) == [JobState.CANCELLED, JobState.DONE]
    assert fusing.passes[0] == 2
    assert rig.job(ids[1]).attempts == {}


def test_a_pass_that_fails_leaves_the_fault_to_its_own_job(rig: Rig, fusing: FusingCamera) -> None:
    ids = _jobs_to_film(rig, 2)

    def bad(request: ShotRequest) -> None:
        if request.seed in {_seed(ids[0]), _seed(ids[0]) + 1}:
            raise RenderFailed("No numbers.")

    fusing.before_render = bad
    rig.drain()
    assert _states(rig, ids) == [JobState.DEAD, JobState.DONE]
    assert rig.job(ids[1]).attempts == {}


def test_a_dead_context_in_a_pass_is_touched_by_nobody_again(
    rig: Rig, fusing: FusingCamera
) -> None:
    """F31 for a batch: both lose this attempt, both run alone afterwards."""
    ids = _jobs_to_film(rig, 2)

    def die() -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    fusing.during = die
    worker = rig.worker(FILM)
    object.__setattr__(worker.device, "_end_process", lambda: None)
    worker.drain()
    assert [rig.job(one).attempts for one in ids] == [{"device_lost": 1}] * 2
    assert fusing.rendered == []


def test_what_is_saved_is_not_rendered_again_with_others(rig: Rig, fusing: FusingCamera) -> None:
    ids = _jobs_to_film(rig, 2)
    asked: list[int] = []

    def stop_after_a_pass() -> None:
        asked.append(1)

    fusing.during = stop_after_a_pass
    rig.stopping = lambda: len(fusing.passes) >= 1
    rig.drain(FILM)
    assert _states(rig, ids) == [JobState.QUEUED] * 2
    rig.stopping = lambda: False
    rig.drain()
    assert _states(rig, ids) == [JobState.DONE] * 2
    assert fusing.passes == [2] * SHOTS
