"""The bridge of a space station, with its window on space."""

from __future__ import annotations

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb, lighten, mix, rgb
from inference.video.storyboard.layers import Layer, Sheet, finished
from inference.video.storyboard.noise import random_of, seed_of
from inference.video.storyboard.styles import Paint

FLOOR = 0.70  # of the frame's height: where wall and floor meet


def station_layers(sheet: Sheet, paint: Paint, seed: int) -> list[Layer]:
    """A bridge with a great window on space, consoles and light strips."""
    frame = sheet.geometry
    unit = frame.unit
    canvas = sheet.canvas(0.6)
    metal = paint.graded(rgb("#5d6b82"), under_light=False)
    metal = lighten(metal, -0.35 if paint.dark else -0.1)
    canvas.rectangle(canvas.left, canvas.top, canvas.right, canvas.bottom, metal)
    x, y, w, h = frame.width / 2, frame.height * 0.36, frame.width * 0.40, frame.height * 0.26
    ring = [
        (x - w, y),
        (x - w * 0.86, y - h),
        (x + w * 0.86, y - h),
        (x + w, y),
        (x + w * 0.86, y + h),
        (x - w * 0.86, y + h),
    ]
    canvas.polygon(
        [(x + (px - x) * 1.06, y + (py - y) * 1.12) for px, py in ring], lighten(metal, 0.22)
    )
    hole = canvas.mask(ring)
    canvas.image[:] = np.where(hole[..., None] > 127, 0, canvas.image)  # noqa: PLR2004 - half covered
    for px in (-0.33, 0.33):
        canvas.polygon(
            [
                (x + w * px - unit * 0.012, y - h),
                (x + w * px + unit * 0.012, y - h),
                (x + w * px * 1.2 + unit * 0.012, y + h),
                (x + w * px * 1.2 - unit * 0.012, y + h),
            ],
            lighten(metal, 0.1),
        )
    floor_y = frame.height * FLOOR
    canvas.polygon(
        [
            (canvas.left, floor_y),
            (canvas.right, floor_y),
            (canvas.right, canvas.bottom),
            (canvas.left, canvas.bottom),
        ],
        lighten(metal, -0.22),
    )
    for at in range(-9, 10):
        canvas.stroke(
            [(x + at * unit * 0.16, floor_y), (x + at * unit * 0.42, canvas.bottom)],
            lighten(metal, -0.38),
            unit * 0.004,
        )
    glow = paint.lamp
    canvas.rectangle(
        canvas.left, floor_y - unit * 0.012, canvas.right, floor_y, mix(metal, glow, 0.75)
    )
    canvas.rectangle(
        canvas.left, frame.height * 0.045, canvas.right, frame.height * 0.055, mix(metal, glow, 0.6)
    )
    rng = random_of(seed, "console")
    for px in (-0.40, -0.20, 0.20, 0.40):
        _console(canvas, rng, x + px * frame.width, floor_y, unit, metal, glow)
    return [finished(canvas, 0.6, paint.style, seed_of(seed, "station"))]


def _console(
    canvas: Canvas, rng: np.random.Generator, x: float, y: float, unit: float, metal: Rgb, glow: Rgb
) -> None:
    w = unit * 0.13
    canvas.polygon(
        [
            (x - w, y - unit * 0.11),
            (x + w, y - unit * 0.11),
            (x + w * 1.12, y + unit * 0.05),
            (x - w * 1.12, y + unit * 0.05),
        ],
        lighten(metal, -0.30),
    )
    canvas.polygon(
        [
            (x - w * 0.92, y - unit * 0.10),
            (x + w * 0.92, y - unit * 0.10),
            (x + w, y - unit * 0.03),
            (x - w, y - unit * 0.03),
        ],
        lighten(metal, -0.55),
    )
    hues = (glow, (1.0, 0.45, 0.5), (1.0, 0.8, 0.4), glow)
    for _ in range(14):
        px, py = x + rng.uniform(-0.85, 0.85) * w, y - unit * rng.uniform(0.04, 0.09)
        canvas.rectangle(px, py, px + unit * 0.012, py + unit * 0.006, hues[int(rng.integers(4))])
    canvas.glow(x, y - unit * 0.07, unit * 0.16, glow, 0.22)
