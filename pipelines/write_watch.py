"""Stands between a stage and a writer that takes its time: stops it, and keeps its notes."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.stage_log import StageLog
from storyforge import clock
from storyforge.domain.job import Stage

_EVERY_S = 1.0  # a step may be a commit, and a cancel is noticed no sooner


@dataclass
class StageWatch:
    """Counts waiting for a model as progress of the stage, and stops it when the job must stop.

    The writer has deadlines of its own, so that waiting for it ends. share, message: see StageLog.
    """

    log: StageLog
    stage: Stage
    share: float
    message: str
    notes: list[str] = field(default_factory=list)
    _asked_s: float = field(default_factory=clock.monotonic_s)

    def still_wanted(self) -> None:
        """Raises what the log raises: a lost lease, a shutdown."""
        now_s = clock.monotonic_s()
        if now_s - self._asked_s >= _EVERY_S:
            self._asked_s = now_s
            self.log.step(self.stage, self.share, self.message)

    def note(self, text: str) -> None:
        """Keep it for the stage's result."""
        if text not in self.notes:
            self.notes.append(text)
