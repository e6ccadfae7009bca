"""Decides what a failure means for its job: try again, how often, after how long."""

from __future__ import annotations

import errno

from inference.video.diffusion.device_errors import is_out_of_memory, is_sticky
from pipelines.stage_log import ResultsGone
from pipelines.takes import TakeRefused
from storyforge.database.failures import Retry
from storyforge.database.leases import LOST
from storyforge.domain.job import JobError, Lane, Stage
from storyforge.errors import (
    Broken,
    DeviceLost,
    DeviceOutOfMemory,
    DiskFull,
    ModelLoading,
    Rejected,
    StoryForgeError,
    Unavailable,
)
from storyforge.settings import JobSettings

STUCK = "stuck"
_RESULTS_GONE = "results_gone"
_RETAKE = "take_refused"
_ONCE = 1


def retry_of(exc: BaseException, jobs: JobSettings) -> Retry:
    """The policy for this failure, by error class."""
    if isinstance(exc, Unavailable):
        wait_s = max(jobs.backoff_s, exc.retry_after_s)
        # The job itself may be what a device cannot bear, so these end much sooner.
        on_device = isinstance(exc, DeviceOutOfMemory | DeviceLost)
        attempts = jobs.device_attempts if on_device else jobs.unavailable_attempts
        if isinstance(exc, ModelLoading):
            attempts = jobs.loading_attempts  # nothing failed: its card is busy, or it loads
        return _retry(exc.code, attempts, jobs, wait_s)
    if isinstance(exc, Rejected | Broken):
        return _retry(exc.code, _ONCE, jobs)
    if isinstance(exc, TakeRefused):
        return _retry(_RETAKE, exc.at_most, jobs, wait_s=0.0)
    if isinstance(exc, ResultsGone):
        return _retry(_RESULTS_GONE, jobs.lost_attempts, jobs, wait_s=0.0)
    return _retry("bug", _ONCE, jobs)


def lost_retry(jobs: JobSettings) -> Retry:
    """The policy for a worker that died: bounded, and never a hot loop."""
    return _retry(LOST, jobs.lost_attempts, jobs)


def stuck_retry(jobs: JobSettings) -> Retry:
    """The policy for a stage that made no progress before its deadline."""
    return _retry(STUCK, jobs.stuck_attempts, jobs)


def error_of(exc: BaseException, stage: Stage | None, policy: Retry, worker: str) -> JobError:
    """The public record of a failure; a bug's details stay in the log."""
    detail = (
        str(exc)
        if isinstance(exc, StoryForgeError | ResultsGone)
        else f"An unexpected {type(exc).__name__}; the log of worker {worker} has the traceback."
    )
    code = exc.code if isinstance(exc, StoryForgeError) else policy.error_class
    return JobError(
        code=code,
        detail=detail,
        stage=stage.value if stage else "",
        error_class=policy.error_class,
    )


def lane_after(exc: BaseException) -> Lane | None:
    """The lane that must make lost results again; None to stay in this one."""
    return exc.lane if isinstance(exc, ResultsGone) else None


def as_ours(exc: Exception) -> Exception:
    """A full disk, a dead device and a full one by our names; everything else stays what it is."""
    if isinstance(exc, OSError) and exc.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull("The node's disk is full; free some space and it goes on.", 30.0)
    ours: Exception = exc
    if is_sticky(exc):
        ours = DeviceLost("The device failed; its process must end.")
    elif is_out_of_memory(exc):
        ours = DeviceOutOfMemory("The device ran out of memory.")
    if ours is not exc:
        ours.__cause__ = exc
    return ours


def _retry(
    error_class: str, max_attempts: int, jobs: JobSettings, wait_s: float | None = None
) -> Retry:
    backoff_s = jobs.backoff_s if wait_s is None else wait_s
    return Retry(error_class, max_attempts, backoff_s, max(jobs.backoff_max_s, backoff_s))
