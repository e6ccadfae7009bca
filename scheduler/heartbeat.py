"""The heartbeat thread: renews leases, notices lost ones, ends a process that is stuck."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from scheduler.attempt import Attempt
from scheduler.retries import error_of, retry_of, stuck_retry
from storyforge import clock
from storyforge.database import failures, leases, workers
from storyforge.database.engine import Database
from storyforge.database.failures import Retry
from storyforge.database.leases import LeaseLost
from storyforge.database.workers import WorkerRecord
from storyforge.domain.job import JobError
from storyforge.errors import Broken, DatabaseUnreachable, DiskFull, StoryForgeError
from storyforge.settings import JobSettings

_log = structlog.get_logger(__name__)
_WORKER_TTL_BEATS = 3  # a worker counts as gone after three missed beats


def end_this_process() -> None:
    """SIGKILL: a stuck device call hears nothing else."""
    os.kill(os.getpid(), signal.SIGKILL)


class Heartbeat:
    """One thread per worker process; attempts are watched between `watch` and `unwatch`.

    info: what each beat adds to the worker's row. Lock rule: `_lock` guards only the set of attempts
    and is never held over I/O.
    """

    def __init__(
        self,
        database: Database,
        jobs: JobSettings,
        record: WorkerRecord,
        end_process: Callable[[], None] = end_this_process,
        info: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._record = record
        self._end_process = end_process
        self._info = info
        self._lock = threading.Lock()
        self._renewed_s: dict[Attempt, float] = {}
        self._beaten_s = float("-inf")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating; leases run out by themselves from here."""
        self._stop.set()
        self._thread.join(timeout=self._jobs.cancel_poll_s * 2)

    def watch(self, attempt: Attempt) -> None:
        """Keep this attempt's lease alive."""
        with self._lock:
            self._renewed_s[attempt] = clock.monotonic_s()

    def unwatch(self, attempt: Attempt) -> None:
        """The attempt has ended."""
        with self._lock:
            self._renewed_s.pop(attempt, None)

    def beat(self) -> None:
        """One round over all watched attempts, and the worker's own sign of life."""
        with self._lock:
            watched = dict(self._renewed_s)
        for attempt, renewed_s in watched.items():
            self._look_after(attempt, renewed_s)
        if clock.monotonic_s() - self._beaten_s >= self._jobs.heartbeat_s:
            self._sign_of_life()

    def end_for(self, exc: StoryForgeError) -> None:
        """Record every watched attempt as failed by `exc`, then end the process.

        Those that wait for their turn are handed back.
        """
        with self._lock:
            watched = list(self._renewed_s)
        policy = retry_of(exc, self._jobs)
        for attempt in watched:
            if attempt.begun:
                self._fail(attempt, policy, error_of(exc, attempt.stage, policy, self._record.name))
            else:
                self._hand_back(attempt)
        self._end_process()

    def _run(self) -> None:
        while not self._stop.wait(self._jobs.cancel_poll_s):
            try:
                self.beat()
            except Exception:  # noqa: BLE001  the thread's outermost loop: it must beat on
                _log.exception("heartbeat failed; the next one follows")

    def _look_after(self, attempt: Attempt, renewed_s: float) -> None:
        now_s = clock.monotonic_s()
        if attempt.begun and now_s - attempt.last_progress_s > self._jobs.stage_deadline_s:
            self._end_stuck(attempt)
            return
        try:
            held = self._still_mine(attempt, now_s - renewed_s)
        except DatabaseUnreachable:
            held = now_s - renewed_s < self._jobs.lease_s  # nobody may have taken it yet
        if not held:
            attempt.lost.set()

    def _still_mine(self, attempt: Attempt, age_s: float) -> bool:
        claim = attempt.claim
        if age_s < self._jobs.heartbeat_s:
            with self._database.read() as c:
                return leases.still_held(c, claim)
        lease_s = self._jobs.lease_s
        held = self._database.write(
            lambda c: leases.renew(c, self._database.clock, claim, lease_s=lease_s)
        )
        if held:
            with self._lock:
                if attempt in self._renewed_s:
                    self._renewed_s[attempt] = clock.monotonic_s()
        return held

    def _end_stuck(self, attempt: Attempt) -> None:
        policy = stuck_retry(self._jobs)
        stuck = Broken(
            f"Stage {attempt.stage or 'none'} made no progress for "
            f"{self._jobs.stage_deadline_s:g} s; its process was ended."
        )
        error = error_of(stuck, attempt.stage, policy, self._record.name).model_copy(
            update={"code": policy.error_class}
        )
        _log.error("stuck", job_id=str(attempt.claim.job_id), stage=attempt.stage)
        self._fail(attempt, policy, error)
        self._end_process()

    def _fail(self, attempt: Attempt, policy: Retry, error: JobError) -> None:
        try:
            self._database.write(
                lambda c: failures.fail_attempt(
                    c, self._database.clock, attempt.claim, policy, error, now=clock.utc_now()
                )
            )
        except (LeaseLost, DatabaseUnreachable):
            _log.warning("the attempt could not be recorded; its lease runs out")

    def _hand_back(self, attempt: Attempt) -> None:
        try:
            self._database.write(
                lambda c: leases.hand_back(
                    c, self._database.clock, attempt.claim, now=clock.utc_now()
                )
            )
        except (LeaseLost, DatabaseUnreachable):
            _log.warning("a waiting job could not be handed back; its lease runs out")

    def _sign_of_life(self) -> None:
        info = {**self._record.info, **self._info()}
        record = self._record.model_copy(update={"info": info})
        try:
            self._database.write(
                lambda c: workers.beat_worker(
                    c,
                    self._database.clock,
                    record,
                    ttl_s=self._jobs.heartbeat_s * _WORKER_TTL_BEATS,
                )
            )
        except (DatabaseUnreachable, DiskFull):
            return
        self._beaten_s = clock.monotonic_s()
