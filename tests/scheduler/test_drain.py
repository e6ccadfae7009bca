"""The drain loop: a whole job, resuming behind what is saved, and every way an attempt can end."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from inference.video.model import ShotRequest
from storyforge import clock
from storyforge.database import failures
from storyforge.database import jobs as job_rows
from storyforge.database.deletion import delete_scene
from storyforge.database.engine import Database
from storyforge.database.failures import Retry
from storyforge.database.tables import jobs
from storyforge.domain.job import JobState, JobStatus, Lane, Stage
from storyforge.errors import DeviceOutOfMemory, RenderFailed, StorageFull, StoreUnreachable
from storyforge.failpoints import Failpoints, parse_failpoints
from storyforge.storage.memory import MemoryStore
from storyforge.storage.store import Bucket, StoredObject
from tests.builders import accept, claim, new_scene
from tests.chaos.evidence import NO_WAKE_UPS, gather
from tests.chaos.oracle import judge
from tests.chaos.playback import playlists_play
from tests.scheduler.rig import FILM, PUBLISH, SHOTS, WRITE, FakeCamera, Rig

LOST = Retry("worker_lost", 3, 0.0, 0.0)
NOW_DUE = update(jobs).values(due_at=0.0)


@pytest.fixture
def rig(database: Database, tmp_path: Path) -> Rig:
    return Rig(database, tmp_path / "work")


def _new_job(rig: Rig) -> UUID:
    return accept(rig.database, new_scene(rig.database).id).job.id


def _epochs(rig: Rig, job_id: UUID) -> dict[tuple[str, int], int]:
    rows = gather(rig.database).results.get(job_id, ())
    return {(row.stage, row.item): row.epoch for row in rows}


def _fail_in_encode(rig: Rig) -> None:
    """Render, and then fail once; the job waits until `_make_due`."""
    rig.failpoints = Failpoints(parse_failpoints("encode_hls:p1:unavailable"), rig.folder / "fp")
    rig.jobs = rig.jobs.model_copy(update={"backoff_s": 60.0})
    rig.drain(WRITE, FILM)


def _make_due(rig: Rig) -> None:
    rig.database.write(lambda c: c.execute(NOW_DUE))


def _sound(rig: Rig) -> bool:
    evidence = gather(rig.database)
    playback = list(playlists_play(evidence, rig.store))
    verdict = judge(
        evidence,
        list(evidence.jobs),
        attempts_allowed={"": 12},
        unread=NO_WAKE_UPS,
        playback=playback,
    )
    assert verdict.violations == ()
    return verdict.lost == verdict.doubled == 0


def test_a_continuation_becomes_a_segment_that_plays(rig: Rig) -> None:
    job_id = _new_job(rig)
    assert rig.drain() == 3
    job = rig.job(job_id)
    assert (job.state, job.status, job.progress) == (JobState.DONE, JobStatus.FINAL_READY, 100)
    assert rig.camera.rendered == list(range(SHOTS))
    assert not rig.job_folder(job_id).exists(), "the job's files went with it"
    assert _sound(rig)


def test_every_step_is_told_in_numbered_updates(rig: Rig) -> None:
    job_id = _new_job(rig)
    rig.drain()
    updates = [event.job for event in rig.events.events if event.job is not None]
    numbers = [one.seq for one in updates]
    assert numbers == sorted(set(numbers))
    said = list(dict.fromkeys(one.status.value for one in updates))
    assert said == [
        "processing",
        "script_ready",
        "continuity_checked",
        "preview_ready",
        "final_ready",
    ]
    assert updates[-1].result == rig.job(job_id).result


def test_a_second_claim_is_refused_while_the_lease_holds(rig: Rig) -> None:
    """F39: a redelivered wake-up finds nothing to do."""
    _new_job(rig)
    assert claim(rig.database) is not None
    assert rig.drain(WRITE) == 0


@pytest.mark.parametrize("lane", list(Lane))
def test_a_stale_attempt_of_any_lane_changes_nothing(rig: Rig, lane: Lane) -> None:
    """F25: a worker that slept through its lease finds another epoch at its next write."""
    job_id = _new_job(rig)
    rig.drain_before(lane)
    worker = rig.worker(lane)
    taken: list[str] = []

    class Sleeper(Failpoints):
        """Loses the lease to another worker in the middle of the first stage."""

        def hit(self, stage: str, point: str, job: str = "") -> None:
            if point == "p2" and not taken:
                taken.append(stage)
                rig.database.write(
                    lambda c: c.execute(update(jobs).where(jobs.c.id == job_id).values(due_at=0.0))
                )
                rig.database.write(
                    lambda c: failures.take_back(
                        c, rig.database.clock, job_id, LOST, now=clock.utc_now()
                    )
                )
                assert claim(rig.database, lane, worker="other") is not None

    object.__setattr__(worker, "failpoints", Sleeper())
    assert worker.drain() == 1
    job = rig.job(job_id)
    assert (job.state, job.attempts) == (JobState.LEASED, {"worker_lost": 1})
    mine = [epoch for (stage, _item), epoch in _epochs(rig, job_id).items() if stage == taken[0]]
    assert mine == []
    _make_due(rig)
    rig.database.write(
        lambda c: failures.take_back(c, rig.database.clock, job_id, LOST, now=clock.utc_now())
    )
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE
    assert _sound(rig)


def test_a_crash_in_encode_never_renders_again(rig: Rig) -> None:
    job_id = _new_job(rig)
    rig.failpoints = Failpoints(parse_failpoints("encode_hls:p3:unavailable"), rig.folder / "fp")
    rig.drain(WRITE, FILM)
    assert rig.job(job_id).attempts == {"unavailable": 1}
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE
    assert rig.camera.rendered == list(range(SHOTS))
    epochs = _epochs(rig, job_id)
    assert epochs["render_shots", 1] == epochs["render_shots", 2] < epochs["encode_hls", 0]


def test_a_crash_between_shots_renders_only_the_rest(rig: Rig) -> None:
    job_id = _new_job(rig)

    def fail_once(request: ShotRequest) -> None:
        if request.index == 1 and rig.camera.rendered == [0]:
            rig.camera.rendered.append(-1)
            raise DeviceOutOfMemory("Not now.", retry_after_s=0)

    rig.camera.before_render = fail_once
    rig.drain()
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE
    assert rig.camera.rendered == [0, -1, 1]


def test_a_damaged_result_is_made_again(rig: Rig) -> None:
    """G6 reads: recomputed never if its artifact verifies; so it must be if it does not."""
    job_id = _new_job(rig)
    _fail_in_encode(rig)
    shot = next(rig.job_folder(job_id).glob("shot-00-*"))
    shot.write_bytes(b"?" * shot.stat().st_size)
    _make_due(rig)
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE
    assert rig.camera.rendered == [0, 1, 0]
    assert _sound(rig)


def test_lost_files_send_the_job_back_to_the_lane_that_makes_them(rig: Rig) -> None:
    job_id = _new_job(rig)
    rig.drain(WRITE, FILM)
    shutil.rmtree(rig.job_folder(job_id))
    rig.drain(PUBLISH)
    job = rig.job(job_id)
    assert (job.state, job.lane, job.attempts) == (JobState.QUEUED, FILM, {"results_gone": 1})
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE
    assert _sound(rig)


def test_a_shutdown_hands_the_job_back_unharmed(rig: Rig) -> None:
    """F27 in one process: the next step raises HandBack, no attempt is counted."""
    job_id = _new_job(rig)
    rig.drain(WRITE)
    asked = []

    def stop_when_filming(_request: ShotRequest) -> None:
        asked.append(True)

    rig.camera.before_render = stop_when_filming
    rig.stopping = lambda: bool(asked)
    rig.drain(FILM)
    job = rig.job(job_id)
    assert (job.state, job.lane, job.attempts) == (JobState.QUEUED, FILM, {})
    assert rig.wake_ups.lanes[-1] is FILM


def test_what_cannot_pass_dies_at_once_with_its_reason(rig: Rig) -> None:
    job_id = _new_job(rig)

    def fail(_request: ShotRequest) -> None:
        raise RenderFailed("All frames came out black.")

    rig.camera.before_render = fail
    rig.drain()
    job = rig.job(job_id)
    assert (job.state, job.status) == (JobState.DEAD, JobStatus.FAILED)
    assert job.error is not None
    assert (job.error.code, job.error.stage) == ("render_failed", Stage.RENDER_SHOTS)
    assert job.error.detail == "All frames came out black."


def test_a_bug_dies_at_once_and_tells_no_secret(rig: Rig) -> None:
    job_id = _new_job(rig)

    def fail(_request: ShotRequest) -> None:
        raise KeyError("/home/somebody/secret")

    rig.camera.before_render = fail
    rig.drain()
    error = rig.job(job_id).error
    assert error is not None
    assert error.code == "bug"
    assert error.detail == "An unexpected KeyError; the log of worker film-rig has the traceback."


def test_a_full_disk_waits_for_room_and_goes_on(rig: Rig) -> None:
    """F55 in one process: ENOSPC under any name is disk_full, which is retried."""
    job_id = _new_job(rig)

    def fail(_request: ShotRequest) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    rig.camera.before_render = fail
    rig.drain()
    job = rig.job(job_id)
    assert (job.state, job.attempts) == (JobState.QUEUED, {"disk_full": 1})
    assert rig.drain() == 0, "it waits for its backoff"
    rig.camera.before_render = lambda _request: None
    _make_due(rig)
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE


def test_attempts_are_bounded_for_what_might_pass_later(rig: Rig) -> None:
    job_id = _new_job(rig)

    def fail(_request: ShotRequest) -> None:
        raise StoreUnreachable("Away.", retry_after_s=0)

    rig.camera.before_render = fail
    rig.jobs = rig.jobs.model_copy(update={"unavailable_attempts": 4})
    assert rig.drain() == 5
    error = rig.job(job_id).error
    assert error is not None
    assert (error.code, error.attempts) == ("store_unreachable", 4)


class FullStore(MemoryStore):
    """Takes no segment's files while `full` (F54)."""

    full = True

    def put_file(self, bucket: Bucket, key: str, path: Path, **kwargs: object) -> StoredObject:
        if self.full and "/previews/" not in key:
            raise StorageFull("The store's quota is used up.")
        return super().put_file(bucket, key, path, **kwargs)  # type: ignore[arg-type]


