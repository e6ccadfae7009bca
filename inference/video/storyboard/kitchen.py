"""A kitchen: tiles, a stove, shelves with jars and pans, a window over the work top."""

from __future__ import annotations

import itertools

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb, lighten, mix, rgb
from inference.video.storyboard.layers import Layer, Sheet, finished
from inference.video.storyboard.noise import random_of, seed_of
from inference.video.storyboard.room import FLOOR, window
from inference.video.storyboard.styles import Paint


def kitchen_layers(sheet: Sheet, paint: Paint, seed: int) -> list[Layer]:
    """The wall with all that stands against it; the sky comes behind the window."""
    frame = sheet.geometry
    unit, floor_y = frame.unit, frame.height * FLOOR
    canvas = sheet.canvas(0.55)
    rng = random_of(seed, "kitchen")
    hues = ("#d8c08f", "#a9bfae", "#d9b79b", "#b3bccb")
    wall = paint.graded(mix(rgb(hues[int(rng.integers(len(hues)))]), paint.lamp, 0.14))
    if paint.dark:
        wall = mix(wall, paint.graded(rgb("#a8643c"), under_light=False), 0.20)
    canvas.rectangle(canvas.left, canvas.top, canvas.right, floor_y, wall)
    _tiles(canvas, lighten(wall, 0.22), floor_y, unit)
    _floor(canvas, paint, floor_y, frame.width / 2, unit)
    side = -1 if rng.random() < 0.5 else 1  # noqa: PLR2004 - a coin
    window(canvas, paint, frame.width * (0.5 + side * 0.06), frame.height * 0.31, unit)
    _work_top(canvas, paint, floor_y, unit)
    _stove(canvas, paint, frame.width * 0.5 - side * unit * 0.52, floor_y, unit)
    _shelves(canvas, paint, rng, frame.width * 0.5 + side * unit * 0.60, frame.height * 0.22, unit)
    _pans(canvas, paint, frame.width * 0.5 - side * unit * 0.52, frame.height * 0.17, unit)
    return [finished(canvas, 0.55, paint.style, seed_of(seed, "kitchen"))]


def _tiles(canvas: Canvas, tone: Rgb, floor_y: float, unit: float) -> None:
    for row in range(3):
        y = floor_y - unit * (0.40 - row * 0.06)
        for column, x in enumerate(np.arange(canvas.left, canvas.right, unit * 0.062)):
            shade = lighten(tone, -0.05 if (column + row) % 2 else 0.04)
            canvas.rectangle(x, y, x + unit * 0.058, y + unit * 0.056, shade)


def _floor(canvas: Canvas, paint: Paint, y: float, middle: float, unit: float) -> None:
    dark, pale = paint.surface("brick", 0.95), paint.surface("wall", 0.95)
    canvas.rectangle(canvas.left, y, canvas.right, canvas.bottom, lighten(dark, -0.1))
    rows = [0.0, 0.045, 0.11, 0.20, 0.33, 0.52]
    for row, (far, near) in enumerate(itertools.pairwise(rows)):
        for at in range(-18, 19):
            if (at + row) % 2:
                continue
            ends = []
            for deep in (far, near):
                wide = unit * (0.11 + 0.42 * deep)
                ends.append((middle + at * wide, middle + (at + 1) * wide, y + unit * deep))
            (a0, a1, ay), (b0, b1, by) = ends
            canvas.polygon([(a0, ay), (a1, ay), (b1, by), (b0, by)], lighten(pale, -0.08))


def _work_top(canvas: Canvas, paint: Paint, floor_y: float, unit: float) -> None:
    wood = paint.surface("wood", 0.95)
    front = paint.graded(mix(rgb("#6f8f86"), rgb("#e7dcc4"), 0.35))
    top = floor_y - unit * 0.215
    canvas.rectangle(canvas.left, top, canvas.right, floor_y, front)
    for x in np.arange(canvas.left, canvas.right, unit * 0.20):
        canvas.rectangle(
            x + unit * 0.012,
            top + unit * 0.03,
            x + unit * 0.188,
            floor_y - unit * 0.02,
            lighten(front, 0.08),
        )
        canvas.ellipse(x + unit * 0.165, top + unit * 0.10, unit * 0.008, unit * 0.008, wood)
    canvas.rectangle(
        canvas.left, floor_y - unit * 0.02, canvas.right, floor_y, lighten(front, -0.3)
    )
    canvas.rectangle(canvas.left, top - unit * 0.022, canvas.right, top, lighten(wood, 0.12))
    canvas.rectangle(canvas.left, top, canvas.right, top + unit * 0.010, lighten(wood, -0.25))


