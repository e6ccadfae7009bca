"""The drain loop of a lane: claim, run the lane's stages, hand on, until nothing is due."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from inference.video.diffusion.device_errors import is_sticky
from inference.video.model import SavingModel
from pipelines.continuation import PHASES, Phase, Tools, film_shape_of, job_folder
from pipelines.fused_render import FilmInWork, render_together
from pipelines.stage_log import ResultsGone
from scheduler.attempt import Attempt, HandBack
from scheduler.claims import Claims, Taken
from scheduler.device_guard import DeviceGuard
from scheduler.dispatch import Dispatcher
from scheduler.follow_up import FollowUp
from scheduler.heartbeat import Heartbeat
from scheduler.retries import as_ours, error_of, lane_after, retry_of
from storyforge import clock
from storyforge.database import approvals, failures, leases
from storyforge.database.engine import Database
from storyforge.database.leases import Claim, LeaseLost
from storyforge.domain.job import NEXT_LANE, GenerationJobPayload, Job, JobState, Lane
from storyforge.errors import ContinuityBroken, DatabaseUnreachable, GpuTooSmall, StoryForgeError
from storyforge.events import EventBus, LiveEvent
from storyforge.failpoints import Failpoints
from storyforge.settings import JobSettings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Worker:
    """Everything a worker process drains a lane with."""

    name: str
    lane: Lane
    database: Database
    tools: Tools
    events: EventBus
    dispatcher: Dispatcher
    heartbeat: Heartbeat
    failpoints: Failpoints
    jobs: JobSettings
    stopping: Callable[[], bool]
    claims: Claims
    device: DeviceGuard = field(default_factory=DeviceGuard)

    def drain(self) -> int:
        """Work until no job of the lane is due; gives how many were claimed."""
        claimed = 0
        with FollowUp() as follow_up:
            while not self.stopping() and self._device_is_fit(follow_up):
                batch = self.claims.take()
                if batch:
                    claimed += len(batch)
                    self._work_all(batch, follow_up)
                elif follow_up.is_busy():
                    follow_up.wait()  # and look once more: a job may have come meanwhile
                else:
                    break
        if self.device.leaving:
            self.dispatcher.wake(self.lane)  # for the process that comes in this one's place
            self.device.leave()
        return claimed

    def _device_is_fit(self, follow_up: FollowUp) -> bool:
        if self.device.is_short_of_memory:
            follow_up.wait()  # it may still decode with the model that is freed now
            self.device.settle(self.tools.video.close)
        return self.device.may_claim()

    def _work_all(self, batch: Sequence[Taken], follow_up: FollowUp) -> None:
        """Work through a batch in order; those that share forward passes are rendered ahead."""
        attempts = [self._attempt(taken) for taken in batch]
        for attempt in attempts:
            self.heartbeat.watch(attempt)
        ended = self._fuse(batch, attempts)
        for taken, attempt in zip(batch, attempts, strict=True):
            if attempt in ended:
                continue
            if self.stopping() or not self._device_is_fit(follow_up):
                self._hand_back(attempt.claim)
                self.heartbeat.unwatch(attempt)
            elif self._begins(attempt):
                self._work(attempt, taken.payload, follow_up)

    def _attempt(self, taken: Taken) -> Attempt:
        return Attempt(
            claim=taken.claim,
            database=self.database,
            events=self.events,
            failpoints=self.failpoints,
            stopping=lambda: self.stopping() or self.device.is_dead,
            patience_s=self.jobs.lease_s,
            begun=taken.begun,
        )

    def _begins(self, attempt: Attempt) -> bool:
        """Whether a job that waited for its turn is still ours; then it begins."""
        if not attempt.begun:
            try:
                self.claims.begin(attempt.claim)
            except (LeaseLost, DatabaseUnreachable):
                self.heartbeat.unwatch(attempt)  # it was cancelled, or its lease runs out
                return False
        attempt.begin()
        return True

    def _fuse(self, batch: Sequence[Taken], attempts: Sequence[Attempt]) -> Collection[Attempt]:
        """Render shared passes ahead of the jobs' own stages; gives the attempts that it ended.

        A pass that fails leaves each job to itself, so that the one at fault fails alone; but with
        a dead context nobody may touch the device again.
        """
        pairs = [
            (attempt, FilmInWork(taken.payload, attempt))
            for taken, attempt in zip(batch, attempts, strict=True)
            if taken.begun and taken.payload is not None
        ]
        most = self.claims.fused_now()
        if most <= 1 or not pairs:
            return ()
        try:
            render_together([film for _attempt, film in pairs], self.tools, most)
        except Exception as exc:  # noqa: BLE001  each job meets its own trouble again, alone
            if not is_sticky(exc):
                _log.warning("the batch is rendered one by one", error=type(exc).__name__)
                return ()
            failed = exc
        else:
            return ()
        for attempt, _film in pairs:
            self._guarded(attempt, lambda: _raise(failed))
        return [attempt for attempt, _film in pairs]

    def _work(
        self, attempt: Attempt, payload: GenerationJobPayload | None, follow_up: FollowUp
    ) -> None:
        """Run the lane's first phase here; the others behind it, beside the next job's first.

        A job that a worker died with runs alone, so that it costs no neighbour an attempt; and
        where memory is short, a job is decoded before the next one is rendered.
        """
        first, *others = PHASES[self.lane]
        video = self.tools.video
        if not others or attempt.claim.suspect:
            follow_up.wait(meanwhile=attempt.touch)
            self._guarded(attempt, lambda: self._run(attempt, payload, PHASES[self.lane]))
            return
        if isinstance(video, SavingModel) and video.takes_turns:
            follow_up.wait(meanwhile=attempt.touch)
        if self._guarded(
            attempt, lambda: self._run(attempt, payload, (first,), last=False), last=False
        ):
            follow_up.wait(meanwhile=attempt.touch)
            follow_up.start(
                lambda: self._guarded(attempt, lambda: self._run(attempt, payload, others))
            )

    def _guarded(self, attempt: Attempt, work: Callable[[], None], *, last: bool = True) -> bool:
        """Run part of an attempt and settle whatever comes of it; True when it went well."""
        claim = attempt.claim
        log = _log.bind(job_id=str(claim.job_id), lane=self.lane.value, epoch=claim.epoch)
        well = False
        try:
            work()
            well = True
        except LeaseLost:
            log.info("lease lost; stopped")
        except HandBack:
            self._hand_back(claim)
            log.info("handed back")
        except (StoryForgeError, ResultsGone) as exc:
            log.warning("attempt failed", stage=attempt.stage, error=str(exc))
            self._fail(attempt, exc)
        except Exception as exc:  # the outermost loop: a bug must not end the worker
            ours = as_ours(exc)
            if ours is exc:
                log.exception("a bug", stage=attempt.stage)
            self._fail(attempt, ours)
        finally:
            if last or not well:
                self.heartbeat.unwatch(attempt)
        return well

    def _run(
        self,
        attempt: Attempt,
        payload: GenerationJobPayload | None,
        phases: Iterable[Phase],
        *,
        last: bool = True,
    ) -> None:
        claim = attempt.claim
        if payload is None:
            payload = self.claims.payload(claim)
        for phase in phases:
            phase(payload, self.tools, attempt)
        if last:
            self._hand_on(attempt, payload)

    def _hand_on(self, attempt: Attempt, payload: GenerationJobPayload) -> None:
        claim = attempt.claim
        following = NEXT_LANE.get(self.lane)
        if following is not None:
            key = None
            if following is Lane.FILM:
                key = film_shape_of(payload, self.tools, attempt).key
            job = self.database.write(
                lambda c: leases.hand_on(
                    c, self.database.clock, claim, following, now=clock.utc_now(), batch_key=key
                )
            )
            if job.state is JobState.WAITING:  # for approval
                self._tell(job)
            else:
                self.dispatcher.wake(following)
            return
        shutil.rmtree(job_folder(self.tools.work_dir, str(claim.job_id)), ignore_errors=True)
        if attempt.finalized is not None and attempt.finalized.promoted is not None:
            self.dispatcher.wake(Lane.WRITE)

    def _hand_back(self, claim: Claim) -> None:
        try:
            self.database.write(
                lambda c: leases.hand_back(c, self.database.clock, claim, now=clock.utc_now())
            )
        except (LeaseLost, DatabaseUnreachable):
            return  # it ended meanwhile, or the lease runs out by itself
        self.dispatcher.wake(self.lane)

    def _fail(self, attempt: Attempt, exc: BaseException) -> None:
        self.device.note_failure(exc)
        if isinstance(exc, GpuTooSmall) and attempt.claim.batch_key is not None:
            self.claims.avoid.add(attempt.claim.batch_key)
        policy = retry_of(exc, self.jobs)
        error = error_of(self.device.explained(exc), attempt.stage, policy, self.name)

        def write(c: Connection) -> Job:
            if isinstance(exc, ContinuityBroken):
                held = approvals.hold_again(c, attempt.claim, exc.detail, now=clock.utc_now())
                if held is not None:
                    return held
            return failures.fail_attempt(
                c,
                self.database.clock,
                attempt.claim,
                policy,
                error,
                now=clock.utc_now(),
                lane=lane_after(exc),
            )

        try:
            job = self.database.write(write)
        except (LeaseLost, DatabaseUnreachable):
            return  # it ended meanwhile, or the sweeper counts the lost lease
        self._tell(job)

    def _tell(self, job: Job) -> None:
        self.events.publish(LiveEvent(kind="job", scene_id=job.scene_id, job=job.update()))


def _raise(exc: Exception) -> None:
    raise exc
