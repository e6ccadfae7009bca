"""A cave: walls of rock one behind the other around a glow."""

from __future__ import annotations

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import lighten, mix
from inference.video.storyboard.layers import Layer, Sheet, finished
from inference.video.storyboard.noise import fractal_line, random_of, seed_of
from inference.video.storyboard.styles import Paint


def cave_layers(sheet: Sheet, paint: Paint, seed: int) -> list[Layer]:
    """Rock walls one behind the other around a glow, with stalactites."""
    frame = sheet.geometry
    unit = frame.unit
    layers = []
    glow_x, glow_y = frame.width * (0.38 + 0.24 * (seed % 2)), frame.height * 0.52
    inner = mix(paint.lamp, (1.0, 0.62, 0.30), 0.4)
    back = sheet.canvas(0.1)
    back.rectangle(
        back.left, back.top, back.right, back.bottom, lighten(paint.surface("cave", 0.8), -0.35)
    )
    back.glow(glow_x, glow_y, unit * 1.15, inner, 0.85)
    back.glow(glow_x, glow_y, unit * 0.40, lighten(inner, 0.3), 0.55)
    layers.append(finished(back, 0.1, paint.style, seed))
    for step, depth in enumerate((0.25, 0.45, 0.68)):
        canvas = sheet.canvas(depth)
        xs = np.arange(canvas.left - 6, canvas.right + 10, 4.0)
        away = (xs - glow_x) / (frame.width * (0.50 + 0.10 * step))
        arch = np.clip(1 - np.abs(away) ** 2.4, 0, None)
        ragged = fractal_line(xs / unit * 3.0, seed + step, 4)
        roof = frame.height * (0.50 - (0.40 + 0.05 * step) * arch + 0.06 * ragged)
        spikes = np.maximum(0, fractal_line(xs / unit * 7.0, seed + 9 + step, 2)) ** 2
        roof += unit * 0.30 * spikes
        ground = frame.height * (
            0.66 + 0.06 * step + 0.30 * (1 - arch) * 0.4 + 0.025 * ragged[::-1]
        )
        tone = mix(
            lighten(paint.surface("cave", 1.0), -0.12 - 0.14 * step), inner, 0.32 - 0.11 * step
        )
        for line, edge in ((roof, canvas.top - 4), (ground, canvas.bottom + 4)):
            outline = np.stack([xs, line], axis=1)
            closed = np.concatenate([outline, [(xs[-1], edge), (xs[0], edge)]])
            span = (
                (frame.height * 0.5, canvas.top) if edge < 0 else (frame.height * 0.6, frame.height)
            )
            canvas.shape(closed, tone, lighten(tone, -0.45), min(span), max(span))
        _crystals(canvas, paint, random_of(seed, "crystal", step), xs, ground, unit, depth)
        layers.append(finished(canvas, depth, paint.style, seed_of(seed, step)))
    return layers


def _crystals(
    canvas: Canvas,
    paint: Paint,
    rng: np.random.Generator,
    xs: np.ndarray,
    ground: np.ndarray,
    unit: float,
    depth: float,
) -> None:
    hues = (mix(paint.lamp, (0.4, 0.9, 1.0), 0.7), mix(paint.lamp, (0.8, 0.5, 1.0), 0.7))
    for _ in range(5):
        at = int(rng.integers(len(xs)))
        x, y = float(xs[at]), float(ground[at])
        hue = hues[int(rng.integers(2))]
        canvas.glow(x, y, unit * 0.12 * (0.5 + depth), hue, 0.35)
        for shard in range(3):
            lean = (shard - 1) * 0.5 + rng.uniform(-0.2, 0.2)
            tall = unit * rng.uniform(0.03, 0.07) * (0.5 + depth)
            half = tall * 0.16
            base = x + (shard - 1) * half * 1.6
            canvas.polygon(
                [(base - half, y + 3), (base + lean * tall * 0.5, y - tall), (base + half, y + 3)],
                lighten(hue, -0.15 + 0.15 * shard),
            )
