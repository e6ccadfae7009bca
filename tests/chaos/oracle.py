"""The oracle: says in sentences what is wrong with a node's rows (guarantees O1-O3, O5, O8, O9).

Pure checks over evidence; a node that keeps its promises gets an empty list. Workers report every
job as done even when they have doubled a segment, so only looking at the rows can tell.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from storyforge.domain.bible import SceneBible
from storyforge.domain.job import ENDED, JobError, JobState, JobStatus, Lane, WaitReason
from tests.chaos.evidence import Evidence, Sighting

_STATUS_RANK = {status.value: rank for rank, status in enumerate(JobStatus)}
_TERMINAL = frozenset({JobStatus.FINAL_READY, JobStatus.FAILED, JobStatus.CANCELLED})


@dataclass(frozen=True, order=True)
class Violation:
    """One broken promise: the rule's name and a sentence."""

    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.sentence}"


@dataclass(frozen=True)
class Verdict:
    """What the oracle found.

    lost: accepted jobs that have no row, have not ended, or are done without a segment.
    doubled: effects that happened more than once (segments and bible versions of one job,
    segments with one number, bible versions with one number).
    """

    violations: tuple[Violation, ...]
    lost: int
    doubled: int


def judge(
    evidence: Evidence,
    accepted: Collection[UUID],
    *,
    attempts_allowed: Mapping[str, int],
    unread: Mapping[Lane, int],
    seen: Sequence[Sighting] = (),
    playback: Sequence[Violation] = (),
) -> Verdict:
    """Apply every rule to a node that has settled.

    attempts_allowed: by error class; "" is for all others. unread: wake-ups by lane.
    playback: what the playlist checks found (see playback.py).
    """
    violations = [
        *everything_accepted_has_ended(evidence, accepted),
        *one_segment_per_done_job(evidence),
        *numbers_are_contiguous(evidence),
        *bibles_are_one_chain(evidence),
        *attempts_are_bounded(evidence, attempts_allowed),
        *nothing_is_held(evidence),
        *nothing_waits_without_wake_up(evidence, unread),
        *history_is_monotonic(evidence, seen),
        *playback,
    ]
    return Verdict(tuple(violations), count_lost(evidence, accepted), count_doubled(evidence))


def everything_accepted_has_ended(
    evidence: Evidence, accepted: Collection[UUID]
) -> Iterator[Violation]:
    """O1: every accepted id is done, dead or cancelled, or held behind one that is not done."""
    for job_id in sorted(accepted):
        row = evidence.jobs.get(job_id)
        if row is None:
            yield Violation("O1", f"job {job_id} was accepted, and there is no row of it")
        elif JobState(row.state) not in ENDED and not _is_held(evidence, row):
            yield Violation("O1", f"job {job_id} is still {row.state} in lane {row.lane}")


def one_segment_per_done_job(evidence: Evidence) -> Iterator[Violation]:
    """O2: one segment for a done job and none for any other."""
    for row in evidence.jobs.values():
        made = evidence.made_by(row.id)
        wanted = 1 if row.state == JobState.DONE else 0
        if len(made) != wanted:
            yield Violation(
                "O2", f"job {row.id} is {row.state} and has {len(made)} segments, not {wanted}"
            )
        if row.state == JobState.DONE and made and row.result["segmentId"] != str(made[0].id):
            yield Violation("O2", f"job {row.id} names segment {row.result['segmentId']}, not its")


def numbers_are_contiguous(evidence: Evidence) -> Iterator[Violation]:
    """O2: the visible segments of a scene count 1, 2, 3 and its head knows the next number."""
    for scene_id, head in evidence.heads.items():
        numbers = [row.number for row in evidence.visible(scene_id)]
        if numbers != list(range(1, len(numbers) + 1)):
            yield Violation("O2", f"scene {scene_id} has the segment numbers {numbers}")
        if head.next_number != len(numbers) + 1:
            yield Violation(
                "O2",
                f"scene {scene_id} has {len(numbers)} segments, and its head says that the next "
                f"one is number {head.next_number}",
            )


def bibles_are_one_chain(evidence: Evidence) -> Iterator[Violation]:
    """O3: versions 1..head, each naming its parent's hash, each hash true, one per job."""
    for scene_id, head in evidence.heads.items():
        rows = evidence.bibles_of(scene_id)
        versions = [row.version for row in rows]
        if versions != list(range(1, head.bible_version + 1)):
            yield Violation(
                "O3",
                f"scene {scene_id} has the bible versions {versions}, and its head says "
                f"{head.bible_version}",
            )
        yield from _links(scene_id, rows)
        for job_id, count in Counter(row.job_id for row in rows if row.job_id).items():
            if count > 1:
                yield Violation("O3", f"job {job_id} made {count} bible versions")
        known = set(versions)
        for row in evidence.segments_of(scene_id):
            if row.bible_version not in known or row.base_version >= row.bible_version:
                yield Violation(
                    "O3",
                    f"segment {row.id} says that bible {row.base_version} became "
                    f"{row.bible_version}",
                )


