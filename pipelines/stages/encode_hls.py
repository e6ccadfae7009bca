"""Decodes the rendered shots, screens them and encodes them to HLS, as one stream."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog

from inference.narration.voice import Sound
from inference.video.model import Frames, ShotRequest, VideoModel
from pipelines.encoding.encoders import EncoderChoice, HardwareFailed
from pipelines.encoding.hls import encode_hls as encode_frames
from pipelines.encoding.manifest import record
from pipelines.encoding.pictures import Picture, fit
from pipelines.files import SavedFile, is_whole
from pipelines.film_plan import FilmPlan
from pipelines.gates.screening import ClipRefused, Screening
from pipelines.live_film import LiveFilming, nothing_yet
from pipelines.stage_log import ResultsGone, StageLog, run_once
from pipelines.start_pictures import write_picture
from pipelines.takes import TakeBook
from storyforge.domain.film_record import FilmRecord, ShotFilm, told_line
from storyforge.domain.job import Stage
from storyforge.domain.segment import Cue, EncodedSegment, HlsProfile
from storyforge.domain.wire import Wire
from storyforge.errors import RenderFailed
from storyforge.ids import uuid7
from storyforge.settings import GateSettings
from storyforge.storage.paths import LAST_FRAME
from storyforge.storage.store import ObjectStore

STAGE = Stage.ENCODE_HLS
_log = structlog.get_logger(__name__)


class EncodedFilm(Wire):
    """The encoded segment on this host; its id is minted here, under the fence."""

    segment_id: UUID
    folder: str
    media: EncodedSegment
    film: FilmRecord | None = None


@dataclass(frozen=True)
class Takes:
    """The saved takes of the planned shots, in order, and the book of those that were refused."""

    plan: FilmPlan
    results: Sequence[SavedFile]
    book: TakeBook


@dataclass(frozen=True)
class Narrated:
    """What is heard and read over the film. key: stands for the sound in the saved result's key."""

    sound: Sound | None = None
    cues: tuple[Cue, ...] = ()
    voice: str = ""
    key: str = ""

    def noted(self, media: EncodedSegment) -> EncodedSegment:
        """The segment with who speaks in it, and what."""
        return media.model_copy(update={"voice": self.voice, "cues": self.cues})


def encode_hls(
    scene_id: UUID,
    takes: Takes,
    video: VideoModel,
    profile: HlsProfile,
    preset: str,
    encoder: EncoderChoice,
    narrated: Narrated,
    gates: GateSettings,
    store: ObjectStore,
    folder: Path,
    log: StageLog,
) -> EncodedFilm:
    """Saved results become frames, frames become the ladder, never a whole clip in memory.

    Whatever is encoded can be watched at once, under the id of the segment to be. A film that the device's encoder fails at is decoded and encoded once more, by libx264.

    Raises EncodeFailed, RenderFailed (a wrong number of frames), ResultsGone when a saved result
    is not what it was, TakeRefused when a gate refused a clip, and QualityRefused when it was
    that shot's last take.
    """
    plan = takes.plan
    total = sum(shot.frames for shot in plan.shots)
    into = folder / f"hls-e{log.epoch}"

    def encoded_by(encoder: EncoderChoice) -> EncodedFilm:
        log.step(STAGE, 0.0, "Encoding.")
        shutil.rmtree(into, ignore_errors=True)
        segment_id = uuid7()  # of this encode alone: no key of the store is written by two
        nothing = nothing_yet(scene_id, segment_id, profile)
        screening = Screening(
            gates, profile.fps, last=plan.last_picture(), style=plan.style_picture()
        )
        with LiveFilming(nothing, into, store, log.show) as live:
            media = encode_frames(
                _screened(takes, video, screening, folder),
                profile,
                into,
                preset=preset,
                encoder=encoder,
                sound=narrated.sound,
                on_frames=_telling(log, total),
                on_file=live.offer,
            )
        return EncodedFilm(
            segment_id=segment_id,
            folder=into.name,
            media=narrated.noted(_with_last_frame(media, screening.last, into)),
            film=_record(takes, video, screening, folder, gates.names_off),
        )

    return run_once(
        log,
        STAGE,
        _inputs(takes, profile, preset, narrated),
        EncodedFilm,
        lambda: _with(encoder, encoded_by),
        verify=lambda film: film_is_whole(folder, film),
    )


