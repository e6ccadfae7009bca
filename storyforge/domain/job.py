"""Jobs: one continuation on its way from text to a committed segment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from storyforge.domain.bible import SceneBible
from storyforge.domain.bible_changes import BibleHistory
from storyforge.domain.script import Script
from storyforge.domain.segment import HlsProfile, SegmentSummary
from storyforge.domain.wire import Wire


class JobState(StrEnum):
    """What the queue may do with a job."""

    QUEUED = "queued"
    LEASED = "leased"
    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


class WaitReason(StrEnum):
    """What a waiting job waits for; it holds no lease meanwhile."""

    PREDECESSOR = "predecessor"
    PREDECESSOR_FAILED = "predecessor_failed"  # until somebody retries or releases it
    APPROVAL = "approval"  # its plan is there; the owner approves or rejects it


class Approval(StrEnum):
    """Whether the owner must see a job's plan before it is filmed."""

    NONE = "none"
    WANTED = "wanted"
    GIVEN = "given"


MOVES: Mapping[JobState, frozenset[JobState]] = {
    # waiting: see WaitReason
    JobState.WAITING: frozenset({JobState.QUEUED, JobState.CANCELLED}),
    JobState.QUEUED: frozenset({JobState.LEASED, JobState.CANCELLED}),
    # leased -> queued: the lane ended, the worker handed back, the lease ran out, or a retry;
    # leased -> waiting: the plan is there and wants approval
    JobState.LEASED: frozenset(
        {
            JobState.QUEUED,
            JobState.WAITING,
            JobState.DONE,
            JobState.DEAD,
            JobState.CANCELLED,
        }
    ),
    JobState.DEAD: frozenset({JobState.QUEUED, JobState.WAITING}),  # an operator retries
    JobState.DONE: frozenset(),
    JobState.CANCELLED: frozenset(),
}
ENDED = frozenset({JobState.DONE, JobState.DEAD, JobState.CANCELLED})


class Lane(StrEnum):
    """The three kinds of worker that a job passes through, in this order."""

    WRITE = "write"
    FILM = "film"
    PUBLISH = "publish"


class Stage(StrEnum):
    """The ordered stages of a continuation; values are the modules' names."""

    EXPAND_SCRIPT = "expand_script"
    CHECK_CONTINUITY = "check_continuity"
    PREVIEW = "preview"
    RENDER_SHOTS = "render_shots"
    NARRATE = "narrate"
    ENCODE_HLS = "encode_hls"
    PUBLISH_SEGMENT = "publish_segment"
    FINALIZE_JOB = "finalize_job"


class WireStage(StrEnum):
    """The specification's names of the stages, seen by clients."""

    SCRIPT_EXPANSION = "script_expansion"
    CONTINUITY_VALIDATION = "continuity_validation"
    VIDEO_GENERATION = "video_generation"
    UPLOAD = "upload"
    FINALIZATION = "finalization"


LANES: Mapping[Lane, tuple[Stage, ...]] = {
    Lane.WRITE: (Stage.EXPAND_SCRIPT, Stage.CHECK_CONTINUITY, Stage.PREVIEW),
    Lane.FILM: (Stage.RENDER_SHOTS, Stage.NARRATE, Stage.ENCODE_HLS),
    Lane.PUBLISH: (Stage.PUBLISH_SEGMENT, Stage.FINALIZE_JOB),
}
NEXT_LANE: Mapping[Lane, Lane] = {Lane.WRITE: Lane.FILM, Lane.FILM: Lane.PUBLISH}

WIRE_STAGES: Mapping[Stage, WireStage] = {
    Stage.EXPAND_SCRIPT: WireStage.SCRIPT_EXPANSION,
    Stage.CHECK_CONTINUITY: WireStage.CONTINUITY_VALIDATION,
    Stage.PREVIEW: WireStage.VIDEO_GENERATION,
    Stage.RENDER_SHOTS: WireStage.VIDEO_GENERATION,
    Stage.NARRATE: WireStage.VIDEO_GENERATION,
    Stage.ENCODE_HLS: WireStage.VIDEO_GENERATION,
    Stage.PUBLISH_SEGMENT: WireStage.UPLOAD,
    Stage.FINALIZE_JOB: WireStage.FINALIZATION,
}

# Share of the whole job done when a stage ends, in percent: what a progress bar shows.
STAGE_END_PERCENT: Mapping[Stage, int] = {
    Stage.EXPAND_SCRIPT: 5,
    Stage.CHECK_CONTINUITY: 8,
    Stage.PREVIEW: 12,
    Stage.RENDER_SHOTS: 60,
    Stage.NARRATE: 61,
    Stage.ENCODE_HLS: 92,
    Stage.PUBLISH_SEGMENT: 98,
    Stage.FINALIZE_JOB: 100,
}