def _stove(canvas: Canvas, paint: Paint, x: float, floor_y: float, unit: float) -> None:
    iron = paint.graded(rgb("#4a4f58"))
    half, top = unit * 0.17, floor_y - unit * 0.235
    canvas.rectangle(x - half, top, x + half, floor_y, iron)
    canvas.rectangle(x - half * 1.06, top - unit * 0.014, x + half * 1.06, top, lighten(iron, 0.22))
    glass = mix(paint.lamp, rgb("#c65a2e"), 0.4)
    canvas.rectangle(
        x - half * 0.72, top + unit * 0.075, x + half * 0.72, top + unit * 0.19, lighten(iron, -0.4)
    )
    canvas.rectangle(x - half * 0.62, top + unit * 0.09, x + half * 0.62, top + unit * 0.175, glass)
    canvas.glow(x, top + unit * 0.13, unit * 0.26, paint.lamp, 0.35 if paint.dark else 0.14)
    for at in range(4):
        canvas.ellipse(
            x + half * (-0.6 + 0.4 * at),
            top + unit * 0.038,
            unit * 0.011,
            unit * 0.011,
            lighten(iron, 0.4),
        )
    pot = paint.graded(rgb("#b5482f"))
    canvas.rectangle(x - unit * 0.07, top - unit * 0.085, x + unit * 0.05, top - unit * 0.014, pot)
    canvas.ellipse(
        x - unit * 0.01, top - unit * 0.085, unit * 0.062, unit * 0.012, lighten(pot, 0.2)
    )
    canvas.ellipse(
        x - unit * 0.01, top - unit * 0.10, unit * 0.012, unit * 0.010, lighten(pot, -0.2)
    )


def _shelves(
    canvas: Canvas, paint: Paint, rng: np.random.Generator, x: float, y: float, unit: float
) -> None:
    wood = paint.surface("wood", 1.0)
    hues = ("#c9683f", "#d9b15a", "#6f8f5e", "#8a4f3d", "#d8d2c0", "#5f7f94")
    for level in range(2):
        board = y + unit * 0.16 * level
        canvas.rectangle(x - unit * 0.24, board, x + unit * 0.24, board + unit * 0.016, wood)
        for at in range(6):
            high, half = unit * rng.uniform(0.055, 0.105), unit * rng.uniform(0.018, 0.030)
            px = x + unit * (-0.20 + 0.08 * at)
            tone = paint.graded(rgb(hues[int(rng.integers(len(hues)))]))
            canvas.rectangle(px - half, board - high, px + half, board, tone)
            canvas.rectangle(
                px - half * 0.8,
                board - high - unit * 0.012,
                px + half * 0.8,
                board - high,
                lighten(tone, -0.3),
            )


def _pans(canvas: Canvas, paint: Paint, x: float, y: float, unit: float) -> None:
    copper, iron = paint.graded(rgb("#b8693a")), paint.graded(rgb("#3a3a40"))
    canvas.rectangle(x - unit * 0.20, y, x + unit * 0.20, y + unit * 0.010, iron)
    for px, radius in ((-0.13, 0.050), (0.0, 0.040), (0.12, 0.046)):
        cx = x + unit * px
        canvas.stroke([(cx, y), (cx, y + unit * 0.09)], iron, unit * 0.010)
        middle = y + unit * (0.09 + radius)
        canvas.ellipse(cx, middle, unit * radius, unit * radius, copper)
        canvas.ellipse(
            cx, middle, unit * radius * 0.78, unit * radius * 0.78, lighten(copper, -0.18)
        )
