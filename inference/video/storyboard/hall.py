"""A great hall: columns, tall windows with the sky behind, banners, a carpet to the dais."""

from __future__ import annotations

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb, lighten, mix, rgb
from inference.video.storyboard.layers import Layer, Sheet, finished
from inference.video.storyboard.noise import random_of, seed_of
from inference.video.storyboard.styles import Paint

_FLOOR = 0.71  # of the frame's height
_BAY = 0.42  # of the unit, from column to column


def hall_layers(sheet: Sheet, paint: Paint, seed: int) -> list[Layer]:
    """Back wall with window holes, then a row of columns before it."""
    frame = sheet.geometry
    unit, floor_y = frame.unit, frame.height * _FLOOR
    middle = frame.width / 2
    stone = paint.graded(mix(rgb("#a49a92"), paint.lamp, 0.14))
    if paint.dark:
        stone = mix(stone, paint.graded(rgb("#8a5a44"), under_light=False), 0.22)
    wall = sheet.canvas(0.5)
    wall.rectangle(wall.left, wall.top, wall.right, floor_y, lighten(stone, -0.12))
    _blocks(wall, lighten(stone, -0.12), floor_y, unit, seed)
    _floor(wall, paint, floor_y, middle, unit)
    hue = ("#8f2f35", "#2f4f86", "#5a3f7a", "#2f6b57")[seed % 4]
    banner = paint.graded(rgb(hue), least_saturation=0.4)
    count = int(frame.width / unit / _BAY) + 4
    for bay in range(-count, count + 1):
        x = middle + (bay + 0.5) * unit * _BAY
        if bay % 2:
            _window(wall, stone, x, frame.height * 0.36, unit)
        else:
            _banner(wall, banner, paint, x, frame.height * 0.15, unit)
    light = paint.sun if not paint.dark else paint.lamp
    wall.glow(middle, frame.height * 0.35, unit * 0.8, light, 0.16)
    layers = [finished(wall, 0.5, paint.style, seed_of(seed, "hall"))]
    columns = sheet.canvas(0.68)
    for bay in range(-count, count + 1, 2):
        x = middle + (bay + 0.06) * unit * _BAY
        if abs(x - middle) > unit * 0.3:
            _column(columns, paint, stone, x, floor_y + unit * 0.03, unit)
    layers.append(finished(columns, 0.68, paint.style, seed_of(seed, "columns")))
    return layers


def _blocks(canvas: Canvas, tone: Rgb, floor_y: float, unit: float, seed: int) -> None:
    rng = random_of(seed, "blocks")
    for row, y in enumerate(np.arange(canvas.top, floor_y, unit * 0.075)):
        for x in np.arange(canvas.left - unit * 0.07 * (row % 2), canvas.right, unit * 0.14):
            shade = lighten(tone, float(rng.uniform(-0.06, 0.04)))
            low = min(floor_y, y + unit * 0.071)
            canvas.rectangle(x, y, x + unit * 0.136, low, shade)


def _floor(canvas: Canvas, paint: Paint, y: float, middle: float, unit: float) -> None:
    slab = paint.surface("stone", 0.95)
    canvas.rectangle(canvas.left, y, canvas.right, canvas.bottom, lighten(slab, -0.22))
    for at in range(-16, 17):
        far, near = middle + at * unit * 0.16, middle + at * unit * 0.34
        tone = lighten(slab, -0.10 if at % 2 else -0.28)
        canvas.polygon(
            [
                (far, y),
                (far + unit * 0.16, y),
                (near + unit * 0.34, canvas.bottom),
                (near, canvas.bottom),
            ],
            tone,
        )
    carpet, rim = paint.graded(rgb("#9c2f36")), paint.graded(rgb("#d9ab55"))
    for grow, tone in ((1.0, rim), (0.9, carpet)):
        canvas.polygon(
            [
                (middle - unit * 0.20 * grow, y),
                (middle + unit * 0.20 * grow, y),
                (middle + unit * 0.46 * grow, canvas.bottom),
                (middle - unit * 0.46 * grow, canvas.bottom),
            ],
            tone,
        )


def _window(canvas: Canvas, stone: Rgb, x: float, y: float, unit: float) -> None:
    """A pointed hole in the wall with its frame and bars."""
    half, tall = unit * 0.075, unit * 0.20
    for grow, hole in ((1.25, False), (1.0, True)):
        w, h = half * grow, tall * (1 + (grow - 1) * 0.4)
        arch = [(x - w, y + h), (x - w, y - h * 0.4), (x - w * 0.6, y - h * 0.8), (x, y - h * 1.12)]
        outline = [*arch, (x + w * 0.6, y - h * 0.8), (x + w, y - h * 0.4), (x + w, y + h)]
        if hole:
            canvas.image[canvas.mask(outline) > 127] = 0  # noqa: PLR2004 - half covered
        else:
            canvas.polygon(outline, lighten(stone, 0.16))
    bar = max(1.0, unit * 0.004)
    canvas.rectangle(x - bar, y - tall * 1.1, x + bar, y + tall, lighten(stone, -0.45))
    for part in (-0.3, 0.3):
        canvas.rectangle(
            x - half, y + tall * part - bar, x + half, y + tall * part + bar, lighten(stone, -0.45)
        )


def _banner(canvas: Canvas, cloth: Rgb, paint: Paint, x: float, y: float, unit: float) -> None:
    half, tall = unit * 0.062, unit * 0.34
    canvas.polygon(
        [
            (x - half, y),
            (x + half, y),
            (x + half, y + tall),
            (x, y + tall * 0.88),
            (x - half, y + tall),
        ],
        cloth,
    )
    gold = paint.graded(rgb("#d9ab55"))
    canvas.rectangle(x - half * 1.25, y - unit * 0.012, x + half * 1.25, y, gold)
    canvas.ellipse(x, y + tall * 0.4, half * 0.52, half * 0.52, gold)
    canvas.ellipse(x, y + tall * 0.4, half * 0.34, half * 0.34, cloth)


def _column(canvas: Canvas, paint: Paint, stone: Rgb, x: float, foot: float, unit: float) -> None:
    half = unit * 0.055
    canvas.rectangle(x - half, canvas.top, x + half, foot, stone)
    canvas.rectangle(x + half * 0.35, canvas.top, x + half, foot, lighten(stone, -0.14))
    canvas.rectangle(x - half, canvas.top, x - half * 0.62, foot, lighten(stone, 0.12))
    for grow, low, high in ((1.5, 0.0, 0.045), (1.25, 0.045, 0.075)):
        canvas.rectangle(
            x - half * grow,
            foot - unit * high,
            x + half * grow,
            foot - unit * low,
            lighten(stone, 0.05),
        )
    y = foot - unit * 0.42
    canvas.stroke([(x, y), (x, y - unit * 0.05)], (0.1, 0.09, 0.09), unit * 0.012)
    if paint.dark:
        canvas.glow(x, y - unit * 0.07, unit * 0.32, paint.lamp, 0.5)
    canvas.ellipse(x, y - unit * 0.066, unit * 0.014, unit * 0.026, paint.lamp)
