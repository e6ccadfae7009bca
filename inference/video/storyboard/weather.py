"""What is in the air: rain, snow, fog, leaves, petals, fireflies, sparks, lightning."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.video.storyboard.camera import Pose
from inference.video.storyboard.canvas import Canvas, Geometry, Rgba
from inference.video.storyboard.colour import Rgb, lighten, mix, rgb
from inference.video.storyboard.noise import cloud_texture, random_of
from inference.video.storyboard.plan import DrawingPlan
from inference.video.storyboard.styles import Paint
from storyforge.domain.script import Light

_FLAKES = 90
_FLOATERS = {"leaves": 26, "petals": 34, "fireflies": 26, "sparks": 34, "dust": 16}
# Places where something small is always in the air.
_LIVELY = frozenset({"forest", "meadow", "hills", "village", "castle", "lake", "room", "mountains"})
_LEAF_COLOURS = ("#d9822b", "#c4572e", "#e0b13c", "#9a6b2f")


class Weather:
    """All airborne things of a shot; drawn over the picture in small patches."""

    def __init__(self, geometry: Geometry, plan: DrawingPlan, paint: Paint) -> None:
        self._geometry = geometry
        self._seed = plan.shot_seed
        kinds = [] if plan.indoors or plan.setting == "space" else list(plan.weather)
        if plan.setting == "desert" and {"rain", "storm"} & set(kinds):
            kinds = ["fog"]  # a storm of sand
        lit = {"fireflies", "sparks"} & set(plan.weather)
        if plan.indoors or plan.setting == "space":
            kinds += sorted(lit)
        self._rain = _rain_tiles(geometry, plan, paint) if {"rain", "storm"} & set(kinds) else []
        self._fog = _fog_band(geometry, paint, plan) if "fog" in kinds else None
        self._storm = "storm" in kinds
        self._floaters: list[Floaters] = []
        if "snow" in kinds:
            self._floaters.append(Floaters("snow", _FLAKES, geometry, paint, self._seed))
        for kind in ("leaves", "petals", "fireflies", "sparks"):
            if kind in kinds:
                self._floaters.append(Floaters(kind, _FLOATERS[kind], geometry, paint, self._seed))
        if not kinds and plan.setting in _LIVELY:
            kind = "fireflies" if plan.light is Light.NIGHT and not plan.indoors else "dust"
            few = _FLOATERS["dust"]
            self._floaters.append(Floaters(kind, few, geometry, paint, self._seed))

    def draw(self, picture: Rgba, pose: Pose, seconds: float) -> None:
        """Lay the weather of one moment over the picture, in place."""
        width, height = self._geometry.width, self._geometry.height
        if self._fog is not None:
            _lay_fog(picture, self._fog, seconds, self._geometry)
        for tile, speed, slant in self._rain:
            tall, wide = tile.shape[:2]
            y = round(tall - (seconds * speed) % tall) % tall
            x = round(seconds * speed * slant + pose.right * -width) % wide
            _add_tiled(picture, tile, x, y)
        for floaters in self._floaters:
            floaters.draw(picture, pose, seconds)
        if self._storm:
            flash = _flash(seconds, self._seed)
            if flash > 0:
                cv2.convertScaleAbs(picture, dst=picture, alpha=1 + 0.8 * flash, beta=24 * flash)
        _ = height


def _flash(seconds: float, seed: int) -> float:
    """Lightning: short double flashes, one about every three seconds."""
    since = (seconds + seed % 17 / 10) % 3.1
    return max(0.0, 1 - since / 0.10) + 0.6 * max(0.0, 1 - abs(since - 0.22) / 0.08)


def _rain_tiles(
    geometry: Geometry, plan: DrawingPlan, paint: Paint
) -> list[tuple[Rgba, float, float]]:
    """Two sheets of streaks [H, W, 4] that scroll: far and near."""
    tiles = []
    unit = geometry.unit
    for far in (1, 0):
        rng = random_of(plan.shot_seed, "rain", far)
        canvas = Canvas(0, 0, geometry.width, geometry.height)
        count = int(geometry.width / unit * (150 if far else 60))
        colour = lighten(mix(paint.haze, paint.sun, 0.5), 0.2)
        dim = 0.30 if far else 0.42
        tone = (colour[0] * dim, colour[1] * dim, colour[2] * dim)
        for _ in range(count):
            x, y = rng.uniform(0, geometry.width), rng.uniform(0, geometry.height)
            long = unit * rng.uniform(0.03, 0.06) * (1 if far else 1.9)
            for wrap in (0, -geometry.height):
                canvas.stroke(
                    [(x, y + wrap), (x - long * 0.16, y + wrap + long)],
                    tone,
                    max(1.0, unit / (900 if far else 500)),
                )
        canvas.image[..., 3] = 0
        tiles.append((canvas.image, unit * (1.5 if far else 2.5), 0.16))
    return tiles


def _add_tiled(picture: Rgba, tile: Rgba, x: int, y: int) -> None:
    """Add a wrapping tile of the picture's size, displaced by (x, y)."""
    tall, wide = tile.shape[:2]
    for dst_y, src_y, high in ((0, y, tall - y), (tall - y, 0, y)):
        for dst_x, src_x, broad in ((0, x, wide - x), (wide - x, 0, x)):
            if high > 0 and broad > 0:
                part = picture[dst_y : dst_y + high, dst_x : dst_x + broad]
                cv2.add(part, tile[src_y : src_y + high, src_x : src_x + broad], dst=part)


