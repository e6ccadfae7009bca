"""Towns: skylines of towers and streets with lamps, lit after dark."""

from __future__ import annotations

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb, lighten, mix
from inference.video.storyboard.layers import Layer, Sheet, finished
from inference.video.storyboard.noise import random_of, seed_of
from inference.video.storyboard.styles import Paint
from inference.video.storyboard.terrain import columns, profile_points


def skyline(
    sheet: Sheet,
    paint: Paint,
    seed: int,
    depth: float,
    base: float,
    tall: float,
    *,
    future: bool = False,
) -> Layer:
    """A row of towers; base: of the frame's height; tall: of the unit."""
    frame = sheet.geometry
    unit = frame.unit
    foot = frame.height * base
    canvas = sheet.canvas(depth, top=foot - unit * tall * 1.5)
    rng = random_of(seed, "skyline", depth)
    body = paint.surface("tower", depth)
    x = canvas.left - unit * 0.1
    while x < canvas.right:
        wide = unit * rng.uniform(0.07, 0.16) * (0.65 + 0.6 * depth)
        high = unit * tall * rng.uniform(0.40, 1.0)
        tone = lighten(body, rng.uniform(-0.12, 0.08))
        if future:
            _future_tower(canvas, rng, x, foot, wide, high, tone, paint)
        else:
            _tower(canvas, rng, x, foot, wide, high, tone, paint)
        _windows(
            canvas,
            rng,
            x + wide * 0.12,
            foot - high * 0.97,
            wide * 0.76,
            high * 0.95,
            paint,
            depth,
            tone,
        )
        x += wide * rng.uniform(0.92, 1.15)
    canvas.rectangle(canvas.left, foot - 2, canvas.right, canvas.bottom, lighten(body, -0.2))
    return finished(canvas, depth, paint.style, seed_of(seed, depth))


def _tower(
    canvas: Canvas,
    rng: np.random.Generator,
    x: float,
    foot: float,
    wide: float,
    high: float,
    tone: Rgb,
    paint: Paint,
) -> None:
    top = foot - high
    canvas.rectangle(x, top, x + wide, foot + 4, tone)
    canvas.rectangle(x, top, x + wide * 0.16, foot + 4, lighten(tone, 0.07))
    roof = int(rng.integers(5))
    dark = lighten(tone, -0.15)
    if roof == 0:
        canvas.rectangle(x + wide * 0.2, top - high * 0.07, x + wide * 0.8, top + 1, tone)
        canvas.rectangle(x + wide * 0.48, top - high * 0.22, x + wide * 0.52, top, dark)
    elif roof == 1:
        canvas.polygon([(x, top + 1), (x + wide / 2, top - wide * 0.55), (x + wide, top + 1)], dark)
    elif roof == 2:  # noqa: PLR2004 - the kind of roof
        _water_tank(canvas, x + wide * 0.62, top, wide * 0.2, dark)
    elif roof == 3:  # noqa: PLR2004 - the kind of roof
        canvas.polygon([(x, top + 1), (x, top - wide * 0.4), (x + wide, top + 1)], tone)
    _ = paint


def _water_tank(canvas: Canvas, x: float, top: float, r: float, tone: Rgb) -> None:
    canvas.rectangle(x - r, top - r * 2.2, x + r, top - r * 0.8, tone)
    canvas.polygon(
        [(x - r * 1.1, top - r * 2.2), (x, top - r * 3.0), (x + r * 1.1, top - r * 2.2)], tone
    )
    for way in (-0.8, 0.8):
        canvas.rectangle(x + way * r - r * 0.1, top - r * 0.8, x + way * r + r * 0.1, top, tone)


def _future_tower(
    canvas: Canvas,
    rng: np.random.Generator,
    x: float,
    foot: float,
    wide: float,
    high: float,
    tone: Rgb,
    paint: Paint,
) -> None:
    top = foot - high * 1.15
    waist = wide * rng.uniform(0.1, 0.3)
    canvas.polygon(
        [(x, foot + 4), (x + waist, top), (x + wide - waist, top), (x + wide, foot + 4)], tone
    )
    canvas.polygon(
        [
            (x, foot + 4),
            (x + waist, top),
            (x + waist + wide * 0.12, top),
            (x + wide * 0.15, foot + 4),
        ],
        lighten(tone, 0.12),
    )
    kind = int(rng.integers(3))
    if kind == 0:
        canvas.ellipse(x + wide / 2, top, wide / 2 - waist, (wide / 2 - waist) * 0.8, tone)
    elif kind == 1:
        canvas.ellipse(
            x + wide / 2, top + high * 0.12, wide * 0.75, wide * 0.14, lighten(tone, 0.1)
        )
        canvas.polygon(
            [(x + wide * 0.46, top), (x + wide * 0.5, top - high * 0.25), (x + wide * 0.54, top)],
            tone,
        )
    else:
        canvas.polygon(
            [
                (x + waist, top + 1),
                (x + wide - waist, top - wide * 0.7),
                (x + wide - waist, top + 1),
            ],
            tone,
        )
    canvas.rectangle(x + wide * 0.48, top, x + wide * 0.52, foot, mix(tone, paint.lamp, 0.45))
    canvas.glow(x + wide / 2, top, wide * 0.5, paint.lamp, 0.35)


