"""Water: sea and lake with light on it, ships, lighthouses, the shore."""

from __future__ import annotations

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import lighten, mix
from inference.video.storyboard.layers import Layer, Motion, Sheet, finished
from inference.video.storyboard.noise import fractal_line, random_of, seed_of
from inference.video.storyboard.styles import Paint
from inference.video.storyboard.terrain import columns, profile_points


def water_surface(
    sheet: Sheet, paint: Paint, seed: int, base: float, *, calm: bool, light_x: float
) -> list[Layer]:
    """The water from its horizon to the bottom, and two sheets of glitter that slide on it.

    base: horizon, of the frame's height. light_x: where sun or moon stands (of the width).
    """
    frame = sheet.geometry
    unit = frame.unit
    horizon = frame.height * base
    canvas = sheet.canvas(0.3, top=horizon)
    far = mix(paint.sky[2], paint.surface("water", 0.5), 0.45)
    near = mix(paint.surface("deep", 0.9), paint.sky[0], 0.25)
    xs = columns(canvas, 40.0)
    canvas.shape(
        profile_points(canvas, np.full_like(xs, horizon), xs),
        far,
        near,
        horizon,
        frame.height * 1.0,
    )
    rng = random_of(seed, "water")
    for _ in range(150 if calm else 240):
        part = rng.random() ** 1.6
        y = horizon + (frame.height - horizon) * part
        long = unit * (0.02 + 0.22 * part) * rng.uniform(0.5, 1.3)
        x = rng.uniform(canvas.left, canvas.right)
        thick = unit * (0.0012 + 0.006 * part)
        tone = mix(far, near, part)
        tone = lighten(tone, 0.10 if rng.random() < 0.55 else -0.09)  # noqa: PLR2004 - a coin
        canvas.ellipse(x, y, long / 2, thick, tone)
    layers = [finished(canvas, 0.3, paint.style, seed_of(seed, "water"))]
    layers += [_glitter(sheet, paint, seed, base, light_x, way) for way in (-1, 1)]
    return layers


def _glitter(sheet: Sheet, paint: Paint, seed: int, base: float, light_x: float, way: int) -> Layer:
    """The path of light under sun or moon."""
    frame = sheet.geometry
    unit = frame.unit
    horizon = frame.height * base
    canvas = sheet.canvas(0.3, top=horizon)
    rng = random_of(seed, "glitter", way)
    colour = mix(paint.sun, (1.0, 1.0, 1.0), 0.2)
    dim = 0.75 if paint.dark else 0.5
    for _ in range(70):
        part = rng.random() ** 1.3
        y = horizon + (frame.height - horizon) * part * 0.9 + 2
        spread = unit * (0.05 + 0.16 * part)
        x = frame.width * light_x + rng.normal(0, 0.5) * spread
        glow = dim * rng.uniform(0.25, 1.0) * (1 - 0.75 * part)
        tone = (colour[0] * glow, colour[1] * glow, colour[2] * glow)
        canvas.ellipse(
            x,
            y,
            unit * (0.012 + 0.05 * part) * rng.uniform(0.5, 1.4),
            unit * (0.0014 + 0.004 * part),
            tone,
        )
    canvas.image[..., 3] = 0
    motion = Motion(
        sway=0.0, drift=0.0, breath=0.02, rate=0.35, phase=way * 1.57, slide=unit * 0.014 * way
    )
    return Layer(canvas.image, canvas.left, canvas.top, 0.3, motion=motion, blend="add")


def swell(
    sheet: Sheet, paint: Paint, seed: int, depth: float, base: float, *, high: float
) -> Layer:
    """A nearer row of waves with light crests, rocking."""
    frame = sheet.geometry
    unit = frame.unit
    foot = frame.height * base
    canvas = sheet.canvas(depth, top=foot - unit * (high + 0.05))
    canvas = Canvas(
        canvas.left - round(unit * 0.1), canvas.top, canvas.right + round(unit * 0.1), canvas.bottom
    )
    xs = columns(canvas)
    period = unit * (0.10 + 0.22 * depth)
    saw = np.abs(np.sin(np.pi * xs / period + 0.7 * fractal_line(xs / unit, seed, 2)))
    ys = foot - unit * high * (0.35 + 0.65 * (1 - saw)) * (
        0.8 + 0.3 * fractal_line(xs / unit, seed + 1, 2)
    )
    deep = mix(paint.surface("deep", depth), paint.sky[0], 0.12)
    crest = mix(lighten(paint.surface("water", depth), 0.12), paint.sky[2], 0.2)
    canvas.shape(
        profile_points(canvas, ys, xs), crest, deep, foot - unit * high, foot + unit * 0.16
    )
    foam = mix(paint.surface("snow", depth), paint.sky[2], 0.25)
    canvas.stroke(np.stack([xs, ys], axis=1), mix(foam, crest, 0.35), unit * 0.0022)
    motion = Motion(
        slide=unit * (0.02 + 0.035 * depth) * (1 if seed % 2 else -1),
        rate=0.16 + 0.05 * depth,
        phase=float(seed % 628) / 100,
        heave=unit * 0.008 * (0.5 + depth),
    )
    return finished(canvas, depth, paint.style, seed_of(seed, depth), motion=motion)


