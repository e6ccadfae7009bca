"""The sky: gradient, sun or moon, stars and clouds."""

from __future__ import annotations

import cv2
import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb, lighten, luma, mix
from inference.video.storyboard.layers import Layer, Motion, Sheet, finished
from inference.video.storyboard.noise import cloud_texture, random_of, seed_of
from inference.video.storyboard.styles import Paint
from storyforge.domain.script import Light

_TOLD_MOON = 1.7  # times its usual size
_CLEAR = 0.55  # of the unit: how far clouds keep from a moon that is told of
HORIZON = 0.62  # of the frame's height


def sky_layers(
    sheet: Sheet, paint: Paint, seed: int, *, overcast: bool, moon: bool = False
) -> list[Layer]:
    """Gradient with the sun or moon in it, then clouds that drift.

    moon: the words tell of the moon, so that at night it is large and no cloud hides it.
    """
    moon = moon and paint.light is Light.NIGHT
    canvas = sheet.canvas(0.0)
    gradient(canvas, paint.sky, sheet.geometry.height, overcast=overcast)
    frame = sheet.geometry
    if paint.light in {Light.NIGHT, Light.DUSK} and not overcast:
        stars(canvas, seed, 170 if paint.light is Light.NIGHT else 40, paint.sun, HORIZON)
    if not overcast or paint.light is Light.NIGHT:
        grow = _TOLD_MOON if moon else 1.0
        _luminary(canvas, paint, seed, frame.width, frame.height, frame.unit * grow)
    background = finished(canvas, 0.0, paint.style, seed)
    clear_x = frame.width * luminary_x(seed) if moon else None
    return [background, *_clouds(sheet, paint, seed, overcast=overcast, clear_x=clear_x)]


