"""The drain loop of a lane: claim, run the lane's stages, hand on, until nothing is due."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from inference.language.model import Watchable
from pipelines.continuation import PHASES, Phase, Tools, job_folder
from pipelines.stage_log import ResultsGone
from scheduler.attempt import Attempt, HandBack
from scheduler.device_guard import DeviceGuard
from scheduler.dispatch import Dispatcher
from scheduler.follow_up import FollowUp
from scheduler.heartbeat import Heartbeat
from scheduler.payloads import payload_of
from scheduler.retries import as_ours, error_of, lane_after, retry_of
from storyforge import clock
from storyforge.database import failures, leases
from storyforge.database.engine import Database
from storyforge.database.leases import Claim, LeaseLost
from storyforge.domain.job import NEXT_LANE, GenerationJobPayload, Job, Lane
from storyforge.errors import DatabaseUnreachable, DiskFull, StoryForgeError
from storyforge.events import EventBus, LiveEvent
from storyforge.failpoints import Failpoints
from storyforge.settings import JobSettings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Taken:
    """A claimed job; payload None: its snapshot could not be made, which its own attempt says."""

    claim: Claim
    payload: GenerationJobPayload | None


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
    device: DeviceGuard = field(default_factory=DeviceGuard)

    def drain(self) -> int:
        """Work until no job of the lane is due; gives how many were claimed."""
        claimed = 0
        with FollowUp() as follow_up:
            while not self.stopping() and self._device_is_fit(follow_up):
                taken = self._claim()
                if taken is not None:
                    claimed += 1
                    self._work(taken, follow_up)
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

    def _claim(self) -> Taken | None:
        """Claim and snapshot in one commit: a commit costs more than all that is in it."""
        try:
            return self.database.write(lambda c: self._take(c, with_payload=True))
        except (DatabaseUnreachable, DiskFull) as exc:
            _log.warning("nothing claimed; the sweeper wakes the lane", error=exc.detail)
            return None
        except Exception:  # noqa: BLE001  the outermost loop: a damaged job must not stop its lane
            return self.database.write(lambda c: self._take(c, with_payload=False))

    def _take(self, c: Connection, *, with_payload: bool) -> Taken | None:
        lease_s, now = self.jobs.lease_s, clock.utc_now()
        row = leases.claim_row(
            c, self.database.clock, self.lane, self.name, lease_s=lease_s, now=now
        )
        if row is None:
            return None
        claim = leases.claim_of(row, fenced=self.jobs.fence)
        return Taken(claim, self._payload(c, claim, row) if with_payload else None)

    def _payload(
        self, c: Connection, claim: Claim, row: Row[Any] | None = None
    ) -> GenerationJobPayload:
        reads_history = isinstance(self.tools.language, Watchable)
        return payload_of(c, claim, row, with_history=reads_history)

    def _work(self, taken: Taken, follow_up: FollowUp) -> None:
        """Run the lane's first phase here; the others behind it, beside the next job's first.

        A job that a worker died with runs alone, so that it costs no neighbour an attempt.
        """
        claim, payload = taken.claim, taken.payload
        attempt = Attempt(
            claim=claim,
            database=self.database,
            events=self.events,
            failpoints=self.failpoints,
            stopping=lambda: self.stopping() or self.device.is_dead,
            patience_s=self.jobs.lease_s,
        )
        first, *others = PHASES[self.lane]
        self.heartbeat.watch(attempt)
        if not others or claim.suspect:
            follow_up.wait(meanwhile=attempt.touch)
            self._guarded(attempt, lambda: self._run(attempt, payload, PHASES[self.lane]))
            return
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
            payload = self.database.write(lambda c: self._payload(c, claim))
        for phase in phases:
            phase(payload, self.tools, attempt)
        if last:
            self._hand_on(attempt)

    def _hand_on(self, attempt: Attempt) -> None:
        claim = attempt.claim
        following = NEXT_LANE.get(self.lane)
        if following is not None:
            self.database.write(
                lambda c: leases.hand_on(
                    c, self.database.clock, claim, following, now=clock.utc_now()
                )
            )
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
        policy = retry_of(exc, self.jobs)
        error = error_of(self.device.explained(exc), attempt.stage, policy, self.name)

        def write(c: Connection) -> Job:
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
        self.events.publish(LiveEvent(kind="job", scene_id=job.scene_id, job=job.update()))
