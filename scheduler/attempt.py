"""One attempt at one job: the StageLog whose every write is fenced by the claim."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from storyforge import clock
from storyforge.database import finalize, jobs, leases, live_films, stage_results
from storyforge.database.engine import Database
from storyforge.database.finalize import Finalized, Outcome
from storyforge.database.leases import Claim, LeaseLost
from storyforge.domain.job import (
    STAGE_END_PERCENT,
    STATUS_AFTER,
    Job,
    JobState,
    Stage,
    live_master_url,
)
from storyforge.domain.segment import LiveFilm
from storyforge.errors import DatabaseUnreachable
from storyforge.events import EventBus, LiveEvent
from storyforge.failpoints import Failpoints

T = TypeVar("T")
_PROGRESS_EVERY_S = 0.5  # more often costs a commit per step and no eye sees it
_RETRY_DATABASE_S = 0.5
_FIRST_EPOCH = 1  # a job begins at 0; claims and all that takes a lease away add one
# A stage starts at the percentage where the one before it ends.
_STARTS = dict(zip(STAGE_END_PERCENT, [0, *STAGE_END_PERCENT.values()], strict=False))


class HandBack(Exception):
    """The worker is shutting down: give the job back unharmed."""


@dataclass(eq=False)
class Attempt:
    """The state that the work thread and the heartbeat thread share.

    lost, stopping: set by others, read at every step. last_progress_s: monotonic; the heartbeat
    ends the process when it grows too old, but not while the job waits for its turn in a batch.
    """

    claim: Claim
    database: Database
    events: EventBus
    failpoints: Failpoints
    stopping: Callable[[], bool]
    patience_s: float
    begun: bool = True
    lost: threading.Event = field(default_factory=threading.Event)
    stage: Stage | None = None
    finalized: Finalized | None = None
    last_progress_s: float = field(default_factory=clock.monotonic_s)
    _last_written_s: float = 0.0
    _written_stage: Stage | None = None
    _has_saved: bool = False

    @property
    def epoch(self) -> int:
        """The fence's number."""
        return self.claim.epoch

    def hit(self, stage: Stage, point: str) -> None:
        """Pass a failpoint."""
        self.stage = stage
        self.failpoints.hit(stage.value, point, str(self.claim.job_id))

    def step(self, stage: Stage, share: float, message: str) -> None:
        """Note progress, and stop here if the lease is lost or the worker shuts down."""
        entered, self.stage = stage is not self._written_stage, stage
        self.check()
        now_s = clock.monotonic_s()
        self.last_progress_s = now_s
        if entered or now_s - self._last_written_s >= _PROGRESS_EVERY_S:
            self._write_progress(stage, _percent(stage, share), message)
            self._last_written_s, self._written_stage = now_s, stage
        self.hit(stage, "p2")

    def _write_progress(self, stage: Stage, percent: int, message: str) -> None:
        def write(c: Connection) -> Job:
            return leases.write_progress(
                c, self.claim, stage=stage, progress=percent, message=message, now=clock.utc_now()
            )

        try:
            self._tell(self.database.write(write))
        except DatabaseUnreachable:
            return  # progress is for eyes only; the heartbeat watches the lease

    def begin(self) -> None:
        """The job's turn has come."""
        self.touch()
        self.begun = True

    def touch(self) -> None:
        """Waiting for one's turn is progress too."""
        self.last_progress_s = clock.monotonic_s()

    def check(self) -> None:
        """Raise LeaseLost or HandBack when it is time to stop."""
        if self.lost.is_set() and self.claim.fenced:
            raise LeaseLost
        if self.stopping():
            raise HandBack

    def load(self, stage: Stage, item: int, input_hash: str | None) -> Mapping[str, Any] | None:
        """A saved result."""
        if self.epoch == _FIRST_EPOCH and not self._has_saved:
            return None  # nobody had the job before, so there is nothing to look for

        def read() -> Mapping[str, Any] | None:
            with self.database.read() as c:
                return stage_results.load_result(
                    c, self.claim.job_id, stage=stage, item=item, input_hash=input_hash
                )

        return self._patiently(read)

    def save(self, stage: Stage, item: int, input_hash: str, body: Mapping[str, Any]) -> None:
        """Save one result under the fence."""
        self._has_saved = True
        self._write(
            lambda c: stage_results.save_result(
                c,
                self.claim,
                stage=stage,
                item=item,
                input_hash=input_hash,
                body=body,
                now=clock.utc_now(),
            )
        )

    def finish(
        self,
        stage: Stage,
        input_hash: str,
        body: Mapping[str, Any],
        *,
        preview_url: str | None = None,
    ) -> None:
        """Save the stage's result and move the status with it."""
        self._has_saved = True

        def write(c: Connection) -> Job:
            now = clock.utc_now()
            stage_results.save_result(
                c, self.claim, stage=stage, item=0, input_hash=input_hash, body=body, now=now
            )
            return leases.finish_stage(
                c,
                self.claim,
                stage=stage,
                progress=STAGE_END_PERCENT[stage],
                reached=STATUS_AFTER.get(stage),
                preview_url=preview_url,
                now=now,
            )

        self._tell(self._write(write))
        self.last_progress_s = clock.monotonic_s()

    def show(self, film: LiveFilm) -> None:
        """Note what of the film is in the store, for readers; also from another thread."""

        def write(c: Connection) -> Job | None:
            url = live_master_url(self.claim.job_id)
            return live_films.note_film(c, self.claim, film, url, now=clock.utc_now())

        told = self.database.write(write)
        if told is not None:
            self._tell(told)

    def commit(self, outcome: Outcome) -> None:
        """Finalise; finds its own earlier commit when only the reply was lost."""
        tries = 0

        def write(c: Connection) -> Finalized:
            nonlocal tries
            tries += 1
            if tries > 1:
                row = jobs.get_job(c, self.claim.job_id)
                if row.state is JobState.DONE and row.epoch == self.epoch:
                    return Finalized(row, promoted=row.id)  # wake the lane; a follower may wait
            done = finalize.finalize_job(
                c, self.database.clock, self.claim, outcome, now=clock.utc_now()
            )
            self.hit(Stage.FINALIZE_JOB, "p3")  # all is written, nothing is committed
            return done

        self.finalized = self._write(write)
        self.hit(Stage.FINALIZE_JOB, "p4")  # committed, and nobody was told
        self._tell(self.finalized.job)

    def _tell(self, job: Job) -> None:
        self.events.publish(LiveEvent(kind="job", scene_id=job.scene_id, job=job.update()))

    def _write(self, work: Callable[[Connection], T]) -> T:
        return self._patiently(lambda: self.database.write(work))

    def _patiently(self, work: Callable[[], T]) -> T:
        """Outlast a restart of the database rather than throw finished work away."""
        started_s = clock.monotonic_s()
        while True:
            if self.lost.is_set() and self.claim.fenced:
                raise LeaseLost
            try:
                return work()
            except DatabaseUnreachable:
                if self.stopping() or clock.monotonic_s() - started_s > self.patience_s:
                    raise
                clock.sleep_s(_RETRY_DATABASE_S)


def _percent(stage: Stage, share: float) -> int:
    start, end = _STARTS[stage], STAGE_END_PERCENT[stage]
    return int(start + (end - start) * min(max(share, 0.0), 1.0))
