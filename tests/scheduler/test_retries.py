"""What a failure means for its job."""

from __future__ import annotations

import errno

import pytest

from pipelines.stage_log import ResultsGone
from scheduler.retries import (
    as_ours,
    error_of,
    lane_after,
    lost_retry,
    retry_of,
    stuck_retry,
)
from storyforge.domain.job import Lane, Stage
from storyforge.errors import (
    Conflict,
    DeviceLost,
    DeviceOutOfMemory,
    DiskFull,
    ModelLoading,
    RenderFailed,
    ScriptInvalid,
    StorageDenied,
    StoreUnreachable,
    WriterUnreachable,
)
from storyforge.settings import JobSettings

JOBS = JobSettings()


@pytest.mark.parametrize(
    ("exc", "error_class", "attempts"),
    [
        (StoreUnreachable("x"), "store_unreachable", JOBS.unavailable_attempts),
        (DiskFull("x"), "disk_full", JOBS.unavailable_attempts),
        (ModelLoading("x"), "model_loading", JOBS.loading_attempts),
        (WriterUnreachable("x"), "writer_unreachable", JOBS.unavailable_attempts),
        (DeviceOutOfMemory("x"), "device_out_of_memory", JOBS.device_attempts),
        (DeviceLost("x"), "device_lost", JOBS.device_attempts),
        (StorageDenied("x"), "storage_denied", 1),
        (RenderFailed("x"), "render_failed", 1),
        (ScriptInvalid("x"), "script_invalid", 1),
        (Conflict("x"), "conflict", 1),
        (ResultsGone(Stage.ENCODE_HLS, "x"), "results_gone", JOBS.lost_attempts),
        (ZeroDivisionError(), "bug", 1),
    ],
)
def test_every_class_has_its_bound(exc: Exception, error_class: str, attempts: int) -> None:
    policy = retry_of(exc, JOBS)
    assert (policy.error_class, policy.max_attempts) == (error_class, attempts)


def test_the_wait_is_the_longer_of_ours_and_theirs() -> None:
    assert retry_of(StoreUnreachable("x", retry_after_s=1.0), JOBS).wait_s(1) == JOBS.backoff_s
    assert retry_of(StoreUnreachable("x", retry_after_s=60.0), JOBS).wait_s(1) == 60.0
    assert retry_of(StoreUnreachable("x", retry_after_s=900.0), JOBS).wait_s(5) == 900.0


def test_a_lost_worker_is_never_a_hot_loop() -> None:
    assert lost_retry(JOBS).wait_s(1) >= 5.0
    assert stuck_retry(JOBS).wait_s(1) >= 5.0


def test_results_that_are_gone_send_the_job_to_their_lane() -> None:
    assert lane_after(ResultsGone(Stage.CHECK_CONTINUITY, "x")) is Lane.WRITE
    assert lane_after(ResultsGone(Stage.ENCODE_HLS, "x")) is Lane.FILM
    assert lane_after(StoreUnreachable("x")) is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_thing_under_every_name(number: int) -> None:
    assert isinstance(as_ours(OSError(number, "x")), DiskFull)
    other = OSError(errno.EIO, "x")
    assert as_ours(other) is other


def test_what_torch_raises_is_known_by_its_words() -> None:
    assert isinstance(as_ours(RuntimeError("CUDA out of memory. Tried...")), DeviceOutOfMemory)
    dead = RuntimeError("CUDA error: an illegal memory access was encountered")
    assert isinstance(as_ours(dead), DeviceLost)
    assert as_ours(dead).__cause__ is dead, "the log must show what the driver said"


def test_a_bug_gives_its_kind_and_where_to_look_but_not_its_words() -> None:
    exc = ValueError("/srv/private")
    error = error_of(exc, Stage.PREVIEW, retry_of(exc, JOBS), "write@host:7")
    assert (
        error.detail
        == "An unexpected ValueError; the log of worker write@host:7 has the traceback."
    )
    assert (error.code, error.stage, error.error_class) == ("bug", "preview", "bug")
