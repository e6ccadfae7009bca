"""Trees: pines, round crowns, bare branches, palms, and rows of them as layers."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb, lighten, mix, turn_hue
from inference.video.storyboard.layers import Layer, Motion, Sheet, finished
from inference.video.storyboard.noise import fractal_line, random_of, seed_of
from inference.video.storyboard.styles import Paint
from inference.video.storyboard.terrain import columns, profile_points

TreeKind = Literal["pine", "round", "bare", "palm", "cypress"]


def draw_tree(
    canvas: Canvas,
    kind: TreeKind,
    x: float,
    foot: float,
    tall: float,
    colours: tuple[Rgb, Rgb],
    rng: np.random.Generator,
) -> None:
    """One tree; colours: of leaves and of bark."""
    leaf, bark = colours
    match kind:
        case "pine":
            _pine(canvas, x, foot, tall, leaf, bark, rng)
        case "round":
            _round(canvas, x, foot, tall, leaf, bark, rng)
        case "bare":
            _branch(canvas, rng, x, foot, -math.pi / 2, tall * 0.34, tall * 0.045, bark, 6)
        case "palm":
            _palm(canvas, x, foot, tall, leaf, bark, rng)
        case "cypress":
            canvas.rectangle(x - tall * 0.02, foot - tall * 0.2, x + tall * 0.02, foot, bark)
            canvas.ellipse(x, foot - tall * 0.55, tall * 0.12, tall * 0.46, leaf)
            canvas.ellipse(
                x - tall * 0.03, foot - tall * 0.58, tall * 0.06, tall * 0.36, lighten(leaf, 0.10)
            )


def _pine(
    canvas: Canvas,
    x: float,
    foot: float,
    tall: float,
    leaf: Rgb,
    bark: Rgb,
    rng: np.random.Generator,
) -> None:
    canvas.rectangle(x - tall * 0.022, foot - tall * 0.25, x + tall * 0.022, foot, bark)
    wide = tall * rng.uniform(0.19, 0.26)
    tiers = 5
    dark = lighten(leaf, -0.16)
    for tier in range(tiers):
        part = tier / tiers
        low = foot - tall * (0.10 + 0.76 * part)
        high = low - tall * (0.36 - 0.10 * part)
        half = wide * (1.0 - 0.82 * part)
        sag = tall * 0.035 * (1 - part)
        teeth = 5
        hem = [
            (
                x - half + 2 * half * at / teeth,
                low - sag * (0.0 if at % 2 else 1.0) - sag * rng.uniform(0, 0.7),
            )
            for at in range(teeth + 1)
        ]
        canvas.polygon([(x, high), *hem[::-1]], leaf)
        canvas.polygon([(x, high), (x, low - sag * 0.4), *hem[:3][::-1]], dark)


def _round(
    canvas: Canvas,
    x: float,
    foot: float,
    tall: float,
    leaf: Rgb,
    bark: Rgb,
    rng: np.random.Generator,
) -> None:
    w = tall * 0.035
    canvas.polygon(
        [
            (x - w * 1.5, foot),
            (x - w * 0.7, foot - tall * 0.5),
            (x + w * 0.7, foot - tall * 0.5),
            (x + w * 1.6, foot),
        ],
        bark,
    )
    for way in (-1, 1):
        canvas.stroke(
            [(x, foot - tall * 0.34), (x + way * tall * 0.12, foot - tall * 0.52)],
            bark,
            tall * 0.022,
        )
    crown_y, r = foot - tall * 0.66, tall * 0.27
    blobs = [
        (
            x + rng.uniform(-0.8, 0.8) * r,
            crown_y + rng.uniform(-0.75, 0.55) * r,
            r * rng.uniform(0.5, 0.75),
        )
        for _ in range(9)
    ]
    for bx, by, br in blobs:
        canvas.ellipse(bx, by + br * 0.16, br, br * 0.92, lighten(leaf, -0.18))
    for bx, by, br in blobs:
        canvas.ellipse(bx, by, br * 0.94, br * 0.86, leaf)
    for bx, by, br in blobs[::2]:
        canvas.ellipse(bx - br * 0.22, by - br * 0.26, br * 0.52, br * 0.42, lighten(leaf, 0.10))


def _branch(
    canvas: Canvas,
    rng: np.random.Generator,
    x: float,
    y: float,
    angle: float,
    long: float,
    thick: float,
    colour: Rgb,
    left: int,
) -> None:
    """A limb that forks until `left` runs out."""
    tip_x, tip_y = x + math.cos(angle) * long, y + math.sin(angle) * long
    nx, ny = -math.sin(angle), math.cos(angle)
    end = max(0.5, thick * 0.68)
    canvas.polygon(
        [
            (x + nx * thick, y + ny * thick),
            (tip_x + nx * end, tip_y + ny * end),
            (tip_x - nx * end, tip_y - ny * end),
            (x - nx * thick, y - ny * thick),
        ],
        colour,
    )
    if left <= 0 or long < 3:  # noqa: PLR2004 - pixels
        return
    for way in (-1, 1):
        turn = way * rng.uniform(0.22, 0.62)
        _branch(
            canvas,
            rng,
            tip_x,
            tip_y,
            angle + turn,
            long * rng.uniform(0.62, 0.82),
            end,
            colour,
            left - 1,
        )


def _palm(
    canvas: Canvas,
    x: float,
    foot: float,
    tall: float,
    leaf: Rgb,
    bark: Rgb,
    rng: np.random.Generator,
) -> None:
    lean = rng.uniform(-0.22, 0.22) * tall
    parts = np.linspace(0, 1, 9)
    left = [(x + lean * p * p - tall * 0.022 * (1.3 - p), foot - tall * 0.78 * p) for p in parts]
    right = [(x + lean * p * p + tall * 0.022 * (1.3 - p), foot - tall * 0.78 * p) for p in parts]
    canvas.polygon([*left, *right[::-1]], bark)
    top_x, top_y = x + lean, foot - tall * 0.78
    for at in range(8):
        angle = -math.pi * (0.02 + 0.96 * at / 7) + rng.uniform(-0.1, 0.1)
        reach = tall * rng.uniform(0.27, 0.36)
        mid = (top_x + math.cos(angle) * reach * 0.6, top_y + math.sin(angle) * reach * 0.6)
        tip = (
            top_x + math.cos(angle) * reach,
            top_y + math.sin(angle) * reach * 0.7 + reach * 0.42,
        )
        back = (mid[0], mid[1] + tall * 0.045)
        canvas.polygon([(top_x, top_y), mid, tip, back], lighten(leaf, rng.uniform(-0.15, 0.1)))


def tree_line(
    sheet: Sheet,
    paint: Paint,
    seed: int,
    depth: float,
    base: float,
    tall: float,
    kinds: tuple[TreeKind, ...],
    *,
    density: float = 1.0,
    clearing: float = 0.0,
    surface: str = "leaf",
) -> Layer:
    """Trees side by side on a strip of ground.

    base: of the frame's height; tall: of the unit; clearing: half width (of the frame's) left
    free in the middle.
    """
    frame = sheet.geometry
    unit = frame.unit
    foot = frame.height * base
    canvas = sheet.canvas(depth, top=foot - unit * tall * 1.35)
    rng = random_of(seed, "trees", depth)
    leaf, bark = paint.surface(surface, depth), paint.surface("bark", depth)
    xs = columns(canvas, 6.0)
    rise = unit * 0.03 * fractal_line(xs / unit * 1.4, seed, 2)
    ys = foot + rise
    ground = mix(lighten(leaf, -0.20), bark, 0.25)
    canvas.shape(
        profile_points(canvas, ys, xs),
        lighten(ground, 0.06),
        lighten(ground, -0.15),
        foot,
        foot + unit * 0.2,
    )
    spacing = unit * tall * 0.30 / density
    places = np.arange(canvas.left - spacing, canvas.right + spacing, spacing)
    order = rng.permutation(len(places))
    for at in order:
        x = float(places[at]) + rng.uniform(-0.45, 0.45) * spacing
        if clearing and abs(x - frame.width / 2) < clearing * frame.width:
            continue
        y = float(np.interp(x, xs, ys)) + unit * 0.012
        high = unit * tall * rng.uniform(0.68, 1.12)
        kind = kinds[int(rng.integers(len(kinds)))]
        own = turn_hue(lighten(leaf, rng.uniform(-0.10, 0.10)), rng.uniform(-0.025, 0.025))
        draw_tree(canvas, kind, x, y, high, (own, bark), rng)
    return finished(canvas, depth, paint.style, seed_of(seed, depth))


def framing_trees(sheet: Sheet, paint: Paint, seed: int, *, bare: bool = False) -> list[Layer]:
    """Dark trunks and leaves at both edges, right at the lens."""
    frame = sheet.geometry
    unit = frame.unit
    rng = random_of(seed, "frame")
    dark = lighten(mix(paint.surface("bark", 1.0), paint.sky[0], 0.15), -0.55)
    leaf = lighten(paint.surface("pine", 1.0), -0.50)
    layers = []
    for way in (-1, 1):
        canvas = sheet.canvas(1.2)
        x = frame.width * (0.5 + way * rng.uniform(0.5, 0.53))
        w = unit * rng.uniform(0.045, 0.07)
        bend = unit * rng.uniform(-0.03, 0.03)
        top, bottom = canvas.top, canvas.bottom
        rows = np.linspace(0, 1, 10)
        left = [
            (x - w * (1.0 + 1.3 * p**4) + bend * math.sin(p * 4), top + (bottom - top) * p)
            for p in rows
        ]
        right = [
            (x + w * (1.0 + 1.3 * p**4) + bend * math.sin(p * 4), top + (bottom - top) * p)
            for p in rows
        ]
        canvas.polygon([*left, *right[::-1]], dark)
        for _ in range(2):
            y = frame.height * rng.uniform(0.08, 0.34)
            _branch(
                canvas,
                rng,
                x,
                y,
                -math.pi / 2 - way * rng.uniform(0.8, 1.2),
                unit * 0.11,
                unit * 0.013,
                dark,
                4,
            )
        if not bare:
            for _ in range(30):
                reach = rng.uniform(0, 1) ** 1.5
                bx = x - way * unit * 0.34 * reach + way * unit * 0.05
                by = frame.height * rng.uniform(-0.05, 0.03 + 0.13 * (1 - reach))
                canvas.ellipse(
                    bx,
                    by,
                    unit * rng.uniform(0.025, 0.06),
                    unit * rng.uniform(0.016, 0.04),
                    lighten(leaf, rng.uniform(-0.2, 0.08)),
                    rng.uniform(0, 180),
                )
        motion = Motion(sway=unit * 0.004, rate=0.13, phase=1.0 + way)
        layers.append(
            finished(canvas, 1.2, paint.style, seed_of(seed, "frame", way), motion=motion)
        )
    return layers
