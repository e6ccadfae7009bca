"""Faults of a device: what they do to its process, to claims and to the jobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from inference.devices.fake_reader import FakeReader
from inference.devices.quarantine import Quarantine
from inference.devices.records import Device, RecoveryAction
from inference.video.model import Frames, ShotRequest
from scheduler.device_guard import DeviceGuard, Pin
from storyforge.database.engine import Database
from storyforge.database.tables import jobs
from storyforge.domain.job import JobState
from storyforge.errors import (
    DeviceLost,
    DeviceOutOfMemory,
    GpuTooSmall,
    RenderFailed,
    StoryForgeError,
)
from tests.builders import accept, claim, new_scene
from tests.scheduler.rig import FILM, SHOTS, WRITE, Rig

GIB = 1 << 30
CARD = Device(index=0, uuid="GPU-a", name="Card", total_bytes=24 * GIB, free_bytes=23 * GIB)
DEAD_CONTEXT = "CUDA error: an illegal memory access was encountered"


def _suggest(total_bytes: int) -> str:
    return "small-model" if total_bytes == CARD.total_bytes else ""


class Host:
    """One device on a fake driver, and a guard whose ending of the process is noted."""

    def __init__(self, folder: Path) -> None:
        self.reader = FakeReader([CARD])
        self.quarantine = Quarantine(folder / "devices")
        self.ended = 0
        self.fatal: list[StoryForgeError] = []
        self.guard = self.new_process()

    def new_process(self) -> DeviceGuard:
        """The guard of a process that starts now."""
        guard = DeviceGuard(self._end, Pin(self.reader, 0, self.quarantine), _suggest)
        guard.listen(self.fatal.append)
        return guard

    def _end(self) -> None:
        self.ended += 1


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def rig(database: Database, tmp_path: Path, host: Host) -> Rig:
    return Rig(database, tmp_path / "work", device=host.guard)


def _job_to_film(rig: Rig) -> UUID:
    job_id = accept(rig.database, new_scene(rig.database).id).job.id
    rig.drain(WRITE)
    return job_id


def _fail_with(exc: BaseException) -> Callable[[ShotRequest], None]:
    def fail(_request: ShotRequest) -> None:
        raise exc

    return fail


def _wait_for(seen: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not seen():
        assert time.monotonic() < deadline_s, "nobody noticed"
        time.sleep(0.01)


@pytest.mark.parametrize(
    "exc",
    [
        RuntimeError(DEAD_CONTEXT),
        DeviceLost("The device failed while rendering; its process must end."),
        RenderFailed("Wrapped."),
    ],
)
def test_a_sticky_error_ends_the_process_after_the_attempt_is_recorded(
    rig: Rig, host: Host, exc: Exception
) -> None:
    """F31."""
    if isinstance(exc, RenderFailed):
        exc.__cause__ = RuntimeError(DEAD_CONTEXT)
    job_id, second = _job_to_film(rig), _job_to_film(rig)
    rig.camera.before_render = _fail_with(exc)
    woken = len(rig.wake_ups.lanes)
    rig.drain(FILM)
    assert host.ended == 1
    code = "render_failed" if isinstance(exc, RenderFailed) else "device_lost"
    assert rig.job(job_id).attempts == {code: 1}
    assert rig.job(second).attempts == {}, "it only waited for its turn"
    assert rig.job(second).state is JobState.QUEUED
    assert set(rig.wake_ups.lanes[woken:]) == {FILM}, "the next process has a wake-up"
    assert host.quarantine.all() == [], "the device is sound"
    rig.device = host.new_process()
    rig.camera.before_render = lambda _request: None
    rig.database.write(lambda c: c.execute(update(jobs).values(due_at=0.0)))
    rig.drain()
    assert rig.job(second).state is JobState.DONE


def test_an_error_that_is_not_sticky_ends_no_process(rig: Rig, host: Host) -> None:
    _job_to_film(rig)
    rig.camera.before_render = _fail_with(RenderFailed("Black."))
    rig.drain(FILM)
    assert host.ended == 0
    assert host.guard.may_claim()


def test_the_job_beside_a_sticky_error_is_handed_back_unharmed(rig: Rig, host: Host) -> None:
    """The first job is being encoded when the second one's render kills the context."""
    first, second = _job_to_film(rig), _job_to_film(rig)
    rendered, told = rig.camera.rendered, rig.camera.frames
    encoding = threading.Event()

    def fail_in_second(_request: ShotRequest) -> None:
        if len(rendered) >= SHOTS:
            assert encoding.wait(10)
            raise RuntimeError(DEAD_CONTEXT)

    def wait_for_the_fault(request: ShotRequest, result: Path) -> Iterator[Frames]:
        encoding.set()
        _wait_for(lambda: host.guard.is_dead)
        return told(request, result)

    rig.camera.before_render = fail_in_second
    rig.camera.frames = wait_for_the_fault  # type: ignore[method-assign]
    rig.drain(FILM)
    assert host.ended == 1
    assert (rig.job(first).state, rig.job(first).attempts) == (JobState.QUEUED, {})
    assert rig.job(second).attempts == {"device_lost": 1}
    claims = [claim(rig.database, FILM), None]
    rig.database.write(lambda c: c.execute(update(jobs).values(due_at=0.0)))
    claims[1] = claim(rig.database, FILM)
    suspects = {one.job_id: one.suspect for one in claims if one is not None}
    assert suspects == {first: False, second: True}, "the culprit runs alone from now on"


