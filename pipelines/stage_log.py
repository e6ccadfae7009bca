"""What the stages write to: progress, saved results and the final commit, all under the fence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from storyforge.database.finalize import Outcome
from storyforge.domain.job import LANES, Lane, Stage
from storyforge.domain.segment import LiveFilm
from storyforge.domain.wire import Wire, content_hash

ResultT = TypeVar("ResultT", bound=Wire)


class ResultsGone(Exception):
    """A saved result is missing or damaged; the job must go back to the lane that makes it."""

    def __init__(self, stage: Stage, what: str) -> None:
        super().__init__(what)
        self.stage = stage
        self.lane: Lane = next(lane for lane, stages in LANES.items() if stage in stages)


class StageLog(Protocol):
    """One attempt at one job. Every write raises LeaseLost once somebody else owns the job."""

    @property
    def epoch(self) -> int:
        """The fence's number; files of this attempt carry it, so that two never share a path."""
        ...

    def hit(self, stage: Stage, point: str) -> None:
        """Pass a failpoint."""
        ...

    def step(self, stage: Stage, share: float, message: str) -> None:
        """Say that `share` (0..1) of the stage is done; raises when the job must stop."""
        ...

    def load(self, stage: Stage, item: int, input_hash: str | None) -> Mapping[str, Any] | None:
        """The saved result for this input; None as the hash takes whatever is saved."""
        ...

    def save(self, stage: Stage, item: int, input_hash: str, body: Mapping[str, Any]) -> None:
        """Save one result of a stage that has more to come."""
        ...

    def finish(
        self,
        stage: Stage,
        input_hash: str,
        body: Mapping[str, Any],
        *,
        preview_url: str | None = None,
    ) -> None:
        """Save the stage's result, and move the job's status, in one transaction."""
        ...

    def show(self, film: LiveFilm) -> None:
        """Say what of the film can be watched by now; called from a thread of its own."""
        ...

    def commit(self, outcome: Outcome) -> None:
        """Make the film part of the scene; the job is done when this returns."""
        ...


def run_once(
    log: StageLog,
    stage: Stage,
    inputs: Any,
    kind: type[ResultT],
    work: Callable[[], ResultT],
    *,
    verify: Callable[[ResultT], bool] = lambda _result: True,
    preview_url: Callable[[ResultT], str | None] = lambda _result: None,
) -> ResultT:
    """Give the stage's saved result for these inputs, or do the work and save it.

    inputs: a Wire record or JSON-ready data; its hash is the result's key. verify: whether what
    the saved result points to is still whole; if not, the work is done again.
    """
    key = content_hash(inputs)
    body = log.load(stage, 0, key)
    if body is not None:
        saved = kind.model_validate(body)
        if verify(saved):
            return saved
    log.hit(stage, "p1")
    result = work()
    log.hit(stage, "p3")
    log.finish(stage, key, result.to_json(), preview_url=preview_url(result))
    log.hit(stage, "p4")
    return result


def required(log: StageLog, stage: Stage, kind: type[ResultT]) -> ResultT:
    """The saved result of a stage of an earlier lane. Raises ResultsGone when there is none."""
    body = log.load(stage, 0, None)
    if body is None:
        raise ResultsGone(stage, f"The result of {stage} is not there.")
    return kind.model_validate(body)