def attempts_are_bounded(
    evidence: Evidence, attempts_allowed: Mapping[str, int]
) -> Iterator[Violation]:
    """O5: no error class beyond its bound, and a reason for every dead job."""
    for row in evidence.jobs.values():
        for error_class, count in row.attempts.items():
            allowed = attempts_allowed.get(error_class, attempts_allowed[""])
            if count > allowed:
                yield Violation(
                    "O5", f"job {row.id} had {count} attempts as {error_class}, not {allowed}"
                )
        if row.state != JobState.DEAD:
            continue
        error = JobError.model_validate(row.error) if row.error else None
        if error is None or not (error.code and error.detail and error.error_class):
            yield Violation("O5", f"job {row.id} is dead and gives no reason")
        elif not error.attempts:
            yield Violation("O5", f"job {row.id} is dead after no attempt")


def nothing_is_held(evidence: Evidence) -> Iterator[Violation]:
    """O8: no lease is left, and a scene is live only for a job of its own that can run."""
    for row in evidence.jobs_in(JobState.LEASED):
        yield Violation("O8", f"job {row.id} is still leased to {row.worker}")
    for scene_id, head in evidence.heads.items():
        if head.live_job_id is None:
            continue
        live = evidence.jobs.get(head.live_job_id)
        if live is None or live.scene_id != scene_id or JobState(live.state) in ENDED:
            state = live.state if live is not None else "not there"
            yield Violation("O8", f"scene {scene_id} waits for job {head.live_job_id}: {state}")
    for row in evidence.jobs_in(JobState.QUEUED, JobState.LEASED):
        if evidence.heads[row.scene_id].live_job_id != row.id:
            yield Violation("O8", f"job {row.id} may run, and is not its scene's live job")


def nothing_waits_without_wake_up(
    evidence: Evidence, unread: Mapping[Lane, int]
) -> Iterator[Violation]:
    """O8: a due job has a wake-up in its lane's queue."""
    for row in evidence.jobs_in(JobState.QUEUED):
        if row.id in evidence.due and not unread[Lane(row.lane)]:
            yield Violation("O8", f"job {row.id} is due in lane {row.lane} without a wake-up")


def history_is_monotonic(evidence: Evidence, seen: Sequence[Sighting]) -> Iterator[Violation]:
    """O9: numbers grow, the status never goes back, and the end is seen exactly once."""
    histories: dict[UUID, list[Sighting]] = defaultdict(list)
    for sighting in seen:
        histories[sighting.job_id].append(sighting)
    for job_id, history in histories.items():
        for before, after in itertools.pairwise(history):
            if after.seq <= before.seq:
                yield Violation("O9", f"job {job_id} went from seq {before.seq} to {after.seq}")
            if _STATUS_RANK[after.status] < _STATUS_RANK[before.status]:
                yield Violation("O9", f"job {job_id} went from {before.status} to {after.status}")
        ends = [sighting for sighting in history if sighting.status in _TERMINAL]
        row = evidence.jobs.get(job_id)
        if row is None or JobState(row.state) not in ENDED:
            continue
        if len(ends) != 1 or ends[0].status != row.status:
            said = [sighting.status for sighting in ends]
            yield Violation("O9", f"job {job_id} is {row.status}, and its client saw {said}")


def count_lost(evidence: Evidence, accepted: Collection[UUID]) -> int:
    """Accepted jobs that came to nothing without anybody saying so."""
    lost = {job_id for job_id in accepted if job_id not in evidence.jobs}
    for row in evidence.jobs.values():
        stuck = JobState(row.state) not in ENDED and not _is_held(evidence, row)
        if stuck or (row.state == JobState.DONE and not evidence.made_by(row.id)):
            lost.add(row.id)
    return len(lost)


def count_doubled(evidence: Evidence) -> int:
    """Effects beyond the one that each job may have."""
    every_segment = [row for rows in evidence.segments.values() for row in rows]
    every_bible = [row for rows in evidence.bibles.values() for row in rows]
    keys = (
        Counter(row.job_id for row in every_segment),
        Counter((row.scene_id, row.number) for row in every_segment if row.hidden_at is None),
        Counter(row.job_id for row in every_bible if row.job_id),
        Counter((row.scene_id, row.version) for row in every_bible),
    )
    return sum(count - 1 for counts in keys for count in counts.values())


def _is_held(evidence: Evidence, row: Row[Any]) -> bool:
    """Whether the job waits for an operator: itself, or behind one that does or has failed."""
    at: Row[Any] | None = row
    while at is not None and at.state == JobState.WAITING:
        if at.wait_reason == WaitReason.APPROVAL:
            return True
        at = evidence.jobs.get(at.after_job_id)
    return row.state == JobState.WAITING and (
        at is not None and at.state in {JobState.DEAD, JobState.CANCELLED}
    )


def _links(scene_id: UUID, rows: Sequence[Row[Any]]) -> Iterator[Violation]:
    by_version = {row.version: row for row in rows}
    for row in rows:
        where = f"bible {row.version} of scene {scene_id}"
        bible = SceneBible.model_validate(row.body)
        if bible.content_hash() != row.content_hash:
            yield Violation("O3", f"{where} does not match its hash")
        if bible.version != row.version:
            yield Violation("O3", f"{where} calls itself version {bible.version}")
        parent = by_version.get(row.version - 1)
        expected = parent.content_hash if parent is not None else None
        if row.parent_hash != expected:
            yield Violation("O3", f"{where} names a parent that is not version {row.version - 1}")
