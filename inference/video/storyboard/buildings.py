"""Buildings: cottages and castles, with lit windows after dark."""

from __future__ import annotations

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb, lighten, mix
from inference.video.storyboard.layers import Layer, Sheet, finished
from inference.video.storyboard.noise import random_of, seed_of
from inference.video.storyboard.styles import Paint
from inference.video.storyboard.terrain import columns, profile_points


def cottage(
    canvas: Canvas,
    rng: np.random.Generator,
    x: float,
    foot: float,
    size: float,
    depth: float,
    paint: Paint,
) -> tuple[float, float]:
    """One house with gable and chimney; gives the chimney's mouth."""
    wall = lighten(paint.surface("wall", depth), float(rng.uniform(-0.16, 0.04)))
    roof = paint.surface(("roof", "slate", "bark")[int(rng.integers(3))], depth)
    w, h, peak = size * rng.uniform(0.75, 1.05), size * 0.5, size * rng.uniform(0.45, 0.6)
    chimney = (x + w * 0.26, foot - h - peak * 0.95)
    canvas.rectangle(
        x + w * 0.20, chimney[1], x + w * 0.32, foot - h - peak * 0.2, lighten(roof, -0.25)
    )
    canvas.rectangle(x - w / 2, foot - h, x + w / 2, foot, wall)
    canvas.rectangle(x + w * 0.28, foot - h, x + w / 2, foot, lighten(wall, -0.12))
    canvas.polygon(
        [
            (x - w * 0.62, foot - h + size * 0.03),
            (x - w * 0.30, foot - h - peak),
            (x + w * 0.36, foot - h - peak),
            (x + w * 0.62, foot - h + size * 0.03),
        ],
        roof,
    )
    canvas.polygon(
        [
            (x - w * 0.62, foot - h + size * 0.03),
            (x + w * 0.62, foot - h + size * 0.03),
            (x + w * 0.60, foot - h - size * 0.02),
            (x - w * 0.60, foot - h - size * 0.02),
        ],
        lighten(roof, -0.22),
    )
    timber = lighten(paint.surface("bark", depth), 0.05)
    door = x - w * 0.06
    canvas.rectangle(door - size * 0.075, foot - size * 0.27, door + size * 0.075, foot, timber)
    lit = paint.dark or rng.random() < 0.2  # noqa: PLR2004 - some lamps burn by day
    pane = paint.lamp if lit else mix(paint.sky[1], wall, 0.35)
    for way in (-0.32, 0.27):
        px, py = x + way * w, foot - size * 0.30
        canvas.rectangle(
            px - size * 0.075, py - size * 0.085, px + size * 0.075, py + size * 0.085, timber
        )
        canvas.rectangle(
            px - size * 0.058, py - size * 0.068, px + size * 0.058, py + size * 0.068, pane
        )
        canvas.rectangle(
            px - size * 0.006, py - size * 0.068, px + size * 0.006, py + size * 0.068, timber
        )
        canvas.rectangle(
            px - size * 0.058, py - size * 0.006, px + size * 0.058, py + size * 0.006, timber
        )
        if lit and paint.dark:
            canvas.glow(px, py, size * 0.45, paint.lamp, 0.40)
    return chimney


def village(
    sheet: Sheet,
    paint: Paint,
    seed: int,
    depth: float,
    base: float,
    size: float,
    *,
    packed: bool = False,
) -> Layer:
    """Cottages on a gentle rise; packed: wall to wall, as in a town."""
    frame = sheet.geometry
    unit = frame.unit
    foot = frame.height * base
    canvas = sheet.canvas(depth, top=foot - unit * size * 1.8)
    rng = random_of(seed, "village", depth)
    grass = paint.surface("grass", depth)
    xs = columns(canvas, 8.0)
    ys = foot + unit * 0.03 * np.sin(xs / unit * 2.1 + seed % 7)
    smoke = mix(paint.sky[2], (0.9, 0.9, 0.9), 0.4)
    houses = []
    x = canvas.left + unit * size * rng.uniform(0, 0.6)
    while x < canvas.right:
        houses.append(x)
        x += unit * size * (rng.uniform(0.62, 0.85) if packed else rng.uniform(1.0, 1.9))
    for x in houses:
        own = unit * size * rng.uniform(0.8, 1.1)
        mouth = cottage(
            canvas, rng, x, float(np.interp(x, xs, ys)) + unit * 0.014, own, depth, paint
        )
        for puff in range(5):
            canvas.glow(
                mouth[0] + own * 0.05 * puff * puff * 0.5,
                mouth[1] - own * 0.13 * (puff + 0.5),
                own * (0.06 + 0.035 * puff),
                smoke,
                0.30 - 0.04 * puff,
            )
    canvas.shape(
        profile_points(canvas, ys, xs),
        lighten(grass, 0.06),
        lighten(grass, -0.2),
        foot,
        foot + unit * 0.25,
    )
    return finished(canvas, depth, paint.style, seed_of(seed, depth))