def _fog_band(geometry: Geometry, paint: Paint, plan: DrawingPlan) -> Rgba:
    """A bank of fog, twice the frame's width, denser low down."""
    height, width = geometry.height, geometry.width * 2
    small = cloud_texture(max(8, height // 6), max(8, width // 6), 6, plan.shot_seed % 65521)
    small = np.concatenate([small, small[:, ::-1]], axis=1)[:, : max(8, width // 6)]
    rows = np.linspace(0, 1, small.shape[0], dtype=np.float32)[:, None]
    band = np.exp(-(((rows - 0.68) / 0.24) ** 2))
    cover = np.clip(small * 1.5 - 0.35, 0, 1) * band * (0.55 if plan.figures else 0.72)
    colour = lighten(paint.haze, 0.18)
    image = np.concatenate(
        [cover[..., None] * np.array(colour, np.float32), cover[..., None]], axis=2
    )
    coarse = (image * 255).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _lay_fog(picture: Rgba, fog: Rgba, seconds: float, geometry: Geometry) -> None:
    y0 = geometry.height // 4
    x = int(geometry.unit * 0.03 * seconds) % max(1, fog.shape[1] - geometry.width)
    piece = fog[y0:, x : x + geometry.width]
    rest = cv2.bitwise_not(cv2.extractChannel(piece, 3))
    below = picture[y0:]
    cv2.multiply(below, cv2.merge([rest, rest, rest, rest]), dst=below, scale=1 / 255)
    cv2.add(below, piece, dst=below)


class Floaters:
    """Many small things that drift on paths of their own."""

    def __init__(self, kind: str, count: int, geometry: Geometry, paint: Paint, seed: int) -> None:
        rng = random_of(seed, "floaters", kind)
        self._kind, self._geometry = kind, geometry
        self._x = rng.uniform(0, 1.2, count)
        self._y = rng.uniform(0, 1.2, count)
        self._near = rng.uniform(0.25, 1.0, count)
        self._phase = rng.uniform(0, 2 * math.pi, count)
        self._sprites = _sprites(kind, geometry, paint)
        self._which = rng.integers(0, len(self._sprites), count)

    def draw(self, picture: Rgba, pose: Pose, seconds: float) -> None:
        """Lay every thing at its place of this moment."""
        fall, wind, swing = {
            "snow": (0.10, 0.02, 0.012),
            "leaves": (0.07, 0.16, 0.030),
            "petals": (0.06, 0.09, 0.030),
            "sparks": (-0.16, 0.02, 0.018),
            "fireflies": (0.0, 0.006, 0.020),
            "dust": (-0.008, 0.01, 0.012),
        }[self._kind]
        width, height = self._geometry.width, self._geometry.height
        ratio = self._geometry.unit / width
        wave = np.sin(1.3 * seconds + self._phase)
        x = (self._x + (wind * seconds * self._near + swing * wave) * ratio) + (
            pose.right * self._near
        )
        y = (
            self._y
            + fall * seconds * (0.5 + 0.8 * self._near)
            + 0.5 * swing * np.cos(0.9 * seconds + 2 * self._phase)
        )
        x, y = (x % 1.2 - 0.1) * width, (y % 1.2 - 0.1) * height
        light = 0.35 + 0.65 * np.clip(np.sin(2.1 * seconds + 3 * self._phase), 0, 1)
        glowing = self._kind in {"fireflies", "sparks"}
        for at in range(len(x)):
            sprite = self._sprites[self._which[at]]
            level = float(light[at]) if glowing else 1.0
            if self._kind in {"fireflies", "dust"} and not 0.15 < y[at] / height < 0.92:  # noqa: PLR2004 - not in the sky
                continue
            _stamp(picture, sprite, float(x[at]), float(y[at]), level, add=glowing)


def _stamp(picture: Rgba, sprite: Rgba, x: float, y: float, level: float, *, add: bool) -> None:
    """Lay a small premultiplied sprite, centred at a fractional place."""
    side = sprite.shape[0]
    left, top = math.floor(x - side / 2), math.floor(y - side / 2)
    height, width = picture.shape[:2]
    if left < 0 or top < 0 or left + side >= width or top + side >= height:
        return
    shift = np.array([[1, 0, x - side / 2 - left], [0, 1, y - side / 2 - top]], np.float64)
    moved: NDArray[np.uint8] = cv2.warpAffine(sprite, shift, (side, side)).astype(np.uint8)
    if level < 1.0:
        cv2.convertScaleAbs(moved, dst=moved, alpha=level)
    part = picture[top : top + side, left : left + side]
    if add:
        cv2.add(part, moved, dst=part)
        return
    rest = cv2.bitwise_not(cv2.extractChannel(moved, 3))
    cv2.multiply(part, cv2.merge([rest, rest, rest, rest]), dst=part, scale=1 / 255)
    cv2.add(part, moved, dst=part)


def _sprites(kind: str, geometry: Geometry, paint: Paint) -> list[Rgba]:
    unit = geometry.unit
    if kind in {"leaves", "petals"}:
        hues = _LEAF_COLOURS if kind == "leaves" else ("#f7c9d6", "#f2a7bd", "#fde4ea")
        size = unit * (0.016 if kind == "leaves" else 0.010)
        return [
            _blade(size, paint.graded(rgb(hue)), turn)
            for hue in hues
            for turn in (20.0, 75.0, 140.0)
        ]
    if kind == "snow":
        white = lighten(paint.graded((1.0, 1.0, 1.0)), 0.35)
        return [_soft_dot(unit * size, white, 0.9) for size in (0.004, 0.006, 0.009)]
    if kind == "dust":
        return [_soft_dot(unit * size, lighten(paint.sun, 0.1), 0.22) for size in (0.004, 0.008)]
    colour = (1.0, 0.55, 0.18) if kind == "sparks" else mix(paint.lamp, (0.85, 1.0, 0.45), 0.4)
    return [_soft_dot(unit * size, colour, 1.0) for size in (0.010, 0.016, 0.022)]


def _soft_dot(radius: float, colour: Rgb, strength: float) -> Rgba:
    reach = max(2, math.ceil(radius * 2.2))
    canvas = Canvas(-reach, -reach, reach + 1, reach + 1)
    across = np.arange(-reach, reach + 1, dtype=np.float32)
    away = np.sqrt(across[None, :] ** 2 + across[:, None] ** 2) / max(1.0, radius * 2.0)
    cover = np.clip(1 - away, 0, 1) ** 1.6 * strength
    canvas.image[..., :3] = (cover[..., None] * np.array(colour) * 255).astype(np.uint8)
    canvas.image[..., 3] = (cover * 255).astype(np.uint8)
    return canvas.image


def _blade(size: float, colour: Rgb, turn: float) -> Rgba:
    reach = max(2, math.ceil(size) + 1)
    canvas = Canvas(-reach, -reach, reach + 1, reach + 1)
    canvas.ellipse(0, 0, size * 0.8, size * 0.36, colour, turn)
    return canvas.image
