"""Renders shots of several jobs in shared forward passes; each result is saved as its own job's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from inference.video.model import FusingModel, ShotRequest, VideoModel
from pipelines.continuation import Tools, film_plan
from pipelines.stage_log import StageLog
from pipelines.stages.render_shots import STAGE, keep_shot, saved_shot, say_step
from storyforge.domain.job import GenerationJobPayload

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class FilmInWork:
    """One job of a batch."""

    payload: GenerationJobPayload
    log: StageLog


@dataclass
class _Member:
    """A shot that is to be rendered, and whose; stopped: why its job must stop, once it must."""

    shot: ShotRequest
    folder: Path
    log: StageLog
    stopped: list[Exception] = field(default_factory=list)


def render_together(films: Sequence[FilmInWork], tools: Tools, most: int) -> int:
    """Render what is not saved yet and can share passes, at most `most` shots in one; gives how many.

    Only ahead of the jobs' own stages, which find these shots saved and render the others. A job
    that must stop, or whose result cannot be saved, costs the others of its pass nothing: the
    pass goes on and its shot is thrown away. Raises what the pass itself raises.
    """
    video = tools.video
    if most <= 1 or not isinstance(video, FusingModel):
        return 0
    waiting = [member for film in films for member in _unsaved(film, tools)]
    rendered = 0
    while waiting:
        first, *others = waiting
        together = [first, *(one for one in others if _fit(video, first, one))][:most]
        waiting = [one for one in waiting if not any(one is taken for taken in together)]
        if len(together) > 1:
            _render(together, video, tools.video)
            rendered += len(together)
    return rendered


def _fit(video: FusingModel, first: _Member, other: _Member) -> bool:
    """Shots of one job too: a script of equal shots fills a pass by itself."""
    return video.can_fuse([first.shot, other.shot])


def _unsaved(film: FilmInWork, tools: Tools) -> Sequence[_Member]:
    folder = tools.folder(film.payload)
    shots = film_plan(film.payload, tools, film.log).shots
    takes = tools.take_book(shots, film.log)
    due = [takes.request(shot) for shot in shots]
    return [
        _Member(shot, folder, film.log)
        for shot in due
        if saved_shot(shot, tools.video, folder, film.log) is None
    ]


def _render(members: Sequence[_Member], fusing: FusingModel, video: VideoModel) -> None:
    parts = [one.folder / f"fused-{one.shot.index:02d}-e{one.log.epoch}" for one in members]
    for member in members:
        member.folder.mkdir(parents=True, exist_ok=True)
        member.log.hit(STAGE, "p1")
    try:
        _tell(members, 0, 1)
        fusing.render_batch([one.shot for one in members], parts, partial(_tell, members))
        for member, part in zip(members, parts, strict=True):
            _in_turn(member, partial(_keep, member, part, video))
    except Exception:
        if not _all_stopped(members):
            raise  # else nobody wants this pass any more, which says nothing of the next one
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _tell(members: Sequence[_Member], done: int, total: int) -> None:
    """Note a step for every job of the pass. Raises once all of them must stop."""
    for member in members:
        _in_turn(member, partial(say_step, member.shot, member.log, done, total))
    if _all_stopped(members):
        raise members[0].stopped[0]


def _all_stopped(members: Sequence[_Member]) -> bool:
    return all(member.stopped for member in members)


def _keep(member: _Member, made: Path, video: VideoModel) -> None:
    keep_shot(member.shot, video, member.folder, member.log, lambda part: _moved(made, part))


def _moved(made: Path, part: Path) -> None:
    made.replace(part)


def _in_turn(member: _Member, work: Callable[[], object]) -> None:
    if member.stopped:
        return
    try:
        work()
    except Exception as exc:  # noqa: BLE001  one job's outermost loop within the pass of many
        _log.info("a job of the pass stops", shot=member.shot.index, reason=type(exc).__name__)
        member.stopped.append(exc)
