"""The storyboard renderer as a VideoModel: composes a plan, then draws its frames."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from inference.video.model import Frames, ShotRequest, StepWatch
from inference.video.storyboard.film import Film
from inference.video.storyboard.plan import PLAN_VERSION, DrawingPlan, compose
from storyforge.errors import DiskFull, RenderFailed

CHUNK_FRAMES = 8  # 22 MB at 1280x720: large enough to amortise, small enough to queue
_STEPS = 3
_MIN_SIDE_PX = 16
_TRIAL_HEIGHT_PX = 96  # of the still that proves, before it is saved, that a plan can be drawn


class StoryboardModel:
    """Films shots as animated storyboards on the CPU; deterministic by request."""

    @property
    def name(self) -> str:
        """Name and plan version."""
        return f"storyboard-{PLAN_VERSION}"

    @property
    def starts_from_picture(self) -> bool:
        """A drawing starts from words."""
        return False

    @property
    def drifts(self) -> bool:
        """Every colour is chosen."""
        return False

    def render(self, request: ShotRequest, result: Path, watch: StepWatch) -> None:
        """Compose the drawing plan of a shot, try it small, and write it to `result` as JSON.

        Raises RenderFailed for a size or length that cannot be drawn, and DiskFull.
        """
        check_request(request)
        plan = compose(request)
        watch(1, _STEPS)
        width = max(_MIN_SIDE_PX, round(request.width * _TRIAL_HEIGHT_PX / request.height / 2) * 2)
        still = Film(plan, min(width, 4 * _TRIAL_HEIGHT_PX), _TRIAL_HEIGHT_PX).still(0.5)
        if float(still.std()) < 1.0:
            raise RenderFailed("The drawing came out empty; change the shot's words or its seed.")
        watch(2, _STEPS)
        try:
            result.write_text(plan.model_dump_json(by_alias=True), encoding="utf-8")
        except OSError as exc:
            if exc.errno == errno.ENOSPC:
                raise DiskFull("No room for the drawing plan; free some disk space.") from exc
            raise RenderFailed("The drawing plan could not be written.") from exc
        watch(_STEPS, _STEPS)

    def frames(self, request: ShotRequest, result: Path) -> Iterator[Frames]:
        """Draw the frames of a saved plan in chunks [t, H, W, 3]; `request.frames` in all.

        Raises RenderFailed when the plan is missing or damaged.
        """
        check_request(request)
        try:
            plan = DrawingPlan.model_validate_json(result.read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError) as exc:
            raise RenderFailed("The saved drawing plan cannot be read; render it again.") from exc
        yield from frame_chunks(plan, request)

    def recipe(self, result: Path) -> Mapping[str, Any]:
        """The renderer; the plan itself is as good as the request."""
        del result
        return {"model": self.name}

    def close(self) -> None:
        """Nothing is held."""


def frame_chunks(plan: DrawingPlan, request: ShotRequest) -> Iterator[Frames]:
    """Draw a plan at the request's size, speed and length."""
    film = Film(plan, request.width, request.height)
    shape = (request.height, request.width, 3)
    for start in range(0, request.frames, CHUNK_FRAMES):
        count = min(CHUNK_FRAMES, request.frames - start)
        chunk = np.empty((count, *shape), np.uint8)
        for at in range(count):
            film.draw(chunk[at], start + at, request.frames, request.fps)
        yield chunk


def check_request(request: ShotRequest) -> None:
    """Refuse what cannot be drawn."""
    small = min(request.width, request.height) < _MIN_SIDE_PX
    if small or request.width % 2 or request.height % 2:
        raise RenderFailed(
            f"Cannot draw {request.width}x{request.height}: sides must be even, from {_MIN_SIDE_PX}."
        )
    if request.frames < 1 or request.fps < 1:
        raise RenderFailed(f"Cannot draw {request.frames} frames at {request.fps} a second.")
