"""Built ground to stand on over a drop: a ship's deck, a pier, a bridge, a flat roof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb, lighten, mix
from inference.video.storyboard.layers import Layer, Motion, Sheet, finished
from inference.video.storyboard.noise import random_of, seed_of
from inference.video.storyboard.styles import Paint

_DEPTH = 0.86  # as the figures
_FLOOR = 0.755  # of the frame's height: the far edge of the floor


@dataclass(frozen=True)
class _Build:
    """What it is made of: surfaces of floor and rail, height of the rail (of the unit), gaps."""

    floor: str
    rail: str
    high: float
    planks: bool
    open_rail: bool


_BUILDS: Mapping[str, _Build] = {
    "deck": _Build("wood", "wood", 0.155, planks=True, open_rail=True),
    "pier": _Build("wood", "bark", 0.07, planks=True, open_rail=True),
    "bridge": _Build("stone", "stone", 0.14, planks=False, open_rail=True),
    "rooftop": _Build("slate", "brick", 0.12, planks=False, open_rail=False),
}


def platform(sheet: Sheet, paint: Paint, seed: int, kind: str) -> list[Layer]:
    """Floor and rail of a deck, pier, bridge or rooftop, with what stands on them."""
    build = _BUILDS[kind]
    frame = sheet.geometry
    unit = frame.unit
    floor_y = frame.height * _FLOOR
    canvas = sheet.canvas(_DEPTH, top=floor_y - unit * (1.2 if kind == "deck" else 0.5))
    rail = mix(paint.surface(build.rail, 0.9), paint.haze, 0.06)
    if kind == "deck":
        _mast(canvas, paint, frame.width * (0.80 if seed % 2 else 0.20), floor_y, unit)
    if build.open_rail:
        _open_rail(canvas, rail, floor_y, unit, build.high, stone=kind == "bridge")
    else:
        _wall(canvas, rail, floor_y, unit, build.high)
    _floor(
        canvas,
        paint.surface(build.floor, 0.95),
        floor_y,
        frame.width / 2,
        unit,
        planks=build.planks,
    )
    if kind == "pier":
        _bollards(canvas, paint, floor_y, unit, frame.width)
    if kind == "rooftop":
        _chimney(canvas, paint, frame.width * (0.16 if seed % 2 else 0.84), floor_y, unit)
    still = kind != "deck"
    motion = Motion() if still else Motion(heave=unit * 0.006, rate=0.14, phase=1.0)
    return [finished(canvas, _DEPTH, paint.style, seed_of(seed, kind), motion=motion)]


def _floor(
    canvas: Canvas, tone: Rgb, y: float, middle: float, unit: float, *, planks: bool
) -> None:
    canvas.rectangle(canvas.left, y, canvas.right, canvas.bottom, lighten(tone, -0.08))
    if planks:
        for at in range(-26, 27):
            near, far = middle + at * unit * 0.19, middle + at * unit * 0.11
            shade = lighten(tone, (-0.14, 0.05, -0.04, 0.0)[at % 4])
            canvas.polygon(
                [
                    (far, y),
                    (far + unit * 0.105, y),
                    (near + unit * 0.182, canvas.bottom),
                    (near, canvas.bottom),
                ],
                shade,
            )
    else:
        rng = random_of("slabs", round(unit))
        for row in range(5):
            top = y + unit * (0.012 + 0.05 * row * (1 + 0.25 * row))
            for x in np.arange(canvas.left, canvas.right, unit * 0.16 * (1 + 0.3 * row)):
                wide = unit * 0.145 * (1 + 0.3 * row)
                shade = lighten(tone, float(rng.uniform(-0.10, 0.05)))
                canvas.rectangle(x, top, x + wide, top + unit * 0.042 * (1 + 0.3 * row), shade)
    canvas.rectangle(canvas.left, y, canvas.right, y + unit * 0.012, lighten(tone, -0.3))


def _open_rail(
    canvas: Canvas, tone: Rgb, y: float, unit: float, high: float, *, stone: bool
) -> None:
    """Posts or balusters under a handrail."""
    step, half = (unit * 0.075, unit * 0.017) if stone else (unit * 0.11, unit * 0.007)
    for x in np.arange(canvas.left, canvas.right, step):
        canvas.rectangle(x - half, y - unit * high, x + half, y, lighten(tone, -0.10))
        if stone:
            canvas.ellipse(
                x, y - unit * high * 0.42, half * 1.45, unit * high * 0.24, lighten(tone, -0.04)
            )
    for part, thick, shade in ((1.0, 0.022, 0.12), (0.06, 0.016, -0.05)):
        top = y - unit * high * part
        canvas.rectangle(canvas.left, top - unit * thick, canvas.right, top, lighten(tone, shade))


def _wall(canvas: Canvas, tone: Rgb, y: float, unit: float, high: float) -> None:
    """A low wall of bricks with a coping."""
    canvas.rectangle(canvas.left, y - unit * high, canvas.right, y, tone)
    for row in range(4):
        top = y - unit * high * (1 - row / 4)
        shift = unit * 0.05 * (row % 2)
        for x in np.arange(canvas.left - shift, canvas.right, unit * 0.10):
            shade = lighten(tone, -0.10 if int(x / unit * 10 + row) % 3 else 0.05)
            canvas.rectangle(x, top, x + unit * 0.094, top + unit * high / 4 - unit * 0.004, shade)
    canvas.rectangle(
        canvas.left, y - unit * (high + 0.022), canvas.right, y - unit * high, lighten(tone, 0.22)
    )


def _mast(canvas: Canvas, paint: Paint, x: float, y: float, unit: float) -> None:
    """A mast with its yard, sail and shrouds."""
    dark = lighten(paint.surface("bark", 0.85), -0.2)
    sail = mix(paint.surface("paper", 0.75), paint.sun, 0.2)
    canvas.polygon(
        [
            (x - unit * 0.36, y - unit * 1.2),
            (x + unit * 0.36, y - unit * 1.2),
            (x + unit * 0.40, y - unit * 0.56),
            (x + unit * 0.16, y - unit * 0.515),
            (x - unit * 0.16, y - unit * 0.515),
            (x - unit * 0.40, y - unit * 0.56),
        ],
        sail,
    )
    for px in (-0.2, 0.2):
        canvas.stroke(
            [(x + unit * px, y - unit * 1.2), (x + unit * px * 1.1, y - unit * 0.53)],
            lighten(sail, -0.12),
            unit * 0.004,
        )
    canvas.rectangle(x - unit * 0.022, y - unit * 1.2, x + unit * 0.022, y, dark)
    canvas.rectangle(
        x - unit * 0.42, y - unit * 0.575, x + unit * 0.42, y - unit * 0.555, lighten(dark, 0.12)
    )
    for way in (-1, 1):
        for part in (0.16, 0.25, 0.34):
            canvas.stroke(
                [(x, y - unit * 1.1), (x + way * unit * part * 1.3, y - unit * 0.15)],
                dark,
                unit * 0.004,
            )
        for rung in range(1, 7):
            level = y - unit * (0.15 + rung * 0.11)
            near, far = (
                (1.1 - (y - level) / unit) / 0.95 * 0.208,
                (1.1 - (y - level) / unit) / 0.95 * 0.442,
            )
            canvas.stroke(
                [(x + way * unit * near, level), (x + way * unit * far, level)], dark, unit * 0.003
            )


def _bollards(canvas: Canvas, paint: Paint, y: float, unit: float, width: int) -> None:
    iron = lighten(paint.surface("slate", 0.95), -0.45)
    for share in (0.08, 0.46, 0.90):
        x = width * share
        canvas.rectangle(
            x - unit * 0.022, y - unit * 0.02, x + unit * 0.022, y + unit * 0.035, iron
        )
        canvas.ellipse(x, y - unit * 0.022, unit * 0.034, unit * 0.016, lighten(iron, 0.12))
        canvas.ellipse(x, y + unit * 0.035, unit * 0.03, unit * 0.009, lighten(iron, -0.2))


def _chimney(canvas: Canvas, paint: Paint, x: float, y: float, unit: float) -> None:
    brick = paint.surface("brick", 0.9)
    canvas.rectangle(x - unit * 0.075, y - unit * 0.34, x + unit * 0.075, y + unit * 0.02, brick)
    for row in range(8):
        top = y - unit * (0.34 - row * 0.045)
        canvas.rectangle(
            x - unit * 0.075, top, x + unit * 0.075, top + unit * 0.004, lighten(brick, -0.2)
        )
    canvas.rectangle(
        x - unit * 0.09, y - unit * 0.365, x + unit * 0.09, y - unit * 0.335, lighten(brick, 0.15)
    )
    for px in (-0.035, 0.035):
        canvas.rectangle(
            x + unit * (px - 0.02),
            y - unit * 0.42,
            x + unit * (px + 0.02),
            y - unit * 0.365,
            lighten(brick, -0.25),
        )
