"""The ordered stages of one continuation, lane by lane; a rerun resumes where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from inference.language.model import LanguageModel
from inference.narration.voice import FakeVoice, Voice
from inference.video.model import ShotRequest, VideoModel
from pipelines.encoding.encoders import X264, EncoderChoice
from pipelines.encoding.ladder import hls_profile
from pipelines.film_plan import FilmPlan, plan_film
from pipelines.shot_plan import plan_shots
from pipelines.stage_log import StageLog, required
from pipelines.stages.check_continuity import CheckedScript, check_continuity
from pipelines.stages.encode_hls import EncodedFilm, Narrated, Takes, encode_hls
from pipelines.stages.expand_script import brief_of, expand_script
from pipelines.stages.finalize_job import finalize_job
from pipelines.stages.narrate import narrate, read_track
from pipelines.stages.preview import PREVIEW_FPS, preview, preview_size
from pipelines.stages.publish_segment import publish_segment
from pipelines.stages.render_shots import RenderedShots, render_shots
from pipelines.start_pictures import start_pictures
from pipelines.takes import TakeBook
from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import ContinuityValidator
from storyforge.domain.film_shape import FilmShape, film_shape
from storyforge.domain.job import GenerationJobPayload, Lane, Stage
from storyforge.domain.segment import HlsProfile
from storyforge.domain.wire import content_hash
from storyforge.settings import GateSettings, VideoSettings
from storyforge.storage.store import ObjectStore


@dataclass(frozen=True)
class Tools:
    """What the stages work with; a lane asks only for its own."""

    language: LanguageModel
    validator: ContinuityValidator
    animatic: VideoModel
    video: VideoModel
    store: ObjectStore
    video_settings: VideoSettings
    work_dir: Path
    encoder: EncoderChoice = X264
    voice: Voice = field(default_factory=FakeVoice)
    gates: GateSettings = field(default_factory=GateSettings)

    def folder(self, payload: GenerationJobPayload) -> Path:
        """Where this job keeps its files on this host."""
        return job_folder(self.work_dir, str(payload.job_id))

    def take_book(self, shots: Sequence[ShotRequest], log: StageLog) -> TakeBook:
        """Which takes of these shots the gates refused."""
        return TakeBook(log, shots, self.video.name, self.gates)


Phase: TypeAlias = Callable[[GenerationJobPayload, Tools, StageLog], None]
"""Consecutive stages that run in one go; each skips what is saved already."""


def job_folder(work_dir: Path, job_id: str) -> Path:
    """One folder per job, removed when the job is done."""
    return work_dir / "jobs" / job_id


def _write(payload: GenerationJobPayload, tools: Tools, log: StageLog) -> None:
    brief = brief_of(payload)
    script = expand_script(payload, tools.language, log)
    checked = check_continuity(
        script,
        brief,
        payload.segment_number,
        tools.validator,
        tools.language,
        log,
        may_revise=payload.script is None,
    )
    profile = _profile(payload, tools.video_settings)
    top = profile.rungs[0]
    shots = plan_shots(
        payload,
        checked.script,
        _look(payload, checked.bible),
        profile,
        size=preview_size(top.width, top.height),
        fps=PREVIEW_FPS,
    )
    preview(
        payload.scene_id,
        payload.job_id,
        shots,
        tools.animatic,
        tools.store,
        tools.folder(payload),
        log,
    )


def _render(payload: GenerationJobPayload, tools: Tools, log: StageLog) -> None:
    shots = film_plan(payload, tools, log).shots
    render_shots(shots, tools.video, tools.folder(payload), log, tools.take_book(shots, log))


def _encode(payload: GenerationJobPayload, tools: Tools, log: StageLog) -> None:
    rendered = required(log, Stage.RENDER_SHOTS, RenderedShots)
    plan = film_plan(payload, tools, log)
    narrated = _narrate(payload, tools, sum(shot.frames for shot in plan.shots), log)
    encode_hls(
        payload.scene_id,
        Takes(plan, rendered.results, tools.take_book(plan.shots, log)),
        tools.video,
        _profile(payload, tools.video_settings),
        tools.video_settings.x264_preset,
        tools.encoder,
        narrated,
        tools.gates,
        tools.store,
        tools.folder(payload),
        log,
    )


def _narrate(payload: GenerationJobPayload, tools: Tools, frames: int, log: StageLog) -> Narrated:
    checked = required(log, Stage.CHECK_CONTINUITY, CheckedScript)
    folder = tools.folder(payload)
    seconds = frames / _profile(payload, tools.video_settings).fps
    said = narrate(checked.script, payload.config.voice_preset, tools.voice, seconds, folder, log)
    key = f"{said.track.sha256 if said.track else ''}{content_hash([cue.to_json() for cue in said.cues])}"
    return Narrated(read_track(folder, said), said.cues, said.voice, key)


def _publish(payload: GenerationJobPayload, tools: Tools, log: StageLog) -> None:
    checked = required(log, Stage.CHECK_CONTINUITY, CheckedScript)
    film = required(log, Stage.ENCODE_HLS, EncodedFilm)
    publish_segment(
        payload.scene_id,
        film.segment_id,
        film.media,
        tools.folder(payload) / film.folder,
        tools.store,
        log,
    )
    finalize_job(
        payload,
        checked.script,
        checked.report,
        checked.bible,
        checked.summary,
        checked.long_summary,
        film.segment_id,
        film.media,
        film.film,
        log,
    )


# The film lane has two halves, so that one job is decoded and encoded while the next renders.
PHASES: Mapping[Lane, tuple[Phase, ...]] = {
    Lane.WRITE: (_write,),
    Lane.FILM: (_render, _encode),
    Lane.PUBLISH: (_publish,),
}


def film_shape_of(payload: GenerationJobPayload, tools: Tools, log: StageLog) -> FilmShape:
    """The shape that the job's film will have, once its script is checked."""
    shots = _full_size_shots(payload, tools, log)
    video = tools.video_settings
    making = [video.model, video.quality, video.steps]
    first = shots[0]
    counts = [shot.frames for shot in shots]
    return film_shape(making, first.width, first.height, first.fps, counts)


def film_plan(payload: GenerationJobPayload, tools: Tools, log: StageLog) -> FilmPlan:
    """The shots at full size, with the pictures that they start from.

    Raises ResultsGone when no script is saved.
    """
    shots = _full_size_shots(payload, tools, log)
    seen = {one for shot in shots for one in shot.shot.characters}
    pictures = start_pictures(payload, seen, tools.store, tools.folder(payload), log)
    recent = payload.context.recent_segments
    before = recent[-1] if recent else None
    return plan_film(shots, pictures, before, tools.video, tools.folder(payload))


def _full_size_shots(
    payload: GenerationJobPayload, tools: Tools, log: StageLog
) -> tuple[ShotRequest, ...]:
    checked = required(log, Stage.CHECK_CONTINUITY, CheckedScript)
    profile = _profile(payload, tools.video_settings)
    return plan_shots(payload, checked.script, _look(payload, checked.bible), profile)


def _profile(payload: GenerationJobPayload, video: VideoSettings) -> HlsProfile:
    """The scene's fixed profile, or for its first segment the one that the settings give."""
    return payload.profile or hls_profile(video.width, video.height, video.fps)


def _look(payload: GenerationJobPayload, bible: SceneBible) -> SceneBible:
    """The bible with this job's style preset, if it asks for another one."""
    preset = payload.config.style_preset
    if not preset or preset == bible.style.preset:
        return bible
    return bible.model_copy(update={"style": bible.style.model_copy(update={"preset": preset})})
