"""A room with a window, books, a lamp and a rug."""

from __future__ import annotations

import cv2
import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import lighten, mix, rgb
from inference.video.storyboard.layers import Layer, Sheet, finished
from inference.video.storyboard.noise import random_of, seed_of
from inference.video.storyboard.styles import Paint

FLOOR = 0.70  # of the frame's height: where wall and floor meet


def room_layers(sheet: Sheet, paint: Paint, seed: int) -> list[Layer]:
    """Wall with a window hole, furniture against it; the sky comes behind."""
    frame = sheet.geometry
    unit = frame.unit
    canvas = sheet.canvas(0.55)
    rng = random_of(seed, "room")
    hues = ("#b98a6a", "#6f8f86", "#8a6f95", "#a9795f", "#6d7fa0")
    wall = paint.graded(mix(rgb(hues[int(rng.integers(len(hues)))]), paint.lamp, 0.16))
    if paint.dark:
        wall = mix(wall, paint.graded(rgb("#a8643c"), under_light=False), 0.22)
    floor_y = frame.height * FLOOR
    canvas.rectangle(canvas.left, canvas.top, canvas.right, floor_y, wall)
    stripe = lighten(wall, -0.05)
    for x in np.arange(canvas.left, canvas.right, unit * 0.07):
        canvas.rectangle(x, canvas.top, x + unit * 0.035, floor_y, stripe)
    dado = paint.surface("wood", 0.9)
    canvas.rectangle(
        canvas.left, floor_y - unit * 0.17, canvas.right, floor_y, lighten(dado, -0.12)
    )
    for x in np.arange(canvas.left, canvas.right, unit * 0.13):
        canvas.rectangle(
            x, floor_y - unit * 0.15, x + unit * 0.115, floor_y - unit * 0.02, lighten(dado, -0.02)
        )
    canvas.rectangle(
        canvas.left,
        floor_y - unit * 0.185,
        canvas.right,
        floor_y - unit * 0.165,
        lighten(dado, 0.12),
    )
    _floor(canvas, paint, floor_y, frame.height, frame.width / 2, unit)
    side = -1 if rng.random() < 0.5 else 1  # noqa: PLR2004 - a coin
    wx, wy = frame.width * (0.5 + side * 0.13), frame.height * 0.34
    _shelf(canvas, paint, rng, frame.width * (0.5 - side * 0.30), floor_y, unit)
    _picture(canvas, paint, rng, frame.width * (0.5 + side * 0.40), frame.height * 0.30, unit)
    window(canvas, paint, wx, wy, unit)
    _lamp(canvas, paint, frame.width * (0.5 + side * 0.34), floor_y, unit)
    light = paint.sun if not paint.dark else paint.lamp
    canvas.glow(wx, wy, unit * 0.75, light, 0.12)
    return [
        finished(canvas, 0.55, paint.style, seed_of(seed, "room")),
        *_sunbeam(sheet, paint, wx, wy),
    ]


def _floor(canvas: Canvas, paint: Paint, y: float, height: int, middle: float, unit: float) -> None:
    wood = paint.surface("wood", 0.95)
    canvas.rectangle(canvas.left, y, canvas.right, canvas.bottom, lighten(wood, -0.05))
    for at in range(-24, 25):
        top, low = middle + at * unit * 0.10, middle + at * unit * 0.26
        tone = lighten(wood, (-0.16, 0.04, -0.07)[at % 3])
        canvas.polygon(
            [
                (top, y),
                (top + unit * 0.10, y),
                (low + unit * 0.26, canvas.bottom),
                (low, canvas.bottom),
            ],
            tone,
        )
    rug, rim = paint.graded(rgb("#a2413d")), paint.graded(rgb("#e0b565"))
    rug_y = height * 0.86
    for grow, tone in ((1.0, rim), (0.93, rug), (0.70, rim), (0.66, lighten(rug, -0.15))):
        canvas.ellipse(middle, rug_y, unit * 0.56 * grow, unit * 0.105 * grow, tone)


