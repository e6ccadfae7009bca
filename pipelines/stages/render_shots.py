"""Renders every shot of a script and saves each result, so that none is ever rendered twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from inference.video.model import ShotRequest, VideoModel
from pipelines.files import SavedFile, describe, is_whole, write_whole
from pipelines.stage_log import StageLog
from pipelines.takes import TakeBook
from storyforge.domain.film_record import Gate, Refusal
from storyforge.domain.job import Stage
from storyforge.domain.wire import Wire, content_hash
from storyforge.errors import QualityRefused

STAGE = Stage.RENDER_SHOTS


class RenderedShots(Wire):
    """The saved result of every shot, in order; paths are relative to the job's folder."""

    model: str
    results: tuple[SavedFile, ...]


def render_shots(
    shots: Sequence[ShotRequest], video: VideoModel, folder: Path, log: StageLog, takes: TakeBook
) -> RenderedShots:
    """Render what is not saved yet, each shot in the take that is due.

    Raises RenderFailed, QualityRefused when no take of a shot has numbers, and what the device
    raises.
    """
    results = tuple(_render_sound(shot, video, folder, log, takes) for shot in shots)
    key = content_hash([video.name, [takes.request(shot).to_json() for shot in shots]])
    rendered = RenderedShots(model=video.name, results=results)
    body = rendered.to_json()
    if log.load(STAGE, 0, key) != body:  # a rerun that found every shot whole writes nothing
        log.finish(STAGE, key, body)
        log.hit(STAGE, "p4")
    return rendered


def _render_sound(
    shot: ShotRequest, video: VideoModel, folder: Path, log: StageLog, takes: TakeBook
) -> SavedFile:
    """Render the shot; a take whose latents are no numbers is refused here, before any decode."""
    while True:
        try:
            return _render_once(takes.request(shot), video, folder, log)
        except QualityRefused as exc:
            takes.refuse(shot, Refusal(gate=Gate.NUMBERS, detail=exc.detail))


def _render_once(shot: ShotRequest, video: VideoModel, folder: Path, log: StageLog) -> SavedFile:
    saved = saved_shot(shot, video, folder, log)
    if saved is not None:
        return saved
    log.hit(STAGE, "p1")
    say_step(shot, log, 0, 1)
    return keep_shot(
        shot,
        video,
        folder,
        log,
        lambda part: video.render(shot, part, lambda done, total: say_step(shot, log, done, total)),
    )


def saved_shot(
    shot: ShotRequest, video: VideoModel, folder: Path, log: StageLog
) -> SavedFile | None:
    """The shot's saved result, if it is there and whole."""
    body = log.load(STAGE, _item(shot), _key(shot, video))
    if body is None:
        return None
    saved = SavedFile.model_validate(body)
    return saved if is_whole(folder, saved.path, saved.bytes, saved.sha256) else None


def say_step(shot: ShotRequest, log: StageLog, done: int, total: int) -> None:
    """Note a step of the shot's rendering. Raises what stops the job."""
    share = (shot.index + done / max(total, 1)) / shot.count
    log.step(STAGE, share, f"Rendering shot {shot.index + 1} of {shot.count}.")


def keep_shot(
    shot: ShotRequest,
    video: VideoModel,
    folder: Path,
    log: StageLog,
    write: Callable[[Path], None],
) -> SavedFile:
    """Let `write` make the shot's result, and save it under the fence."""
    key = _key(shot, video)
    target = folder / f"shot-{shot.index:02d}-{key[:12]}-e{log.epoch}"
    write_whole(target, write)
    log.hit(STAGE, "p3")
    made = describe(folder, target)
    log.save(STAGE, _item(shot), key, made.to_json())
    return made


def _key(shot: ShotRequest, video: VideoModel) -> str:
    return content_hash([video.name, shot.to_json()])


def _item(shot: ShotRequest) -> int:
    return shot.index + 1  # item 0 is the whole stage
