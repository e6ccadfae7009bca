"""Draws the animatic: the script as a small moving storyboard, ready in about a second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from inference.video.model import Frames, ShotRequest, VideoModel
from pipelines.encoding.mp4 import encode_preview
from pipelines.files import describe
from pipelines.stage_log import StageLog, run_once
from storyforge.domain.job import Stage
from storyforge.domain.wire import Wire, content_hash
from storyforge.storage.paths import preview_key
from storyforge.storage.store import IMMUTABLE_CACHE, Bucket, ObjectStore

STAGE = Stage.PREVIEW
PREVIEW_FPS = 12
_PREVIEW_HEIGHT = 270


class Preview(Wire):
    """The stored animatic; `url` is a path on this node."""

    key: str
    url: str
    bytes: int
    sha256: str


def preview_size(width: int, height: int) -> tuple[int, int]:
    """The film's shape at the height of a thumbnail, in even pixels (w, h)."""
    small = min(height, _PREVIEW_HEIGHT) // 2 * 2
    return max(2, round(width * small / height / 2) * 2), small


def preview(
    scene_id: UUID,
    job_id: UUID,
    shots: Sequence[ShotRequest],
    animatic: VideoModel,
    store: ObjectStore,
    folder: Path,
    log: StageLog,
) -> Preview:
    """Shots planned at preview size become one small MP4 in the store."""
    inputs = [animatic.name, [shot.to_json() for shot in shots]]

    def work() -> Preview:
        folder.mkdir(parents=True, exist_ok=True)
        local = folder / f"preview-e{log.epoch}.mp4"
        encode_preview(_drawn(shots, animatic, folder, log), PREVIEW_FPS, local)
        made = describe(folder, local)
        key = preview_key(scene_id, job_id, content_hash(inputs))
        store.put_file(
            Bucket.VIDEOS,
            key,
            local,
            content_type="video/mp4",
            sha256=made.sha256,
            cache_control=IMMUTABLE_CACHE,
        )
        local.unlink(missing_ok=True)
        return Preview(key=key, url=f"/media/{key}", bytes=made.bytes, sha256=made.sha256)

    def stored(result: Preview) -> bool:
        held = store.head(Bucket.VIDEOS, result.key)
        return held is not None and held.size_bytes == result.bytes

    return run_once(
        log, STAGE, inputs, Preview, work, verify=stored, preview_url=lambda made: made.url
    )


def _drawn(
    shots: Sequence[ShotRequest], animatic: VideoModel, folder: Path, log: StageLog
) -> Iterator[Frames]:
    for shot in shots:
        log.step(STAGE, shot.index / shot.count, f"Drawing shot {shot.index + 1} of {shot.count}.")
        plan = folder / f"preview-e{log.epoch}-{shot.index}.plan"
        animatic.render(shot, plan, lambda _done, _total: None)
        yield from animatic.frames(shot, plan)
        plan.unlink(missing_ok=True)
