"""Requests and results of small takes, so that a test says only what it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from inference.video.diffusion.model import DiffusionVideoModel
from inference.video.model import Frames, ShotRequest
from storyforge.domain.bible import SceneBible
from storyforge.domain.script import Shot

STEPS = 2
SIZE = (64, 64)
QUIET = lambda _done, _total: None  # noqa: E731 - a watch that does nothing
EVERY_MODEL = (
    "wan.wan21_t2v",
    "wan.wan21_i2v",
    "wan.wan21_flf",
    "wan.wan22_ti2v",
    "wan.wan22_a14b_t2v",
    "wan.wan22_a14b_i2v",
    "ltx.ltx_t2v",
    "ltx.ltx_condition",
)


def a_take(prompt: str = "A red fox waits.", **changes: Any) -> ShotRequest:
    """Nine frames at 24 a second, 64x64, unless something else is asked for."""
    values: dict[str, Any] = {
        "shot": Shot(prompt=prompt, seconds=1),
        "index": 0,
        "count": 1,
        "bible": SceneBible(),
        "width": SIZE[0],
        "height": SIZE[1],
        "fps": 24,
        "frames": 9,
        "seed": 7,
    }
    return ShotRequest(**(values | changes))


def filmed(model: DiffusionVideoModel, request: ShotRequest, result: Path) -> Frames:
    """Render and decode: all frames in one array."""
    model.render(request, result, QUIET)
    return np.concatenate(list(model.frames(request, result)))
