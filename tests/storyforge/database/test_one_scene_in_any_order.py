"""Whatever happens to one scene, in whatever order: its bible stays one chain (guarantees F74)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection

from storyforge import clock
from storyforge.database import approvals, failures, jobs, leases, scenes, segments, stage_results
from storyforge.database.deletion import delete_scene
from storyforge.database.engine import Database
from storyforge.database.failures import Retry
from storyforge.database.finalize import finalize_job
from storyforge.database.leases import Claim, LeaseLost
from storyforge.domain.continuity import ValidationResult
from storyforge.domain.job import NEXT_LANE, JobError, JobKind, JobState, Lane, Stage, WaitReason
from storyforge.errors import Conflict, NotFound
from tests.builders import accept, claim, new_scene, outcome, script
from tests.chaos.evidence import gather
from tests.chaos.oracle import (
    bibles_are_one_chain,
    count_doubled,
    numbers_are_contiguous,
    one_segment_per_done_job,
)
from tests.storyforge.database.test_bible_races import edit

EXAMPLES, STEPS = 20, 30


class OneScene(RuleBasedStateMachine):
    """Clients, workers and an owner at one scene; refusals are fine, broken promises are not."""

    accepted = Bundle("accepted")
    claims = Bundle("claims")  # stale ones too: a worker that slept writes late

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.scene_id = new_scene(database).id
        self.version = 1

    def teardown(self) -> None:
        self.database.write(lambda c: delete_scene(c, self.scene_id, now=clock.utc_now()))

    @rule(
        target=accepted,
        version=st.none() | st.integers(-1, 0),
        kind=st.sampled_from([JobKind.CONTINUE] * 3 + [JobKind.RETAKE]),
        hold=st.booleans(),
    )
    def accept(self, version: int | None, kind: JobKind, *, hold: bool) -> Any:
        wanted = None if version is None else max(1, self.version + version)
        with contextlib.suppress(Conflict):
            if kind is JobKind.RETAKE and self._next_number() == 1:
                return multiple()  # the API finds the segment to film anew first
            return accept(
                self.database, self.scene_id, bible_version=wanted, kind=kind, hold=hold
            ).job.id
        return multiple()

    @rule(target=accepted, before=accepted)
    def follow(self, before: UUID) -> Any:
        with contextlib.suppress(Conflict):
            return accept(self.database, self.scene_id, after_job_id=before).job.id
        return multiple()

    @rule(target=claims, lane=st.sampled_from(list(Lane)))
    def claim(self, lane: Lane) -> Any:
        held = claim(self.database, lane)
        return multiple() if held is None else held

    @rule(held=claims)
    def go_on(self, held: Claim) -> None:
        """Hand on to the next lane; in the last one finalise."""
        following = NEXT_LANE.get(held.lane)
        if held.lane is Lane.WRITE:
            self._as_worker(lambda c: _save_plan(c, held))
        if following is not None:
            self._as_worker(
                lambda c: leases.hand_on(
                    c, self.database.clock, held, following, now=clock.utc_now()
                )
            )
        elif self._as_worker(
            lambda c: finalize_job(c, self.database.clock, held, outcome(), now=clock.utc_now())
        ):
            self.version += 1

    @rule()
    def film_what_waits(self) -> None:
        """All lanes in one go, so that stories grow long."""
        for lane in Lane:
            held = claim(self.database, lane)
            if held is not None:
                self.go_on(held)

    @rule(held=consumes(claims), attempts=st.integers(1, 2))
    def fail(self, held: Claim, attempts: int) -> None:
        error = JobError(code="broken", detail="It broke.", error_class="broken")
        policy = Retry("broken", attempts, 0.0, 0.0)
        self._as_worker(
            lambda c: failures.fail_attempt(
                c, self.database.clock, held, policy, error, now=clock.utc_now()
            )
        )

    @rule(job_id=accepted)
    def cancel(self, job_id: UUID) -> None:
        self._as_owner(lambda c: jobs.cancel_job(c, job_id, now=clock.utc_now()))

    @rule(job_id=accepted)
    def reject(self, job_id: UUID) -> None:
        self._as_owner(lambda c: approvals.reject_job(c, job_id, "", now=clock.utc_now()))

    @rule(job_id=accepted)
    def approve(self, job_id: UUID) -> None:
        self._as_owner(
            lambda c: approvals.approve_job(
                c, job_id, self.database.clock, None, now=clock.utc_now()
            )
        )

    @rule(job_id=accepted)
    def retry(self, job_id: UUID) -> None:
        self._as_owner(
            lambda c: jobs.retry_job(c, job_id, self.database.clock, now=clock.utc_now())
        )

    @rule(base=st.integers(-1, 0), word=st.integers(0, 3))
    def edit(self, base: int, word: int) -> None:
        with contextlib.suppress(Conflict):
            made = edit(self.database, self.scene_id, max(1, self.version + base), f"Edit {word}.")
            assert made.version in {self.version, self.version + 1}
            self.version = made.version

    @rule()
    def remove_last(self) -> None:
        with self.database.read() as c:
            last = segments.last_rows(c, self.scene_id, 1, before=self._next_number())
        if last and self._as_owner(
            lambda c: segments.remove_last_segment(
                c, self.scene_id, last[0].id, now=clock.utc_now()
            )
        ):
            self.version += 1

    @invariant()
    def every_promise_holds(self) -> None:
        evidence = gather(self.database)
        found = [
            *bibles_are_one_chain(evidence),
            *numbers_are_contiguous(evidence),
            *one_segment_per_done_job(evidence),
        ]
        assert found == []
        assert count_doubled(evidence) == 0
        head = evidence.heads[self.scene_id]
        assert head.bible_version == self.version, "each move of the story is one version"
        for row in evidence.jobs.values():
            if row.scene_id == self.scene_id and row.state in {"queued", "leased"}:
                assert head.live_job_id == row.id, "one job of a scene may run"
            if row.scene_id == self.scene_id and row.wait_reason == WaitReason.APPROVAL:
                assert (row.state, row.worker) == (JobState.WAITING, None)
                assert head.live_job_id == row.id, "a plan that waits keeps its scene's place"
            assert (row.wait_reason is None) == (row.state != JobState.WAITING)

    def _next_number(self) -> int:
        with self.database.read() as c:
            return scenes.get_scene(c, self.scene_id).next_number

    def _as_worker(self, work: Callable[[Any], object]) -> bool:
        with contextlib.suppress(LeaseLost):
            self.database.write(work)
            return True
        return False

    def _as_owner(self, work: Callable[[Any], object]) -> bool:
        with contextlib.suppress(Conflict, NotFound):
            self.database.write(work)
            return True
        return False


def _save_plan(c: Connection, held: Claim) -> None:
    body = {"script": script().to_json(), "report": ValidationResult(valid=True).to_json()}
    stage_results.save_result(
        c,
        held,
        stage=Stage.CHECK_CONTINUITY,
        item=0,
        input_hash="",
        body=body,
        now=clock.utc_now(),
    )


def test_the_bible_is_one_chain_in_any_order_of_events(database: Database) -> None:
    run_state_machine_as_test(
        lambda: OneScene(database),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=(Phase.generate,),  # shrinking against a real database takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
