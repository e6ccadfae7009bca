"""Land: mountains, hills, meadows, dunes and the grass at the camera's feet."""

from __future__ import annotations

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb, lighten, mix
from inference.video.storyboard.layers import Layer, Motion, Sheet, finished
from inference.video.storyboard.noise import Line, fractal_line, random_of, ridged_line, seed_of
from inference.video.storyboard.styles import Paint


def profile_points(canvas: Canvas, heights: Line, xs: Line) -> np.ndarray:
    """The closed outline of land under a curve (both in frame pixels)."""
    floor = canvas.bottom + 4
    top = np.stack([xs, heights], axis=1)
    return np.concatenate([top, [(xs[-1], floor), (xs[0], floor)]])


def columns(canvas: Canvas, step: float = 3.0) -> Line:
    """Frame x of a curve's points across the whole sheet."""
    return np.arange(canvas.left - 4, canvas.right + 4 + step, step, dtype=np.float64)


def mountains(
    sheet: Sheet, paint: Paint, seed: int, depth: float, base: float, tall: float, surface: str
) -> Layer:
    """A range of peaks with lit faces and, on the high ones, snow.

    base, tall: foot and height of the range in shares of the frame's height and unit.
    """
    frame = sheet.geometry
    unit = frame.unit
    foot = frame.height * base
    canvas = sheet.canvas(depth, top=foot - unit * tall * 1.1, bottom=frame.height * (base + 0.16))
    xs = columns(canvas)
    scale = unit * (0.62 + 0.25 * depth)
    wave = ridged_line(xs / scale + 10, seed, 6)
    slow = 0.75 + 0.35 * fractal_line(xs / (2.2 * unit), seed + 1, 2)
    ys = foot - unit * tall * np.clip(wave**1.6 * slow, 0.02, 1.0)
    colour = paint.surface(surface, depth)
    misty = mix(colour, paint.haze, 0.75)
    canvas.shape(profile_points(canvas, ys, xs), colour, misty, foot - unit * tall, foot)
    _faces(canvas, xs, ys, foot, (colour, misty), unit)
    if surface == "rock" and tall > 0.2:  # noqa: PLR2004 - low ranges carry no snow
        _snow_caps(canvas, xs, ys, foot - unit * tall * 0.52, paint, depth, seed)
    return finished(canvas, depth, paint.style, seed)


def _crests(ys: Line, reach: int) -> list[int]:
    """Indices of the local summits of a curve."""
    return [
        index
        for index in range(reach, len(ys) - reach)
        if ys[index] == ys[index - reach : index + reach + 1].min()
    ]


def _faces(
    canvas: Canvas, xs: Line, ys: Line, foot: float, colours: tuple[Rgb, Rgb], unit: float
) -> None:
    """Shade the side of each summit that looks away from the light; fades into the mist."""
    colour, misty = colours
    reach = max(4, int(unit * 0.04 / 3))
    rng = np.random.default_rng(5)
    cover = np.zeros((canvas.height, canvas.width), np.uint8)
    for index in _crests(ys, reach):
        tall = foot - ys[index]
        if tall < unit * 0.05:
            continue
        right = index
        while right + 1 < len(ys) and ys[right + 1] >= ys[right] - 0.8:
            right += 1
        edge = [(xs[i], ys[i]) for i in range(index, right + 1)]
        steps = 9
        inner = []
        for step in range(1, steps + 1):
            part = step / steps
            swing = (0.10 if step % 2 else -0.02) * tall * (0.4 + part)
            x = min(
                xs[index] + part * 0.14 * tall + swing + rng.uniform(-1, 1) * tall * 0.02, xs[right]
            )
            inner.append((x, ys[index] + tall * part))
        np.maximum(cover, canvas.mask([*edge, (xs[right], foot), *inner[::-1]]), out=cover)
    top = float(ys.min())
    canvas.wash(cover, lighten(colour, -0.17), misty, top, foot)


