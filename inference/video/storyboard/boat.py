"""A rowing boat: its far side behind those who sit in it, its near side before them."""

from __future__ import annotations

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import lighten
from inference.video.storyboard.layers import Layer, Motion, Sheet, finished
from inference.video.storyboard.noise import seed_of
from inference.video.storyboard.styles import Paint

BOAT_FLOOR = 0.80  # of the frame's height: where the feet are
_DEPTH = 0.86  # as the figures
_RIM = 0.085  # of the unit, over the floor
_HALF = 0.46  # of the unit: half the length at the rim


def rocking(unit: float) -> Motion:
    """How the boat and all in it rise and fall, in pixels of a frame of this unit."""
    return Motion(heave=unit * 0.010, rate=0.23, phase=0.4)


def rowing_boat(sheet: Sheet, paint: Paint, seed: int) -> tuple[list[Layer], list[Layer]]:
    """The boat's far side with its benches, then its near side with an oar."""
    frame = sheet.geometry
    unit = frame.unit
    x, floor = frame.width / 2, frame.height * BOAT_FLOOR
    rim = floor - unit * _RIM
    box = (
        round(x - unit * 0.62),
        round(rim - unit * 0.16),
        round(x + unit * 0.62),
        round(floor + unit * 0.12),
    )
    motion = rocking(unit)
    wood = paint.surface("wood", 0.9)
    far = Canvas(*box)
    far.polygon(_sheer(x, rim, unit, 0.030), lighten(wood, -0.45))
    behind = finished(far, _DEPTH, paint.style, seed_of(seed, "far side"), motion=motion)
    near = Canvas(*box)
    _near_side(near, paint, x, rim, unit)
    before = finished(near, _DEPTH, paint.style, seed_of(seed, "near side"), motion=motion)
    return [behind], [before]


def _sheer(x: float, rim: float, unit: float, deep: float) -> list[tuple[float, float]]:
    """The lens shape between the far rim and the near one."""
    parts = np.linspace(-1, 1, 25)
    upper = [
        (x + p * unit * _HALF, rim - unit * (0.055 * p * p + 0.028 * (1 - p * p))) for p in parts
    ]
    lower = [
        (x + p * unit * _HALF, rim - unit * (0.055 * p * p - deep * (1 - p * p))) for p in parts
    ]
    return [*upper, *lower[::-1]]


def _near_side(canvas: Canvas, paint: Paint, x: float, rim: float, unit: float) -> None:
    wood = paint.surface("wood", 0.85)
    parts = np.linspace(-1, 1, 25)
    top = [(x + p * unit * _HALF, rim + unit * (0.030 - 0.085 * p * p)) for p in parts]
    keel = [(x + p * unit * _HALF * 0.80, rim + unit * (0.155 - 0.05 * abs(p) ** 3)) for p in parts]
    canvas.polygon([*top, *keel[::-1]], wood)
    for row, tone in ((0.36, -0.12), (0.68, -0.22)):
        plank = [
            (a[0] + (b[0] - a[0]) * row, a[1] + (b[1] - a[1]) * row)
            for a, b in zip(top, keel, strict=True)
        ]
        canvas.polygon([*plank, *keel[::-1]], lighten(wood, tone))
    canvas.stroke(top, lighten(wood, 0.22), unit * 0.012)
    grip, blade = (x + unit * 0.10, rim - unit * 0.05), (x + unit * 0.47, rim + unit * 0.135)
    canvas.stroke([grip, blade], lighten(wood, 0.12), unit * 0.011)
    canvas.ellipse(blade[0], blade[1], unit * 0.055, unit * 0.016, lighten(wood, 0.05), -24)