def test_a_full_store_keeps_the_film_and_an_operators_retry_never_films_again(rig: Rig) -> None:
    store = FullStore()
    rig.store = store
    job_id = _new_job(rig)
    rig.drain()
    error = rig.job(job_id).error
    assert error is not None
    assert error.code == "storage_full"
    assert list(rig.job_folder(job_id).glob("hls-*/*.ts")), "the film is still on disk"
    store.full = False
    retry = lambda c: job_rows.retry_job(c, job_id, rig.database.clock, now=clock.utc_now())  # noqa: E731  one line
    rig.database.write(retry)
    assert rig.drain() == 1, "only the publish lane had work"
    assert rig.job(job_id).state is JobState.DONE
    assert rig.camera.rendered == list(range(SHOTS))
    assert _sound(rig)


@pytest.mark.parametrize("lane", list(Lane))
def test_cancelling_under_a_running_lane_stops_it(rig: Rig, lane: Lane) -> None:
    job_id = _new_job(rig)
    rig.drain_before(lane)

    class Canceller(Failpoints):
        def hit(self, stage: str, point: str, job: str = "") -> None:
            if point == "p1":
                rig.database.write(lambda c: job_rows.cancel_job(c, job_id, now=clock.utc_now()))

    worker = rig.worker(lane)
    object.__setattr__(worker, "failpoints", Canceller())
    assert worker.drain() == 1
    assert rig.job(job_id).state is JobState.CANCELLED
    assert _sound(rig)