def castle(
    sheet: Sheet, paint: Paint, seed: int, depth: float, base: float, size: float, x_share: float
) -> Layer:
    """A castle of many towers upon its hill; size: of the unit."""
    frame = sheet.geometry
    s = frame.unit * size
    x, foot = frame.width * x_share, frame.height * base
    canvas = sheet.canvas(depth, top=foot - s * 1.25, bottom=foot + s * 0.5)
    rng = random_of(seed, "castle")
    stone, roof = (
        paint.surface("stone", depth),
        paint.surface("slate" if seed % 2 else "roof", depth),
    )
    hill = paint.surface("leaf", depth * 0.9)
    spots = (
        (-0.34, 0.46, 0.085),
        (0.36, 0.52, 0.085),
        (-0.16, 0.66, 0.075),
        (0.20, 0.74, 0.07),
        (0.02, 0.98, 0.095),
        (-0.44, 0.34, 0.07),
        (0.47, 0.36, 0.065),
    )
    ground = foot - s * 0.10
    for px, tall, half in sorted(spots, key=lambda spot: -spot[1]):
        tone = lighten(stone, float(rng.uniform(-0.10, 0.06)))
        _keep(canvas, x + px * s, ground, tall * s * 0.9, half * s, tone, roof, paint)
    canvas.rectangle(
        x - 0.42 * s, ground - 0.26 * s, x + 0.44 * s, ground + 0.1 * s, lighten(stone, -0.05)
    )
    for at in range(19):
        bx = x - 0.42 * s + at * 0.0465 * s
        canvas.rectangle(
            bx, ground - 0.30 * s, bx + 0.026 * s, ground - 0.255 * s, lighten(stone, -0.05)
        )
    gate = lighten(stone, -0.55)
    canvas.rectangle(x - 0.055 * s, ground - 0.10 * s, x + 0.055 * s, ground + 0.1 * s, gate)
    canvas.ellipse(x, ground - 0.10 * s, 0.055 * s, 0.06 * s, gate)
    for way in (-0.28, -0.16, 0.16, 0.28):
        _slit(canvas, x + way * s, ground - 0.14 * s, s * 0.014, paint, stone)
    around = np.linspace(-1, 1, 41)
    rise = (
        foot
        + s * 0.32
        - s * 0.40 * np.exp(-((around * 1.9) ** 2))
        + s * 0.012 * np.sin(around * 23)
    )
    edge = [(x + a * s * 1.9, r) for a, r in zip(around, rise, strict=True)]
    canvas.polygon(
        [*edge, (x + s * 1.9, canvas.bottom + 2), (x - s * 1.9, canvas.bottom + 2)], hill
    )
    return finished(canvas, depth, paint.style, seed_of(seed, "castle"))


def _keep(
    canvas: Canvas,
    x: float,
    foot: float,
    tall: float,
    half: float,
    stone: Rgb,
    roof: Rgb,
    paint: Paint,
) -> None:
    """A round tower with a pointed roof and a flag."""
    top = foot - tall
    canvas.rectangle(x - half, top, x + half, foot + half, stone)
    canvas.rectangle(x - half, top, x - half * 0.45, foot + half, lighten(stone, 0.10))
    canvas.rectangle(x + half * 0.4, top, x + half, foot + half, lighten(stone, -0.14))
    canvas.rectangle(
        x - half * 1.18, top - half * 0.2, x + half * 1.18, top + half * 0.25, lighten(stone, -0.08)
    )
    peak = top - half * 3.4
    canvas.polygon(
        [(x - half * 1.35, top - half * 0.15), (x, peak), (x + half * 1.35, top - half * 0.15)],
        roof,
    )
    canvas.polygon(
        [(x + half * 0.3, top - half * 0.15), (x, peak), (x + half * 1.35, top - half * 0.15)],
        lighten(roof, -0.18),
    )
    canvas.stroke([(x, peak), (x, peak - half * 0.9)], lighten(stone, -0.5), max(1.0, half * 0.08))
    canvas.polygon(
        [(x, peak - half * 0.9), (x + half * 0.95, peak - half * 0.62), (x, peak - half * 0.4)],
        paint.graded((0.82, 0.26, 0.24)),
    )
    for level in (0.16, 0.42, 0.66):
        if level * tall > half * 1.2:
            _slit(
                canvas,
                x - half * 0.05,
                top + level * tall * 0.8 + half * 0.4,
                half * 0.20,
                paint,
                stone,
            )


def _slit(canvas: Canvas, x: float, y: float, half: float, paint: Paint, stone: Rgb) -> None:
    pane = paint.lamp if paint.dark else lighten(stone, -0.5)
    canvas.rectangle(x - half, y - half, x + half, y + half * 2, pane)
    canvas.ellipse(x, y - half, half, half, pane)
    if paint.dark:
        canvas.glow(x, y, half * 6, paint.lamp, 0.35)
