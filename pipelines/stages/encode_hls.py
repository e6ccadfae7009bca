"""Decodes the rendered shots and encodes them to HLS, as one stream."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from inference.video.model import Frames, ShotRequest, VideoModel
from pipelines.encoding.hls import encode_hls as encode_frames
from pipelines.files import SavedFile, is_whole
from pipelines.stage_log import ResultsGone, StageLog, run_once
from storyforge.domain.job import Stage
from storyforge.domain.segment import EncodedSegment, HlsProfile
from storyforge.domain.wire import Wire
from storyforge.errors import RenderFailed
from storyforge.ids import uuid7

STAGE = Stage.ENCODE_HLS


class EncodedFilm(Wire):
    """The encoded segment on this host; its id is minted here, under the fence."""

    segment_id: UUID
    folder: str
    media: EncodedSegment


def encode_hls(
    shots: Sequence[ShotRequest],
    rendered: Sequence[SavedFile],
    video: VideoModel,
    profile: HlsProfile,
    preset: str,
    folder: Path,
    log: StageLog,
) -> EncodedFilm:
    """Saved results become frames, frames become the ladder, never a whole clip in memory.

    Raises EncodeFailed, RenderFailed (a wrong number of frames), and ResultsGone when a saved
    result is not what it was.
    """
    total = sum(shot.frames for shot in shots)
    into = folder / f"hls-e{log.epoch}"

    def work() -> EncodedFilm:
        log.step(STAGE, 0.0, "Encoding.")
        shutil.rmtree(into, ignore_errors=True)
        media = encode_frames(
            _decoded(shots, rendered, video, folder),
            profile,
            into,
            preset=preset,
            on_frames=lambda done: log.step(
                STAGE, done / total, f"Encoding frame {done} of {total}."
            ),
        )
        return EncodedFilm(segment_id=uuid7(), folder=into.name, media=media)

    inputs = [[file.sha256 for file in rendered], profile.to_json(), preset]
    return run_once(
        log, STAGE, inputs, EncodedFilm, work, verify=lambda film: film_is_whole(folder, film)
    )


def film_is_whole(folder: Path, film: EncodedFilm) -> bool:
    """Whether every file of the encoded segment is still on this host."""
    return all(
        is_whole(folder / film.folder, file.path, file.bytes, file.sha256)
        for file in film.media.files
    )


def _decoded(
    shots: Sequence[ShotRequest], rendered: Sequence[SavedFile], video: VideoModel, folder: Path
) -> Iterator[Frames]:
    for shot, saved in zip(shots, rendered, strict=True):
        path = folder / saved.path
        if not path.is_file():
            raise ResultsGone(Stage.RENDER_SHOTS, f"Shot {shot.index + 1} is not saved any more.")
        given = 0
        for chunk in video.frames(shot, path):
            given += len(chunk)
            yield chunk
        if given != shot.frames:
            raise RenderFailed(
                f"Shot {shot.index + 1} gave {given} frames instead of {shot.frames}."
            )