def pool(sheet: Sheet, paint: Paint, seed: int, base: float) -> Layer:
    """A still pool that mirrors the sky."""
    frame = sheet.geometry
    unit = frame.unit
    x, y = frame.width * (0.36 if seed % 2 else 0.64), frame.height * base
    canvas = Canvas(
        round(x - unit * 0.5), round(y - unit * 0.08), round(x + unit * 0.5), round(y + unit * 0.08)
    )
    water = mix(paint.surface("water", 0.7), paint.sky[1], 0.45)
    canvas.ellipse(x, y, unit * 0.46, unit * 0.062, lighten(paint.surface("sand", 0.8), -0.22))
    canvas.ellipse(x, y + unit * 0.004, unit * 0.44, unit * 0.054, water)
    for part, tone in ((-0.4, 0.25), (0.15, 0.35), (0.5, 0.2)):
        canvas.ellipse(x + unit * 0.4 * part, y, unit * 0.10, unit * 0.004, lighten(water, tone))
    return finished(canvas, 0.64, paint.style, seed_of(seed, "pool"))


def ship(sheet: Sheet, paint: Paint, seed: int, base: float, size: float, x_share: float) -> Layer:
    """A sailing ship that rocks; base: water line, of the height; size: of the unit."""
    frame = sheet.geometry
    s = frame.unit * size
    x, y = frame.width * x_share, frame.height * base
    canvas = Canvas(
        round(x - s * 0.8), round(y - s * 1.15), round(x + s * 0.8), round(y + s * 0.16)
    )
    dark = paint.surface("bark", 0.8)
    sail = mix(paint.surface("paper", 0.8), paint.sun, 0.25)
    for px, tall in ((-0.22, 0.82), (0.10, 1.0), (0.36, 0.72)):
        canvas.stroke([(x + px * s, y), (x + px * s, y - tall * s)], dark, max(1.0, s * 0.018))
        for level in range(3):
            top = y - s * tall * (0.94 - 0.28 * level)
            half = s * (0.068 + 0.024 * level)
            belly = s * 0.03
            tone = lighten(sail, -0.06 * level)
            canvas.polygon(
                [
                    (x + px * s - half, top),
                    (x + px * s + half, top),
                    (x + px * s + half * 1.2 + belly, top + s * 0.13),
                    (x + px * s + half * 1.12, top + s * 0.23),
                    (x + px * s - half * 1.12, top + s * 0.23),
                    (x + px * s - half * 0.9 + belly, top + s * 0.13),
                ],
                tone,
            )
        canvas.polygon(
            [
                (x + px * s, y - tall * s),
                (x + px * s - s * 0.10, y - (tall - 0.025) * s),
                (x + px * s, y - (tall - 0.05) * s),
            ],
            paint.graded((0.8, 0.25, 0.2)),
        )
    _hull(canvas, paint, x, y, s)
    motion = Motion(sway=s * 0.05, rate=0.17, phase=seed % 6, heave=s * 0.012)
    return finished(canvas, 0.5, paint.style, seed_of(seed, "ship"), motion=motion)