def _snow_caps(
    canvas: Canvas, xs: Line, ys: Line, line: float, paint: Paint, depth: float, seed: int
) -> None:
    """Snow above a height, with a torn lower edge."""
    high = ys < line
    snow = paint.surface("snow", 0.35 + 0.5 * depth)
    start = None
    for index in range(len(xs) + 1):
        inside = index < len(xs) and bool(high[index])
        if inside and start is None:
            start = index
        elif not inside and start is not None:
            if index - start > 4:  # noqa: PLR2004 - slivers are not snow
                top = [(xs[i], ys[i]) for i in range(start, index)]
                torn = fractal_line(xs[start:index] / 14.0, seed + start, 2)
                rise = line - ys[start:index]
                low = ys[start:index] + rise * (0.62 + 0.38 * torn)
                bottom = [(xs[start + i], low[i]) for i in range(len(low))]
                canvas.polygon(top + bottom[::-1], snow)
            start = None


def hills(
    sheet: Sheet,
    paint: Paint,
    seed: int,
    depth: float,
    base: float,
    tall: float,
    surface: str,
    *,
    tufts: float = 0.0,
) -> tuple[Layer, Line, Line]:
    """A rolling hill to the bottom of the frame; gives also its curve (xs, ys in pixels)."""
    frame = sheet.geometry
    unit = frame.unit
    foot = frame.height * base
    canvas = sheet.canvas(depth, top=foot - unit * (tall + 0.1))
    xs = columns(canvas)
    wave = fractal_line(xs / (unit * (0.9 + 0.7 * depth)) + 3, seed, 3, gain=0.32)
    ys = foot - unit * tall * (0.5 + 0.5 * wave)
    colour = paint.surface(surface, depth)
    light = mix(lighten(colour, 0.10), paint.sun, 0.10)
    dark = lighten(colour, -0.20) if depth > 0.5 else mix(colour, paint.haze, 0.45)  # noqa: PLR2004 - near land darkens
    canvas.shape(
        profile_points(canvas, ys, xs), light, dark, foot - unit * tall, foot + unit * 0.30
    )
    if tufts > 0:
        _tufts(canvas, xs, ys, unit * tufts, light, seed)
    return finished(canvas, depth, paint.style, seed), xs, ys


def _tufts(canvas: Canvas, xs: Line, ys: Line, tall: float, colour: Rgb, seed: int) -> None:
    """Blades of grass along a crest."""
    rng = random_of(seed, "tufts")
    spacing = max(2.0, tall * 0.22)
    for x in np.arange(xs[0], xs[-1], spacing):
        y = float(np.interp(x, xs, ys)) + 2
        lean = rng.uniform(-0.5, 0.5) * tall
        high = tall * rng.uniform(0.35, 1.0)
        half = max(0.8, tall * 0.07)
        canvas.polygon([(x - half, y), (x + lean, y - high), (x + half, y)], colour)


def meadow(
    sheet: Sheet,
    paint: Paint,
    seed: int,
    depth: float,
    base: float,
    *,
    flowers: bool,
    many: bool = False,
) -> Layer:
    """The ground that figures stand on: grass, tufts, flowers."""
    frame = sheet.geometry
    unit = frame.unit
    foot = frame.height * base
    canvas = sheet.canvas(depth, top=foot - unit * 0.14)
    xs = columns(canvas)
    ys = foot - unit * (0.025 + 0.03 * fractal_line(xs / unit * 0.8, seed, 2))
    colour = paint.surface("grass", depth)
    light = mix(lighten(colour, 0.10), paint.sun, 0.12)
    canvas.shape(
        profile_points(canvas, ys, xs), light, lighten(colour, -0.32), foot, foot + unit * 0.26
    )
    _tufts(canvas, xs, ys, unit * 0.022, light, seed)
    rng = random_of(seed, "strokes")
    for _ in range(120):
        part = rng.random()
        x, y = rng.uniform(canvas.left, canvas.right), foot + unit * (0.01 + 0.22 * part)
        tall = unit * (0.008 + 0.02 * part)
        tone = lighten(colour, 0.08 - 0.25 * part + rng.uniform(-0.05, 0.05))
        for lean in (-0.5, 0.0, 0.5):
            canvas.stroke([(x, y), (x + lean * tall, y - tall)], tone, max(1.0, unit / 500))
    if flowers and not paint.wintry:
        count = 110 if many else 36
        field_marks(canvas, paint, seed, foot, foot + unit * 0.2, depth, count)
    return finished(canvas, depth, paint.style, seed_of(seed, depth))


