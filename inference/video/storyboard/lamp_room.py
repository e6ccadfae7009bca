"""The lamp room of a lighthouse: tall panes over the sea, the great lens, the winding stair."""

from __future__ import annotations

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb, lighten, mix, rgb
from inference.video.storyboard.layers import Layer, Sheet, finished
from inference.video.storyboard.noise import seed_of
from inference.video.storyboard.styles import Paint

_SILL = 0.66  # of the frame's height: where the panes end
_FLOOR = 0.72
_PANE = 0.34  # of the unit


def lamp_room_layers(sheet: Sheet, paint: Paint, seed: int, *, lit: bool) -> list[Layer]:
    """The panes with their bars, and the lamp; sea and sky come behind. lit: whether it burns."""
    frame = sheet.geometry
    unit, middle = frame.unit, frame.width / 2
    iron = paint.graded(mix(rgb("#7d3b35"), paint.lamp, 0.10))
    canvas = sheet.canvas(0.6)
    sill, floor_y = frame.height * _SILL, frame.height * _FLOOR
    _roof(canvas, iron, frame.height * 0.07, unit)
    count = int(frame.width / unit / _PANE) + 3
    for at in range(-count, count + 1):
        x = middle + (at + 0.5) * unit * _PANE
        canvas.rectangle(x - unit * 0.011, canvas.top, x + unit * 0.011, sill, iron)
        canvas.rectangle(x - unit * 0.011, canvas.top, x - unit * 0.004, sill, lighten(iron, 0.2))
    for part in (0.30, 0.48):
        y = frame.height * part
        canvas.rectangle(canvas.left, y, canvas.right, y + unit * 0.010, lighten(iron, -0.1))
    panel = paint.surface("wall", 0.9)
    canvas.rectangle(canvas.left, sill, canvas.right, floor_y, panel)
    canvas.rectangle(canvas.left, sill - unit * 0.02, canvas.right, sill + unit * 0.012, iron)
    _planks(canvas, paint.surface("wood", 0.95), floor_y, middle, unit)
    side = -1 if seed % 2 else 1
    _stair(canvas, paint, iron, middle - side * unit * 0.62, floor_y, unit)
    lens = sheet.canvas(0.68)
    _lamp(lens, paint, iron, middle + side * unit * 0.36, floor_y + unit * 0.03, unit, lit=lit)
    return [
        finished(canvas, 0.6, paint.style, seed_of(seed, "lamp room")),
        finished(lens, 0.68, paint.style, seed_of(seed, "great lamp")),
    ]


def _roof(canvas: Canvas, iron: Rgb, y: float, unit: float) -> None:
    canvas.rectangle(canvas.left, canvas.top, canvas.right, y, lighten(iron, -0.35))
    canvas.rectangle(canvas.left, y, canvas.right, y + unit * 0.018, lighten(iron, 0.12))
    for x in np.arange(canvas.left, canvas.right, unit * 0.06):
        canvas.ellipse(x, y + unit * 0.009, unit * 0.005, unit * 0.005, lighten(iron, 0.35))


def _planks(canvas: Canvas, wood: Rgb, y: float, middle: float, unit: float) -> None:
    canvas.rectangle(canvas.left, y, canvas.right, canvas.bottom, wood)
    for at in range(-24, 25):
        far, near = middle + at * unit * 0.10, middle + at * unit * 0.24
        canvas.polygon(
            [
                (far, y),
                (far + unit * 0.1, y),
                (near + unit * 0.24, canvas.bottom),
                (near, canvas.bottom),
            ],
            lighten(wood, (-0.14, 0.03, -0.06)[at % 3]),
        )
    canvas.rectangle(canvas.left, y, canvas.right, y + unit * 0.010, lighten(wood, -0.35))


def _stair(canvas: Canvas, paint: Paint, iron: Rgb, x: float, y: float, unit: float) -> None:
    """The last turns of a winding stair, with its rail."""
    wood = paint.surface("wood", 0.9)
    canvas.rectangle(x - unit * 0.012, y - unit * 0.50, x + unit * 0.012, y + unit * 0.02, iron)
    tops = []
    for step in range(9):
        turn = step * 0.52
        reach = unit * 0.19 * np.cos(turn)
        top = y - unit * 0.045 * step
        tone = lighten(wood, 0.05 * np.sin(turn) - 0.1)
        canvas.polygon(
            [
                (x, top),
                (x + reach, top - unit * 0.012),
                (x + reach, top + unit * 0.012),
                (x, top + unit * 0.018),
            ],
            tone,
        )
        tops.append((x + reach, top - unit * 0.10))
        canvas.stroke([(x + reach, top), (x + reach, top - unit * 0.10)], iron, unit * 0.004)
    canvas.stroke(tops, lighten(iron, 0.15), unit * 0.009)


def _lamp(
    canvas: Canvas, paint: Paint, iron: Rgb, x: float, foot: float, unit: float, *, lit: bool
) -> None:
    """The great lens on its pedestal."""
    brass = paint.graded(rgb("#b98d3f"))
    canvas.polygon(
        [
            (x - unit * 0.085, foot),
            (x + unit * 0.085, foot),
            (x + unit * 0.055, foot - unit * 0.20),
            (x - unit * 0.055, foot - unit * 0.20),
        ],
        iron,
    )
    y = foot - unit * 0.36
    glass = mix(paint.sky[1], (1.0, 1.0, 1.0), 0.35)
    if lit:
        canvas.glow(x, y, unit * 0.75, paint.lamp, 0.75)
        glass = mix(paint.lamp, (1.0, 1.0, 1.0), 0.25)
    canvas.ellipse(x, y, unit * 0.125, unit * 0.165, lighten(glass, -0.28))
    for ring in range(6):
        grow = 1.0 - ring * 0.15
        tone = lighten(glass, -0.20 if ring % 2 else 0.10)
        canvas.ellipse(x, y, unit * 0.115 * grow, unit * 0.155 * grow, tone)
    for part in (-0.165, 0.165):
        canvas.rectangle(
            x - unit * 0.10,
            y + unit * (part - 0.012),
            x + unit * 0.10,
            y + unit * (part + 0.012),
            brass,
        )
    for way in (-1, 1):
        canvas.stroke(
            [
                (x + way * unit * 0.09, y - unit * 0.165),
                (x + way * unit * 0.132, y),
                (x + way * unit * 0.09, y + unit * 0.165),
            ],
            brass,
            unit * 0.010,
        )