def _hull(canvas: Canvas, paint: Paint, x: float, y: float, s: float) -> None:
    """The ship's body, bowsprit and lamps; s: its size in pixels."""
    hull, dark = paint.surface("wood", 0.72), paint.surface("bark", 0.8)
    canvas.polygon(
        [
            (x - 0.52 * s, y - 0.18 * s),
            (x - 0.44 * s, y + 0.09 * s),
            (x + 0.42 * s, y + 0.09 * s),
            (x + 0.62 * s, y - 0.16 * s),
            (x + 0.40 * s, y - 0.10 * s),
            (x - 0.30 * s, y - 0.09 * s),
            (x - 0.34 * s, y - 0.19 * s),
        ],
        hull,
    )
    canvas.polygon(
        [
            (x - 0.46 * s, y + 0.03 * s),
            (x - 0.44 * s, y + 0.09 * s),
            (x + 0.42 * s, y + 0.09 * s),
            (x + 0.50 * s, y + 0.01 * s),
        ],
        lighten(hull, -0.3),
    )
    canvas.stroke(
        [(x + 0.60 * s, y - 0.15 * s), (x + 0.80 * s, y - 0.30 * s)], dark, max(1.0, s * 0.015)
    )
    if paint.dark:
        for px in (-0.40, -0.15, 0.1, 0.32):
            canvas.glow(x + px * s, y - 0.03 * s, s * 0.07, paint.lamp, 0.9)


def lighthouse(
    sheet: Sheet,
    paint: Paint,
    seed: int,
    base: float,
    x_share: float,
    *,
    lit: bool = True,
    size: float = 1.0,
) -> list[Layer]:
    """A striped tower on a rock, with its beam at night if it is lit; size: 1 is near."""
    frame = sheet.geometry
    unit = frame.unit * size
    x, y = frame.width * x_share, frame.height * base
    canvas = Canvas(
        round(x - unit * 0.42),
        round(y - unit * 0.62),
        round(x + unit * 0.42),
        round(y + unit * 0.14),
    )
    rock = paint.surface("cliff", 0.6)
    rng = random_of(seed, "rock")
    outline = [
        (
            x + unit * 0.38 * px,
            y + unit * (0.08 - 0.16 * (1 - px * px)) + rng.uniform(-1, 1) * unit * 0.012,
        )
        for px in np.linspace(-1, 1, 13)
    ]
    canvas.polygon(
        [*outline, (x + unit * 0.40, y + unit * 0.13), (x - unit * 0.40, y + unit * 0.13)], rock
    )
    top = y - unit * 0.46
    _light_tower(canvas, paint, x, y - unit * 0.05, top, unit, lit=lit)
    layers = [finished(canvas, 0.45, paint.style, seed_of(seed, "lighthouse"))]
    if paint.dark and lit:
        layers.append(_beam(sheet, paint, x, top - unit * 0.03))
    return layers


def _light_tower(
    canvas: Canvas, paint: Paint, x: float, foot: float, top: float, unit: float, *, lit: bool
) -> None:
    """Stripes, gallery, lantern and roof."""
    white, red = paint.surface("snow", 0.75), paint.graded((0.78, 0.24, 0.2))
    for band in range(5):
        p0, p1 = band / 5, (band + 1) / 5
        w0, w1 = unit * (0.052 - 0.018 * p0), unit * (0.052 - 0.018 * p1)
        canvas.polygon(
            [
                (x - w0, foot + (top - foot) * p0),
                (x + w0, foot + (top - foot) * p0),
                (x + w1, foot + (top - foot) * p1),
                (x - w1, foot + (top - foot) * p1),
            ],
            red if band % 2 else white,
        )
    canvas.rectangle(
        x - unit * 0.045,
        top - unit * 0.008,
        x + unit * 0.045,
        top,
        lighten(paint.surface("cliff", 0.6), -0.4),
    )
    canvas.rectangle(
        x - unit * 0.024,
        top - unit * 0.055,
        x + unit * 0.024,
        top - unit * 0.008,
        paint.lamp if lit else lighten(paint.surface("slate", 0.75), -0.45),
    )
    canvas.polygon(
        [
            (x - unit * 0.035, top - unit * 0.055),
            (x, top - unit * 0.10),
            (x + unit * 0.035, top - unit * 0.055),
        ],
        red,
    )


def _beam(sheet: Sheet, paint: Paint, x: float, ly: float) -> Layer:
    """The light to both sides."""
    frame = sheet.geometry
    unit = frame.unit
    beam = sheet.canvas(0.45, top=0, bottom=frame.height * 0.7)
    tone = (paint.lamp[0] * 0.22, paint.lamp[1] * 0.22, paint.lamp[2] * 0.22)
    for way in (-1, 1):
        beam.polygon(
            [
                (x, ly),
                (x + way * frame.width, ly - unit * 0.16),
                (x + way * frame.width, ly + unit * 0.05),
            ],
            tone,
        )
    beam.image[..., 3] = 0
    return Layer(beam.image, beam.left, beam.top, 0.45, blend="add")