def field_marks(
    canvas: Canvas, paint: Paint, seed: int, y0: float, y1: float, depth: float, count: int
) -> None:
    """Flowers and light strokes over near ground, smaller with distance."""
    rng = random_of(seed, "flowers")
    hues = ("#f6d55c", "#f28ea0", "#ffffff", "#b48be0", "#ef6f5e")
    for _ in range(count):
        part = rng.random() ** 0.7
        y = y0 + (y1 - y0) * part
        x = rng.uniform(canvas.left, canvas.right)
        size = (y1 - y0) * 0.026 * (0.4 + part)
        plain = hues[int(rng.integers(len(hues)))]
        colour = paint.graded(
            (int(plain[1:3], 16) / 255, int(plain[3:5], 16) / 255, int(plain[5:7], 16) / 255)
        )
        canvas.ellipse(x, y, size, size * 0.75, mix(colour, paint.haze, (1 - depth) * 0.6))


def foreground_grass(sheet: Sheet, paint: Paint, seed: int, surface: str = "grass") -> Layer:
    """Dark blades right at the lens, swaying."""
    frame = sheet.geometry
    unit = frame.unit
    canvas = sheet.canvas(1.25, top=frame.height - unit * 0.26)
    rng = random_of(seed, "blades")
    colour = lighten(paint.surface(surface, 1.0), -0.52)
    xs = columns(canvas)
    ys = frame.height - unit * (0.03 + 0.03 * fractal_line(xs / unit * 2, seed, 3))
    canvas.shape(profile_points(canvas, ys, xs), colour, colour, 0, 1)
    width = canvas.right - canvas.left
    for _ in range(int(110 * width / unit / 2)):
        x = rng.uniform(canvas.left, canvas.right)
        edge = abs((x - frame.width / 2) / (frame.width / 2))
        tall = unit * rng.uniform(0.03, 0.09) * (0.55 + 1.1 * min(1.2, edge) ** 2)
        lean = rng.uniform(-0.7, 0.7) * tall
        half = unit * 0.0045
        foot = frame.height - unit * 0.02
        canvas.polygon(
            [
                (x - half, foot),
                (x + lean * 0.35 - half * 0.5, foot - tall * 0.6),
                (x + lean, foot - tall),
                (x + lean * 0.35 + half, foot - tall * 0.55),
                (x + half, foot),
            ],
            lighten(colour, rng.uniform(-0.15, 0.08)),
        )
    motion = Motion(sway=unit * 0.012, rate=0.22, phase=float(rng.uniform(0, 6)))
    return finished(canvas, 1.25, paint.style, seed_of(seed, "lens"), motion=motion)


def mist(sheet: Sheet, paint: Paint, base: float) -> Layer:
    """A veil of far air before the figures, which parts them from what lies behind."""
    frame = sheet.geometry
    top, bottom = frame.height * (base - 0.36), frame.height * (base + 0.04)
    canvas = sheet.canvas(0.7, top=top, bottom=bottom)
    rows = np.linspace(0, 1, canvas.height, dtype=np.float32)
    share = 0.46 if paint.dark else 0.30
    cover = (np.clip(rows / 0.75, 0, 1) ** 1.4 * np.clip((1 - rows) / 0.25, 0, 1) * share)[:, None]
    colour = np.array(lighten(mix(paint.haze, paint.sky[2], 0.35), 0.04), np.float32)
    canvas.image[..., :3] = (cover[..., None] * colour * 255).astype(np.uint8)
    canvas.image[..., 3] = (cover * 255).astype(np.uint8)
    return Layer(canvas.image, canvas.left, canvas.top, 0.7)
