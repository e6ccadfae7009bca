"""Space: stars, nebulae, planets, a station in orbit, the ground of other worlds."""

from __future__ import annotations

import cv2
import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb, lighten, mix, rgb, turn_hue
from inference.video.storyboard.layers import Layer, Motion, Sheet, finished
from inference.video.storyboard.noise import cloud_texture, random_of, seed_of
from inference.video.storyboard.sky import stars
from inference.video.storyboard.styles import Paint


def space_layers(sheet: Sheet, paint: Paint, seed: int, *, with_station: bool) -> list[Layer]:
    """The deep sky with its nebula, then a planet, then what orbits it."""
    frame = sheet.geometry
    unit = frame.unit
    back = sheet.canvas(0.0)
    rng = random_of(seed, "space")
    deep = mix(paint.sky[0], (0.012, 0.016, 0.045), 0.80)
    back.rectangle(back.left, back.top, back.right, back.bottom, deep)
    _nebula(back, paint, seed)
    stars(back, seed, 340, (0.95, 0.97, 1.0), 1.0)
    layers = [finished(back, 0.0, paint.style, seed)]
    hue = paint.graded(
        rgb(("#d98a56", "#5f9fc9", "#9c7bd1", "#5fb59c", "#d1667a")[int(rng.integers(5))]),
        under_light=False,
    )
    side = -1 if rng.random() < 0.5 else 1  # noqa: PLR2004 - a coin
    layers.append(
        _planet(
            seed,
            frame.width * (0.5 + side * 0.24),
            frame.height * 0.34,
            unit * 0.25,
            hue,
            ring=bool(rng.integers(4)),  # most have rings
        )
    )
    layers.append(
        _planet(
            seed + 1,
            frame.width * (0.5 - side * 0.33),
            frame.height * 0.20,
            unit * 0.055,
            turn_hue(lighten(hue, 0.2), 0.4),
            ring=False,
        )
    )
    if with_station:
        layers.append(
            _station(sheet, paint, seed, frame.width * (0.5 - side * 0.16), frame.height * 0.36)
        )
    return layers


