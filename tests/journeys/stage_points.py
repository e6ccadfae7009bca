"""Every stage at every failpoint, and what a job must look like after dying there once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from pipelines.takes import ITEM as FIRST_NOTE
from storyforge.database.engine import Database
from storyforge.database.leases import LOST
from storyforge.domain.job import LANES, Job, JobState, Lane, Stage
from storyforge.ids import uuid7
from tests.chaos.evidence import Evidence, gather
from tests.chaos.node import Node
from tests.chaos.oracle import judge
from tests.chaos.playback import playlists_play

POINTS = ("p1", "p2", "p3", "p4")
ORDER = tuple(Stage)
# Without a fault a job is claimed three times: epoch 1 writes, 2 films, 3 publishes.
_FIRST_EPOCH = {lane: number for number, lane in enumerate(Lane, start=1)}
# Dying costs two: the sweeper raises the fence, and the next claim raises it again.
_COST = 2


@dataclass(frozen=True)
class Case:
    """One job that dies once at one point."""

    stage: Stage
    point: str
    job_id: UUID

    def failpoint(self, action: str, times: int = 1) -> str:
        """What to arm."""
        return f"{self.stage}:{self.point}:{action}*{times}@{self.job_id}"

    @property
    def survives(self) -> bool:
        """Whether the job was done already when its process died."""
        return (self.stage, self.point) == (Stage.FINALIZE_JOB, "p4")


def every_case() -> list[Case]:
    """All stages at all points, each with a job's id to come."""
    return [Case(stage, point, uuid7()) for stage in ORDER for point in POINTS]


def expected_epochs(case: Case) -> Mapping[Stage, int]:
    """Which attempt each saved result must be of: none is made twice, none is skipped."""
    epochs = {}
    for lane, stages in LANES.items():
        for stage in stages:
            again = not case.survives and ORDER.index(stage) > ORDER.index(case.stage)
            if stage is case.stage:
                again = case.point != "p4"
            epochs[stage] = _FIRST_EPOCH[lane] + (_COST if again else 0)
    del epochs[Stage.FINALIZE_JOB]  # its result is the segment
    return epochs


def found_epochs(evidence: Evidence, job_id: UUID) -> dict[Stage, set[int]]:
    """Which attempts the saved results are of; notes beside the shots are made before them."""
    found: dict[Stage, set[int]] = {}
    for row in evidence.results[job_id]:
        if row.item < FIRST_NOTE:
            found.setdefault(Stage(row.stage), set()).add(row.epoch)
    return found


def check_case(case: Case, job: Job, evidence: Evidence) -> None:
    """The job, filmed alone, is done after one counted failure, with nothing made twice."""
    where = f"{case.stage}:{case.point}"
    assert job.state is JobState.DONE, f"{where}: {job!r}"
    assert job.attempts == {LOST: 0 if case.survives else 1}, where
    wanted = {stage: {epoch} for stage, epoch in expected_epochs(case).items()}
    assert found_epochs(evidence, case.job_id) == wanted, where


def check_node(node: Node, database: Database | None = None) -> Evidence:
    """The oracle finds nothing; gives the evidence."""
    evidence = gather(database or node.database)
    playback = list(playlists_play(evidence, node.store))
    verdict = judge(
        evidence,
        node.accepted,
        attempts_allowed={"": 12, "worker_lost": 3, "stuck": 2},
        unread=node.unread(),
        playback=playback,
    )
    assert verdict.violations == ()
    assert (verdict.lost, verdict.doubled) == (0, 0)
    return evidence