class JobStatus(StrEnum):
    """The wire status: the furthest stage reached; it never goes back."""

    QUEUED = "queued"
    PROCESSING = "processing"
    SCRIPT_READY = "script_ready"
    CONTINUITY_CHECKED = "continuity_checked"
    PREVIEW_READY = "preview_ready"
    FINAL_READY = "final_ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


# The status that a finished stage gives; other stages leave it as it is.
STATUS_AFTER: Mapping[Stage, JobStatus] = {
    Stage.EXPAND_SCRIPT: JobStatus.SCRIPT_READY,
    Stage.CHECK_CONTINUITY: JobStatus.CONTINUITY_CHECKED,
    Stage.PREVIEW: JobStatus.PREVIEW_READY,
    Stage.FINALIZE_JOB: JobStatus.FINAL_READY,
}
_STATUS_ORDER = {status: rank for rank, status in enumerate(JobStatus)}


def furthest(current: JobStatus, reached: JobStatus) -> JobStatus:
    """The later of two statuses, so that a rerun stage never takes one back."""
    return max(current, reached, key=_STATUS_ORDER.__getitem__)


class JobKind(StrEnum):
    """What a job does to its scene."""

    CONTINUE = "continue"
    RETAKE = "retake"


class JobConfig(Wire):
    """How to film: `target_duration` in seconds, presets by name, `seed` for everything random."""

    target_duration: float = 8.0
    style_preset: str = ""
    voice_preset: str = ""
    seed: int = 0


class JobContext(Wire):
    """What the story is so far. history: how the bible came to be, for writers that want it."""

    scene_bible: SceneBible
    history: BibleHistory | None = None
    recent_segments: tuple[SegmentSummary, ...] = ()
    long_summary: str = ""


class GenerationJobPayload(Wire):
    """All that the stages need, snapshotted at the first claim (the specification's interface).

    profile: the scene's fixed media profile; None while it has no segment yet. script: the
    owner's own, sent with the approval; None while a writer writes it.
    """

    job_id: UUID
    scene_id: UUID
    title: str = ""
    profile: HlsProfile | None = None
    text: str
    segment_number: int
    context: JobContext
    config: JobConfig
    script: Script | None = None


class JobError(Wire):
    """Why a job is dead: the taxonomy's code, a public detail, where, and after how many tries."""

    code: str
    detail: str
    stage: str = ""
    error_class: str = ""
    attempts: int = 0


class JobResult(Wire):
    """What a finished job made (URLs are paths on this node; duration in seconds)."""

    segment_id: UUID
    video_url: str
    thumbnail_url: str
    duration: float
    updated_bible_version: int


class JobProgressUpdate(Wire):
    """One numbered update on a job (the specification's interface, plus `seq` and two addresses).

    live_url: the playlist of the film while it is being made; None before its first part.
    wait_reason: what a waiting job waits for.
    """

    job_id: UUID
    scene_id: UUID
    seq: int
    status: JobStatus
    progress: int = Field(ge=0, le=100)
    stage: WireStage | None = None
    message: str = ""
    error: JobError | None = None
    preview_url: str | None = None
    live_url: str | None = None
    wait_reason: WaitReason | None = None
    result: JobResult | None = None


def live_master_url(job_id: UUID) -> str:
    """Where the film of a job that is being filmed plays, a path on this node."""
    return f"/v1/jobs/{job_id}/master.m3u8"


def live_thumbnail_url(job_id: UUID) -> str:
    """A still of that film, likewise."""
    return f"/v1/jobs/{job_id}/thumbnail.jpg"


class Job(Wire):
    """One continuation as its row tells it."""

    id: UUID
    scene_id: UUID
    kind: JobKind
    state: JobState
    status: JobStatus
    stage: Stage | None
    lane: Lane
    progress: int
    message: str
    text: str
    config: JobConfig
    after_job_id: UUID | None
    bible_version: int | None
    epoch: int
    attempts: Mapping[str, int]
    seq: int
    error: JobError | None
    preview_url: str | None
    live_url: str | None
    result: JobResult | None
    discarded: bool
    approval: Approval = Approval.NONE
    wait_reason: WaitReason | None = None
    created_at: datetime
    updated_at: datetime

    def update(self) -> JobProgressUpdate:
        """The live update that says where this job stands."""
        return JobProgressUpdate(
            job_id=self.id,
            scene_id=self.scene_id,
            seq=self.seq,
            status=self.status,
            progress=self.progress,
            stage=WIRE_STAGES[self.stage] if self.stage else None,
            message=self.message,
            error=self.error,
            preview_url=self.preview_url,
            live_url=self.live_url,
            wait_reason=self.wait_reason,
            result=self.result,
        )