def gradient(
    canvas: Canvas, colours: tuple[Rgb, Rgb, Rgb], height: int, *, overcast: bool = False
) -> None:
    """Fill the whole sheet with the three colours of a sky."""
    top, middle, low = colours
    if overcast:
        grey = mix(middle, (0.5, 0.52, 0.56), 0.45)
        top, middle, low = mix(top, grey, 0.7), mix(middle, grey, 0.6), mix(low, grey, 0.45)
    rows = (np.arange(canvas.height, dtype=np.float32) + canvas.top) / (height * HORIZON)
    stops = np.array([-0.2, 0.45, 1.0])
    line = np.stack([np.interp(rows, stops, [top[i], middle[i], low[i]]) for i in range(3)], axis=1)
    # A little dither, so that slow gradients do not band in eight bits.
    noise = np.random.default_rng(7).random((canvas.height, 64, 1), dtype=np.float32)
    block = np.clip(line[:, None, :] * 255 + noise, 0, 255).astype(np.uint8)
    wide = np.tile(block, (1, canvas.width // 64 + 1, 1))[:, : canvas.width]
    canvas.image[..., :3] = wide
    canvas.image[..., 3] = 255


def stars(canvas: Canvas, seed: int, count: int, colour: Rgb, horizon: float) -> None:
    """Scatter stars of several sizes over the upper sheet."""
    rng = random_of(seed, "stars")
    reach = max(1.0, (canvas.height * horizon))
    size = max(0.5, canvas.height / 900)
    for _ in range(count):
        x = rng.uniform(0, canvas.width) + canvas.left
        y = rng.uniform(0, reach) ** 1.0 + canvas.top
        bright = rng.uniform(0.15, 1.0) ** 2
        fade = 1.0 - 0.8 * (y - canvas.top) / reach
        canvas.glow(x, y, size * (1.6 + 2.6 * bright), colour, min(1.0, 0.35 + bright) * fade)
        if bright > 0.8:  # noqa: PLR2004 - the brightest few get a halo
            canvas.glow(x, y, size * 11, colour, 0.22 * fade)


def luminary_x(seed: int) -> float:
    """Where the sun or moon of a shot stands, of the frame's width."""
    rng = random_of(seed, "luminary")
    left = bool(rng.integers(2))
    return float(rng.uniform(0.2, 0.36) if left else rng.uniform(0.64, 0.8))


def _luminary(
    canvas: Canvas, paint: Paint, seed: int, width: int, height: int, unit: float
) -> None:
    """The sun or moon at the height that the time of day asks for, with its glow."""
    x = width * luminary_x(seed)
    heights = {Light.DAWN: 0.50, Light.DAY: 0.20, Light.DUSK: 0.47, Light.NIGHT: 0.22}
    y = height * heights[paint.light]
    night = paint.light is Light.NIGHT
    radius = unit * {Light.DAY: 0.055, Light.NIGHT: 0.062}.get(paint.light, 0.085)
    canvas.glow(x, y, radius * 9, paint.sun, 0.30 if night else 0.42)
    canvas.glow(x, y, radius * 3.2, paint.sun, 0.38)
    pale = paint.light is Light.DAY and luma(paint.sun) > 0.5  # noqa: PLR2004 - a red sun stays red
    disc = lighten(paint.sun, 0.4) if pale else paint.sun
    canvas.ellipse(x, y, radius, radius, disc)
    if night:
        spot = mix(paint.sun, paint.sky[0], 0.16)
        for away_x, away_y, share in ((-0.3, -0.2, 0.22), (0.25, 0.3, 0.3), (0.3, -0.35, 0.14)):
            canvas.ellipse(
                x + away_x * radius, y + away_y * radius, share * radius, share * radius * 0.9, spot
            )


def _clouds(
    sheet: Sheet, paint: Paint, seed: int, *, overcast: bool, clear_x: float | None
) -> list[Layer]:
    """One or two drifting banks of clouds, lit from below at dawn and dusk; none over clear_x."""
    if paint.style.edge == "wash":
        return [_soft_clouds(sheet, paint, seed)]
    layers = []
    unit = sheet.geometry.unit
    for bank, depth in enumerate((0.05, 0.16)):
        rng = random_of(seed, "clouds", bank)
        canvas = sheet.canvas(depth, bottom=sheet.geometry.height * HORIZON)
        base = mix(paint.sky[1], paint.sky[2], 0.5)
        bright = {Light.DAY: 0.95, Light.NIGHT: 0.07}.get(paint.light, 0.26)
        colour = lighten(mix(base, paint.sun, 0.35 if not overcast else 0.1), bright * 0.8)
        if overcast:
            colour = mix(colour, (0.42, 0.44, 0.5), 0.45)
        for _ in range(7 if overcast else int(rng.integers(2, 5))):
            x = rng.uniform(canvas.left, canvas.right)
            y = sheet.geometry.height * rng.uniform(0.05, 0.40)
            if clear_x is not None and abs(x - clear_x) < unit * _CLEAR:
                continue
            _puff(canvas, rng, x, y, unit * rng.uniform(0.12, 0.26) * (1 + bank * 0.5), colour)
        faint = 0.62 + 0.2 * bank
        canvas.image[:] = cv2.convertScaleAbs(canvas.image, alpha=faint)
        drift = unit * (0.006 + 0.008 * bank) * (1 if seed % 2 else -1)
        layers.append(
            finished(canvas, depth, paint.style, seed_of(seed, bank), motion=Motion(drift=drift))
        )
    return layers


def _puff(
    canvas: Canvas, rng: np.random.Generator, x: float, y: float, wide: float, colour: Rgb
) -> None:
    """One flat-bottomed cloud of round heads."""
    heads = int(rng.integers(5, 9))
    points = []
    for index in range(heads):
        part = (index + 0.5) / heads
        rise = np.sin(np.pi * part) ** 0.8
        radius = wide * (0.12 + 0.16 * rise * rng.uniform(0.7, 1.2))
        points.append((x + (part - 0.5) * 1.7 * wide, y - radius * 0.55, radius))
    for px, py, radius in points:
        canvas.ellipse(px, py, radius * 1.25, radius * 0.82, colour)
    canvas.ellipse(x, y - wide * 0.02, wide * 0.98, wide * 0.10, colour)


def flock(sheet: Sheet, paint: Paint, seed: int) -> Layer:
    """Birds far up, wheeling slowly across."""
    frame = sheet.geometry
    unit = frame.unit
    canvas = sheet.canvas(0.2, bottom=frame.height * 0.5)
    rng = random_of(seed, "flock")
    dark = mix(lighten(paint.sky[0], -0.6), (0.1, 0.1, 0.12), 0.5)
    tone = paint.sun if luma(paint.sky[1]) < 0.25 else dark  # noqa: PLR2004 - a dark sky
    middle = frame.width * rng.uniform(0.3, 0.7)
    for _ in range(11):
        x = middle + rng.normal(0, 0.22) * unit
        y = frame.height * rng.uniform(0.12, 0.34)
        wing, lift = unit * rng.uniform(0.016, 0.030), rng.uniform(0.3, 0.8)
        canvas.stroke(
            [
                (x - wing, y - wing * lift),
                (x - wing * 0.45, y - wing * lift * 0.9),
                (x, y),
                (x + wing * 0.45, y - wing * lift * 0.9),
                (x + wing, y - wing * lift),
            ],
            tone,
            max(1.0, unit * 0.0035),
        )
    motion = Motion(
        drift=unit * 0.02 * (1 if seed % 2 else -1),
        heave=unit * 0.008,
        slide=unit * 0.01,
        rate=0.25,
    )
    return Layer(canvas.image, canvas.left, canvas.top, 0.2, motion=motion)


def _soft_clouds(sheet: Sheet, paint: Paint, seed: int) -> Layer:
    """Clouds as blooms of wet paper."""
    canvas = sheet.canvas(0.08, bottom=sheet.geometry.height * HORIZON)
    small_h, small_w = max(8, canvas.height // 3), max(8, canvas.width // 3)
    noise = cloud_texture(small_h, small_w, 5, seed_of(seed, "soft") % 65521)
    fade = np.linspace(1, 0, small_h, dtype=np.float32)[:, None] ** 0.7
    cover = np.clip((noise - 0.52) * 3.4, 0, 1) * fade * 0.75
    cover = cv2.resize(cover, (canvas.width, canvas.height), interpolation=cv2.INTER_LINEAR)
    colour = lighten(paint.sky[2], 0.15 if paint.dark else 0.6)
    canvas.image[..., :3] = (cover[..., None] * np.array(colour) * 255).astype(np.uint8)
    canvas.image[..., 3] = (cover * 255).astype(np.uint8)
    return Layer(
        canvas.image,
        canvas.left,
        canvas.top,
        0.08,
        motion=Motion(drift=sheet.geometry.unit * 0.008),
    )