def test_a_job_that_kills_its_device_dies_bounded(rig: Rig, host: Host) -> None:
    job_id = _job_to_film(rig)
    rig.camera.before_render = _fail_with(RuntimeError(DEAD_CONTEXT))
    for _ in range(rig.jobs.device_attempts):
        rig.device = host.new_process()
        rig.database.write(lambda c: c.execute(update(jobs).values(due_at=0.0)))
        rig.drain(FILM)
    job = rig.job(job_id)
    assert job.state is JobState.DEAD
    assert job.error is not None
    assert (job.error.code, job.error.attempts) == ("device_lost", rig.jobs.device_attempts)


@pytest.mark.parametrize("code", [48, 79, 95])
def test_a_fatal_xid_quarantines_and_blocks_claims_until_cleared(
    rig: Rig, host: Host, code: int
) -> None:
    """F32, over a restart of the process."""
    job_id = _job_to_film(rig)
    host.reader.report(0, code)
    _wait_for(lambda: bool(host.fatal))
    assert isinstance(host.fatal[0], DeviceLost)
    assert f"Xid {code}" in host.fatal[0].detail
    rig.device = host.new_process()
    assert rig.drain(FILM) == 0
    job = rig.job(job_id)
    assert (job.state, job.attempts) == (JobState.QUEUED, {})
    notice = str(rig.device.info()["quarantine"])
    assert f"Xid {code}" in notice
    assert "storyforge devices clear 0" in notice
    host.quarantine.clear("GPU-a")
    assert rig.drain() == 2
    assert rig.job(job_id).state is JobState.DONE


@pytest.mark.parametrize("code", [13, 31, 43])
def test_an_applications_xid_lets_the_attempt_end_and_then_the_process(
    rig: Rig, host: Host, code: int
) -> None:
    job_id = _job_to_film(rig)

    def report(_request: ShotRequest) -> None:
        host.reader.report(0, code)
        _wait_for(lambda: host.guard.leaving)

    rig.camera.before_render = report
    assert rig.drain(FILM) == 1
    assert host.ended == 1
    assert not host.fatal
    assert host.quarantine.all() == []
    assert rig.job(job_id).attempts == {}, "another program may have been the cause"


def test_an_xid_that_means_nothing_changes_nothing(host: Host) -> None:
    host.reader.report(0, 63)
    host.reader.report(0, 45)
    host.reader.report(0, 13)  # noticed, so the others were heard before
    _wait_for(lambda: host.guard.leaving)
    assert not host.fatal
    assert host.quarantine.all() == []


def test_a_lost_device_is_quarantined_by_a_beat_and_only_once(host: Host) -> None:
    host.reader.lost = {0}
    info = host.guard.info()
    assert "lost" in info["gpu"]["problem"]
    assert "out of service" in info["quarantine"]
    assert len(host.fatal) == 1
    again = host.new_process()
    assert not again.may_claim(), "it never answered this process, but is known by its index"
    again.info()
    assert len(host.fatal) == 1, "no loop of processes that end each other"


def test_a_recovery_that_the_driver_wants_counts_even_if_no_xid_was_heard(host: Host) -> None:
    host.reader.hears_xids = False
    host.reader.devices = [CARD.model_copy(update={"recovery_action": RecoveryAction.RESET_DEVICE})]
    guard = host.new_process()
    guard.info()
    assert not guard.may_claim()
    assert len(host.fatal) == 1


def test_each_beat_tells_the_devices_figures_but_no_processes(host: Host) -> None:
    host.reader.devices = [CARD.model_copy(update={"temperature_celsius": 61})]
    info = host.guard.info()
    assert info["quarantine"] == ""
    assert info["gpu"]["uuid"] == "GPU-a"
    assert info["gpu"]["temperatureCelsius"] == 61
    assert info["gpu"]["freeBytes"] == 23 * GIB
    assert info["gpu"]["processes"] is None


def test_on_the_cpu_there_is_nothing_to_tell_and_nothing_to_block() -> None:
    guard = DeviceGuard(end_process=lambda: pytest.fail("ended"))
    guard.listen(lambda _exc: None)
    assert guard.info() == {}
    assert guard.may_claim()
    guard.settle(lambda: None)
    guard.leave()


def test_out_of_memory_frees_the_model_and_ends_bounded_saying_what_to_change(
    rig: Rig, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F30: dead with the setting to change, not retried for ever; the process lives on."""
    job_id = _job_to_film(rig)
    closed = []
    monkeypatch.setattr(rig.camera, "close", lambda: closed.append(True))
    rig.camera.before_render = _fail_with(GpuTooSmall("Film smaller.", retry_after_s=0))
    assert rig.drain(FILM) == rig.jobs.device_attempts
    error = rig.job(job_id).error
    assert error is not None
    assert (error.code, error.attempts) == ("gpu_oom", rig.jobs.device_attempts)
    assert error.detail == (
        "Film smaller. Card has 24.0 GiB, of which other programs held 1.0 GiB: end them. "
        "The catalogue's model for such a card is small-model."
    )
    assert len(closed) == rig.jobs.device_attempts
    assert host.ended == 0


def test_memory_that_stays_after_the_model_was_freed_ends_the_process(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.device_guard.memory_settled", lambda *_args: False)
    host.guard.note_failure(DeviceOutOfMemory("Memory ran out."))
    assert host.guard.is_short_of_memory
    host.guard.settle(lambda: None)
    assert not host.guard.is_short_of_memory
    assert not host.guard.may_claim()
    host.guard.leave()
    assert host.ended == 1