def _windows(
    canvas: Canvas,
    rng: np.random.Generator,
    x: float,
    y: float,
    wide: float,
    high: float,
    paint: Paint,
    depth: float,
    tone: Rgb,
) -> None:
    """A grid of panes, some lit after dark."""
    pane = max(2.0, wide / 5.2)
    across, down = max(1, int(wide / (pane * 1.35))), max(1, int(high / (pane * 1.9)))
    share = (0.10 + 0.18 * depth) if paint.dark else 0.05
    lit = mix(paint.lamp, paint.haze, (1 - depth) * 0.45)
    for row in range(min(down, 40)):
        floor_lit = rng.random() < 0.12  # noqa: PLR2004 - somebody works late
        for column in range(across):
            on = rng.random() < (0.7 if floor_lit and paint.dark else share)
            glass = lit if on else lighten(tone, -0.13 if paint.dark else 0.16)
            if on:
                glass = lighten(glass, float(rng.uniform(-0.25, 0.1)))
            px, py = x + (column + 0.2) * wide / across, y + (row + 0.3) * high / down
            canvas.rectangle(px, py, px + pane * 0.8, py + pane * 1.05, glass)


def street_lamps(sheet: Sheet, paint: Paint, seed: int, base: float) -> Layer:
    """Lamp posts along a pavement, glowing after dark, over a road that mirrors them."""
    frame = sheet.geometry
    unit = frame.unit
    foot = frame.height * base
    canvas = sheet.canvas(0.86, top=foot - unit * 0.75)
    road = paint.surface("road", 0.9)
    xs = columns(canvas, 40.0)
    canvas.shape(
        profile_points(canvas, np.full_like(xs, foot - unit * 0.06), xs),
        lighten(road, 0.10),
        lighten(road, -0.28),
        foot - unit * 0.06,
        frame.height * 1.0,
    )
    kerb = lighten(road, 0.22)
    canvas.rectangle(canvas.left, foot - unit * 0.068, canvas.right, foot - unit * 0.055, kerb)
    rng = random_of(seed, "lamps")
    iron = lighten(paint.surface("slate", 0.95), -0.62)
    spacing = unit * 0.62
    start = canvas.left + rng.uniform(0.2, 0.9) * spacing
    for x in np.arange(start, canvas.right, spacing):
        top = foot - unit * 0.44
        canvas.rectangle(x - unit * 0.006, top, x + unit * 0.006, foot - unit * 0.05, iron)
        canvas.rectangle(
            x - unit * 0.016, foot - unit * 0.09, x + unit * 0.016, foot - unit * 0.05, iron
        )
        glass = paint.lamp if paint.dark else mix(paint.lamp, kerb, 0.6)
        canvas.polygon(
            [
                (x - unit * 0.014, top),
                (x - unit * 0.024, top - unit * 0.045),
                (x + unit * 0.024, top - unit * 0.045),
                (x + unit * 0.014, top),
            ],
            glass,
        )
        canvas.polygon(
            [
                (x - unit * 0.03, top - unit * 0.045),
                (x, top - unit * 0.07),
                (x + unit * 0.03, top - unit * 0.045),
            ],
            iron,
        )
        if paint.dark:
            canvas.glow(x, top - unit * 0.02, unit * 0.24, paint.lamp, 0.55)
            for row in range(9):
                y = foot + unit * 0.012 + row * unit * 0.021
                canvas.ellipse(
                    x + rng.uniform(-1, 1) * unit * 0.008,
                    y,
                    unit * 0.032 * rng.uniform(0.5, 1.2),
                    unit * 0.0035,
                    mix(road, paint.lamp, 0.42 * (1 - row / 11)),
                )
    return finished(canvas, 0.86, paint.style, seed_of(seed, "lamps"))