def window(canvas: Canvas, paint: Paint, x: float, y: float, unit: float) -> None:
    """A hole in the wall with its frame, bars and curtains."""
    w, h = unit * 0.17, unit * 0.215
    frame = paint.surface("wood", 1.0)
    canvas.rectangle(x - w * 1.14, y - h * 1.11, x + w * 1.14, y + h * 1.11, lighten(frame, 0.12))
    x0, x1 = round(x - w) - canvas.left, round(x + w) - canvas.left
    y0, y1 = round(y - h) - canvas.top, round(y + h) - canvas.top
    canvas.image[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = 0
    bar = max(1.5, unit * 0.008)
    canvas.rectangle(x - bar, y - h, x + bar, y + h, frame)
    canvas.rectangle(x - w, y - h * 0.2 - bar, x + w, y - h * 0.2 + bar, frame)
    canvas.rectangle(x - w * 1.25, y + h * 1.06, x + w * 1.25, y + h * 1.16, lighten(frame, 0.2))
    cloth = paint.graded(rgb("#c76a55"))
    for way in (-1, 1):
        folds = np.linspace(0, 1, 9)
        inner = [
            (
                x + way * w * (1.12 - 0.38 * (1 - p) ** 1.5 + 0.03 * np.sin(p * 9)),
                y - h * 1.2 + 2.5 * h * p,
            )
            for p in folds
        ]
        canvas.polygon(
            [(x + way * w * 1.45, y - h * 1.2), *inner, (x + way * w * 1.50, y + h * 1.3)], cloth
        )
        for fold in (1.22, 1.34):
            canvas.stroke(
                [(x + way * w * fold, y - h * 1.15), (x + way * w * (fold + 0.04), y + h * 1.28)],
                lighten(cloth, -0.2),
                unit * 0.004,
            )
    canvas.rectangle(x - w * 1.6, y - h * 1.26, x + w * 1.6, y - h * 1.19, lighten(frame, -0.3))


def _shelf(
    canvas: Canvas, paint: Paint, rng: np.random.Generator, x: float, floor_y: float, unit: float
) -> None:
    """A case of books."""
    wood = lighten(paint.surface("wood", 1.0), -0.22)
    w, tall = unit * 0.19, unit * 0.56
    canvas.rectangle(x - w, floor_y - tall, x + w, floor_y + unit * 0.02, wood)
    hues = ("#a5493f", "#3e6a8a", "#c69a45", "#5b7f56", "#71527f", "#d8cbb0", "#40505c")
    for row in range(4):
        top = floor_y - tall + unit * 0.02 + row * unit * 0.132
        canvas.rectangle(x - w * 0.92, top, x + w * 0.92, top + unit * 0.112, lighten(wood, -0.45))
        book = x - w * 0.88
        while book < x + w * 0.80:
            thick = unit * rng.uniform(0.010, 0.022)
            high = unit * rng.uniform(0.065, 0.102)
            if rng.random() < 0.88:  # noqa: PLR2004 - a gap here and there
                hue = paint.graded(rgb(hues[int(rng.integers(len(hues)))]))
                canvas.rectangle(
                    book, top + unit * 0.112 - high, book + thick * 0.92, top + unit * 0.112, hue
                )
            book += thick


def _picture(
    canvas: Canvas, paint: Paint, rng: np.random.Generator, x: float, y: float, unit: float
) -> None:
    gold = paint.graded(rgb("#c39a4a"))
    w, h = unit * 0.085, unit * 0.07
    canvas.rectangle(x - w, y - h, x + w, y + h, gold)
    canvas.rectangle(x - w * 0.85, y - h * 0.82, x + w * 0.85, y + h * 0.82, paint.sky[1])
    rise = h * rng.uniform(-0.1, 0.3)
    canvas.polygon(
        [
            (x - w * 0.85, y + h * 0.82),
            (x - w * 0.85, y + rise),
            (x - w * 0.2, y - rise),
            (x + w * 0.85, y + h * 0.3),
            (x + w * 0.85, y + h * 0.82),
        ],
        paint.surface("leaf", 0.8),
    )


def _lamp(canvas: Canvas, paint: Paint, x: float, floor_y: float, unit: float) -> None:
    iron = lighten(paint.surface("bark", 1.0), -0.4)
    canvas.rectangle(
        x - unit * 0.006, floor_y - unit * 0.36, x + unit * 0.006, floor_y + unit * 0.02, iron
    )
    canvas.ellipse(x, floor_y + unit * 0.02, unit * 0.05, unit * 0.012, iron)
    if paint.dark:
        canvas.glow(x, floor_y - unit * 0.38, unit * 0.55, paint.lamp, 0.55)
    shade = paint.lamp if paint.dark else mix(paint.lamp, (1, 1, 1), 0.4)
    canvas.polygon(
        [
            (x - unit * 0.045, floor_y - unit * 0.45),
            (x + unit * 0.045, floor_y - unit * 0.45),
            (x + unit * 0.075, floor_y - unit * 0.34),
            (x - unit * 0.075, floor_y - unit * 0.34),
        ],
        shade,
    )


def _sunbeam(sheet: Sheet, paint: Paint, x: float, y: float) -> list[Layer]:
    """Light that falls from the window to the floor."""
    frame = sheet.geometry
    unit = frame.unit
    canvas = sheet.canvas(0.6)
    dim = 0.16 if not paint.dark else 0.09
    base = paint.sun if not paint.dark else mix(paint.sun, paint.sky[1], 0.3)
    tone = (base[0] * dim, base[1] * dim, base[2] * dim)
    way = 1 if x < frame.width / 2 else -1
    fall = frame.height * 0.93
    for pane in (-1, 1):
        x0 = x + pane * unit * 0.085
        canvas.polygon(
            [
                (x0 - unit * 0.078, y - unit * 0.21),
                (x0 + unit * 0.078, y - unit * 0.21),
                (x0 + way * unit * 0.52 + unit * 0.12, fall),
                (x0 + way * unit * 0.52 - unit * 0.12, fall),
            ],
            tone,
        )
    canvas.image[..., 3] = 0

    canvas.image[:] = cv2.GaussianBlur(canvas.image, (0, 0), max(1.0, unit * 0.012))
    return [Layer(canvas.image, canvas.left, canvas.top, 0.6, blend="add")]
