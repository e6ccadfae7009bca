"""What the pages show, gathered from rows: cards of scenes, chapters, and a scene's jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from api.plans import PlanOut, plan_of
from api.scenes import SceneOut, page_scenes, scene_out
from api.segments import SegmentOut, page_segments
from api.services import Services
from storyforge.database import jobs as job_rows
from storyforge.database import scenes as scene_rows
from storyforge.database import segments as segment_rows
from storyforge.domain.job import (
    WIRE_STAGES,
    Job,
    JobKind,
    JobState,
    WaitReason,
    WireStage,
    live_thumbnail_url,
)
from storyforge.storage import paths

CARDS_PER_PAGE = 24
CHAPTERS_PER_PAGE = 12
FAILED_SHOWN = 10
_LIVE = frozenset({JobState.QUEUED, JobState.LEASED})

STAGE_WORDS: Mapping[WireStage | None, str] = {
    None: "In the queue",
    WireStage.SCRIPT_EXPANSION: "Writing the script",
    WireStage.CONTINUITY_VALIDATION: "Checking the story",
    WireStage.VIDEO_GENERATION: "Filming",
    WireStage.UPLOAD: "Putting the film away",
    WireStage.FINALIZATION: "Joining it to the scene",
}


@dataclass(frozen=True)
class JobView:
    """One job on a page. live: it is being made or is next; held: it waits on a failed one.

    plan: of one that waits for approval.
    """

    id: UUID
    live: bool
    waiting: bool
    failed: bool
    held: bool
    retake: bool
    status: str
    seq: int
    progress: int
    stage: str
    message: str
    text: str
    reason: str
    preview_url: str | None
    plan: PlanOut | None
    live_url: str | None
    live_thumbnail_url: str


@dataclass(frozen=True)
class Card:
    """One scene in the list of scenes."""

    scene: SceneOut
    thumbnail_url: str | None
    seconds: float
    live: JobView | None
    failed: bool


@dataclass(frozen=True)
class CardPage:
    """Some scenes, newest first, and where the next page begins."""

    cards: Sequence[Card]
    next_cursor: str | None


@dataclass(frozen=True)
class ChapterPage:
    """Some chapters in story order."""

    scene: SceneOut
    chapters: Sequence[SegmentOut]
    next_after: int | None


def job_view(job: Job, plan: PlanOut | None = None) -> JobView:
    """What a page says about a job."""
    return JobView(
        id=job.id,
        live=job.state in _LIVE,
        waiting=job.state is JobState.WAITING,
        failed=job.state is JobState.DEAD,
        held=job.wait_reason is WaitReason.PREDECESSOR_FAILED,
        retake=job.kind is JobKind.RETAKE,
        status=job.status,
        seq=job.seq,
        progress=job.progress,
        stage=STAGE_WORDS[WIRE_STAGES[job.stage] if job.stage else None],
        message=job.message,
        text=job.text,
        reason=job.error.detail if job.error else "",
        preview_url=job.preview_url,
        plan=plan,
        live_url=job.live_url,
        live_thumbnail_url=live_thumbnail_url(job.id),
    )


def cards(services: Services, cursor: UUID | None) -> CardPage:
    """A page of the list of scenes."""
    page = page_scenes(services, CARDS_PER_PAGE, cursor)
    return CardPage(_cards(services, page.items), page.next_cursor)


def card(services: Services, scene_id: UUID) -> Card:
    """One scene of the list. Raises NotFound."""
    with services.database.read() as c:
        scene = scene_out(scene_rows.get_scene(c, scene_id))
    return _cards(services, [scene])[0]


def _cards(services: Services, scenes: Sequence[SceneOut]) -> Sequence[Card]:
    scene_ids = [scene.id for scene in scenes]
    with services.database.read() as c:
        films = segment_rows.scene_films(c, scene_ids)
        open_jobs = job_rows.changed_jobs(c, scene_ids, {})
        dead = job_rows.list_jobs(c, limit=200, states=[JobState.DEAD], discarded=False)
    live = {job.scene_id: job_view(job) for job in open_jobs if job.state in _LIVE}
    failed = {job.scene_id for job in dead}
    made = []
    for scene in scenes:
        first, seconds = films.get(scene.id, (None, 0.0))
        thumbnail = f"/media/{paths.thumbnail_key(scene.id, first)}" if first else None
        made.append(Card(scene, thumbnail, seconds, live.get(scene.id), scene.id in failed))
    return made


def chapters(services: Services, scene_id: UUID, after: int) -> ChapterPage:
    """Chapters behind number `after`. Raises NotFound."""
    _, page = page_segments(services, scene_id, after, CHAPTERS_PER_PAGE)
    assert page is not None
    with services.database.read() as c:
        scene = scene_out(scene_rows.get_scene(c, scene_id))
    return ChapterPage(scene, page.items, page.next_after)


def scene_jobs(services: Services, scene_id: UUID) -> Sequence[JobView]:
    """The running job, those that wait behind it in order, and the latest that failed."""
    with services.database.read() as c:
        scene_rows.get_scene(c, scene_id)
        open_jobs = job_rows.changed_jobs(c, [scene_id], {})
        dead = job_rows.list_jobs(
            c,
            limit=FAILED_SHOWN,
            scene_id=scene_id,
            states=[JobState.DEAD],
            discarded=False,
        )
        plans = {job.id: plan_of(services, c, job) for job in open_jobs}
    views = [job_view(job, plans.get(job.id)) for job in (*open_jobs, *dead)]
    return sorted(views, key=lambda view: (not (view.live or view.plan), not view.failed, view.id))


def clock_words(seconds: float) -> str:
    """A length as a player shows it: 1:05, 1:02:05."""
    whole = round(seconds)
    if whole < 3600:  # noqa: PLR2004  seconds of an hour
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