@pytest.mark.parametrize("lane", list(Lane))
def test_a_deleted_scene_never_comes_back(rig: Rig, lane: Lane) -> None:
    """F65: whatever stage runs while the scene is deleted."""
    job_id = _new_job(rig)
    scene_id = rig.job(job_id).scene_id
    rig.drain_before(lane)

    class Deleter(Failpoints):
        def hit(self, stage: str, point: str, job: str = "") -> None:
            deleted = gather(rig.database).scenes[scene_id].deleted_at
            if point == "p1" and deleted is None:
                rig.database.write(lambda c: delete_scene(c, scene_id, now=clock.utc_now()))

    worker = rig.worker(lane)
    object.__setattr__(worker, "failpoints", Deleter())
    worker.drain()
    rig.drain()
    evidence = gather(rig.database)
    assert rig.job(job_id).state is JobState.CANCELLED
    assert evidence.segments_of(scene_id) == ()
    assert len(evidence.bibles_of(scene_id)) == 1


def test_results_of_another_camera_are_not_taken(rig: Rig) -> None:
    """A result is keyed by what made it: a changed model renders again."""
    job_id = _new_job(rig)
    _fail_in_encode(rig)
    rig.camera = FakeCamera(name="fake-camera/2")
    _make_due(rig)
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE
    assert rig.camera.rendered == list(range(SHOTS))