def _nebula(canvas: Canvas, paint: Paint, seed: int) -> None:
    tall, wide = max(8, canvas.height // 4), max(8, canvas.width // 4)
    light = np.zeros((tall, wide, 3), np.float32)
    hues = (paint.sky[1], paint.sky[2], mix(paint.lamp, paint.sky[1], 0.5))
    for at, hue in enumerate(hues):
        noise = cloud_texture(tall, wide, 3 + at, seed_of(seed, "nebula", at) % 65521)
        cover = np.clip((noise - 0.47) * 2.6, 0, 1) ** 1.5
        light += cover[..., None] * np.array(hue, np.float32) * 0.42
    grown = cv2.resize(light, (canvas.width, canvas.height), interpolation=cv2.INTER_CUBIC)
    part = np.ascontiguousarray(canvas.image[..., :3])
    canvas.image[..., :3] = cv2.add(part, np.clip(grown * 255, 0, 255).astype(np.uint8))


def _planet(seed: int, x: float, y: float, r: float, hue: Rgb, *, ring: bool) -> Layer:
    """A banded globe, lit from the upper left."""
    reach = r * (2.1 if ring else 1.35)
    canvas = Canvas(round(x - reach), round(y - reach), round(x + reach), round(y + reach))
    canvas.glow(x, y, r * 1.33, hue, 0.55)
    band = lighten(hue, 0.35)
    if ring:
        _ring(canvas, x, y, r, band, front=False)
    rows = np.arange(canvas.height, dtype=np.float32)[:, None] + canvas.top - y
    across = np.arange(canvas.width, dtype=np.float32)[None, :] + canvas.left - x
    away = np.sqrt(rows**2 + across**2)
    cover = (np.clip(r - away + 0.5, 0, 1) * 255).astype(np.uint8)
    wave = cloud_texture(canvas.height, canvas.width, 4, seed_of(seed, "bands") % 65521) - 0.5
    stripes = np.sin((rows + across * 0.25) / r * 7 + wave * 5) * 0.5 + 0.5
    height = np.sqrt(np.clip(1 - (away / r) ** 2, 0, 1))
    lit = np.clip((-across * 0.62 - rows * 0.42) / r + 0.55 * height, 0, 1)
    low, high = np.array(lighten(hue, -0.25)), np.array(band)
    colours = low * (1 - stripes[..., None]) + high * stripes[..., None]
    shaded = colours * (0.07 + 1.05 * lit[..., None])
    sheet_rgba = np.empty((canvas.height, canvas.width, 4), np.uint8)
    sheet_rgba[..., :3] = np.clip(shaded * 255, 0, 255).astype(np.uint8)
    sheet_rgba[..., 3] = 255
    canvas.lay(sheet_rgba, cover)
    if ring:
        _ring(canvas, x, y, r, band, front=True)
    return Layer(canvas.image, canvas.left, canvas.top, 0.12)


def _ring(canvas: Canvas, x: float, y: float, r: float, colour: Rgb, *, front: bool) -> None:
    around = np.linspace(0, np.pi, 60) if front else np.linspace(np.pi, 2 * np.pi, 60)
    turn = -0.35
    for size, tone in ((1.95, -0.25), (1.78, 0.0), (1.60, -0.35)):
        for thin in (0.0, 0.05):
            px = r * (size - thin) * np.cos(around)
            py = r * 0.30 * (size - thin) * np.sin(around)
            points = np.stack(
                [
                    x + px * np.cos(turn) - py * np.sin(turn),
                    y + px * np.sin(turn) + py * np.cos(turn),
                ],
                axis=1,
            )
            canvas.stroke(points, lighten(colour, tone), max(1.0, r * 0.045))


def _station(sheet: Sheet, paint: Paint, seed: int, x: float, y: float) -> Layer:
    """A wheel with a hub, spokes, panels and small lights."""
    s = sheet.geometry.unit * 0.26
    canvas = Canvas(round(x - s * 1.5), round(y - s * 0.9), round(x + s * 1.5), round(y + s * 0.9))
    metal = paint.graded(rgb("#c3ccd8"), under_light=False)
    dark = lighten(metal, -0.5)
    for way in (-1, 1):
        for row in (-0.13, 0.05):
            canvas.polygon(
                [
                    (x + way * s * 0.92, y + row * s - s * 0.02),
                    (x + way * s * 1.42, y + row * s - s * 0.10),
                    (x + way * s * 1.42, y + row * s + s * 0.04),
                    (x + way * s * 0.92, y + row * s + s * 0.10),
                ],
                mix(paint.graded(rgb("#2f5fa8"), under_light=False), metal, 0.15),
            )
        canvas.stroke([(x, y), (x + way * s * 1.42, y)], dark, max(1.0, s * 0.025))
    around = np.linspace(0, 2 * np.pi, 90)
    for size, tone, thick in ((0.70, dark, 0.115), (0.70, metal, 0.075)):
        canvas.stroke(
            np.stack([x + s * size * np.cos(around), y + s * size * 0.42 * np.sin(around)], axis=1),
            tone,
            max(1.0, s * thick),
        )
    for angle in (0.5, 1.55, 2.6, 3.65, 4.7, 5.75):
        canvas.stroke(
            [(x, y), (x + s * 0.7 * np.cos(angle), y + s * 0.294 * np.sin(angle))],
            metal,
            max(1.0, s * 0.03),
        )
    canvas.ellipse(x, y, s * 0.17, s * 0.15, metal)
    canvas.ellipse(x - s * 0.04, y - s * 0.03, s * 0.10, s * 0.08, lighten(metal, 0.3))
    canvas.stroke([(x, y - s * 0.1), (x, y - s * 0.55)], metal, max(1.0, s * 0.02))
    for angle in np.arange(0, 6.28, 0.42):
        canvas.glow(
            x + s * 0.7 * np.cos(angle), y + s * 0.294 * np.sin(angle), s * 0.05, paint.lamp, 0.9
        )
    motion = Motion(slide=s * 0.05, heave=s * 0.02, rate=0.06, phase=seed % 6)
    return finished(canvas, 0.35, paint.style, seed_of(seed, "station"), motion=motion)


def alien_ground(sheet: Sheet, paint: Paint, seed: int, depth: float, base: float) -> Layer:
    """Cratered ground to stand on."""
    frame = sheet.geometry
    unit = frame.unit
    foot = frame.height * base
    canvas = sheet.canvas(depth, top=foot - unit * 0.16)
    rng = random_of(seed, "ground", depth)
    rock = mix(paint.surface("rock", 0.9), paint.sky[1], 0.35)
    tone = lighten(rock, -0.15 - 0.25 * depth)
    xs = np.arange(canvas.left - 4, canvas.right + 8, 4.0)
    curve = foot + unit * 0.10 * ((xs - frame.width / 2) / frame.width) ** 2
    curve += unit * 0.012 * np.sin(xs / unit * 6 + seed % 9) * (0.4 + depth)
    closed = np.concatenate(
        [np.stack([xs, curve], axis=1), [(xs[-1], canvas.bottom + 4), (xs[0], canvas.bottom + 4)]]
    )
    canvas.shape(closed, lighten(tone, 0.22), lighten(tone, -0.3), foot, foot + unit * 0.3)
    for _ in range(16):
        part = rng.random()
        x, y = rng.uniform(canvas.left, canvas.right), foot + unit * (0.05 + 0.24 * part)
        size = unit * (0.012 + 0.05 * part) * rng.uniform(0.6, 1.2)
        canvas.ellipse(x, y, size, size * 0.26, lighten(tone, -0.35))
        canvas.ellipse(x, y + size * 0.07, size * 0.9, size * 0.19, lighten(tone, -0.12))
    return finished(canvas, depth, paint.style, seed_of(seed, depth))