def _inputs(takes: Takes, profile: HlsProfile, preset: str, narrated: Narrated) -> list[object]:
    """What the saved result stands for; pictures are named by their content."""
    held_against = [path.name for path in (takes.plan.last, takes.plan.style) if path]
    results = [file.sha256 for file in takes.results]
    return [results, profile.to_json(), preset, held_against, narrated.key]


def _telling(log: StageLog, total: int) -> Callable[[int], None]:
    return lambda done: log.step(STAGE, done / total, f"Encoding frame {done} of {total}.")


def _with(
    encoder: EncoderChoice, encoded_by: Callable[[EncoderChoice], EncodedFilm]
) -> EncodedFilm:
    try:
        return encoded_by(encoder)
    except HardwareFailed as exc:
        _log.warning("encoding with libx264 instead", encoder=encoder.codec, error=str(exc))
        return encoded_by(encoder.instead(exc))


def film_is_whole(folder: Path, film: EncodedFilm) -> bool:
    """Whether every file of the encoded segment is still on this host."""
    return all(
        is_whole(folder / film.folder, file.path, file.bytes, file.sha256)
        for file in film.media.files
    )


def _screened(
    takes: Takes, video: VideoModel, screening: Screening, folder: Path
) -> Iterator[Frames]:
    """The frames of all shots; a clip that is refused ends the stream and the attempt."""
    plan = takes.plan
    for shot, saved, kind in zip(plan.shots, takes.results, plan.kinds, strict=True):
        frames = _decoded(takes.book.request(shot), saved, video, folder)
        try:
            yield from screening.clip(frames, kind)
        except ClipRefused as exc:
            takes.book.refuse(shot, exc)
            raise takes.book.render_again(shot) from exc


def _decoded(
    shot: ShotRequest, saved: SavedFile, video: VideoModel, folder: Path
) -> Iterator[Frames]:
    path = folder / saved.path
    if not path.is_file():
        raise ResultsGone(Stage.RENDER_SHOTS, f"Shot {shot.index + 1} is not saved any more.")
    given = 0
    for chunk in video.frames(shot, path):
        given += len(chunk)
        yield chunk
    if given != shot.frames:
        raise RenderFailed(f"Shot {shot.index + 1} gave {given} frames instead of {shot.frames}.")


def _with_last_frame(media: EncodedSegment, last: Picture | None, into: Path) -> EncodedSegment:
    """The segment with its last frame as a lossless file, for the segment that follows it."""
    assert last is not None, "the encoder refuses a film without frames"
    top = media.profile.rungs[0]
    write_picture(into / LAST_FRAME, fit(last, top.width, top.height))
    return media.model_copy(update={"files": (*record(into, [LAST_FRAME]), *media.files)})


def _record(
    takes: Takes,
    video: VideoModel,
    screening: Screening,
    folder: Path,
    gates_off: tuple[str, ...],
) -> FilmRecord:
    """How the segment was filmed."""
    shots = tuple(
        ShotFilm(
            shot=shot.index + 1,
            take=len(takes.book.refused(shot)) + 1,
            seed=takes.book.request(shot).seed,
            picture=start,
            figures=screened.figures,
            join=screened.join,
            refused=takes.book.refused(shot),
            recipe=video.recipe(folder / saved.path),
        )
        for shot, start, saved, screened in zip(
            takes.plan.shots, takes.plan.starts, takes.results, screening.passed, strict=True
        )
    )
    line = told_line(video.name, shots, gates_off)
    return FilmRecord(model=video.name, line=line, gates_off=gates_off, shots=shots)
