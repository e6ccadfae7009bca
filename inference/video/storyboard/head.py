"""Heads: faces, hair and what is worn on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from inference.video.storyboard.cast import FigurePlan
from inference.video.storyboard.colour import Rgb, lighten, luma, mix
from inference.video.storyboard.figure_light import lit
from inference.video.storyboard.pen import Pen
from inference.video.storyboard.styles import Paint

_DARK_SKIN = 0.30  # luma


# Outlines around the middle of the head, in head radii (x forward, y up).
Outline: TypeAlias = tuple[tuple[float, float], ...]
_CROWN: Outline = (
    (-0.8, 0.72), (-0.95, 1.62), (-0.45, 1.18), (0.0, 1.75), (0.45, 1.18), (0.95, 1.62), (0.8, 0.72),
)  # fmt: skip
_POINT: Outline = ((-0.85, 0.6), (-0.3, 2.0), (-0.75, 3.1), (0.15, 2.5), (0.85, 0.6))
_POINT_BRIM: Outline = ((-1.9, 0.45), (0.0, 0.85), (1.9, 0.5), (0.0, 0.42))
_POINT_BAND: Outline = ((-0.72, 0.78), (0.74, 0.8), (0.66, 1.02), (-0.62, 1.0))
_HAT: Outline = ((-0.9, 0.5), (-0.85, 1.55), (0.0, 1.42), (0.75, 1.55), (0.9, 0.5))
_HAT_BRIM: Outline = ((-1.65, 0.42), (-0.6, 0.72), (0.8, 0.72), (1.75, 0.45), (0.0, 0.40))
_HAT_BAND: Outline = ((-0.86, 0.66), (0.86, 0.66), (0.85, 0.88), (-0.85, 0.88))
_HOOD: Outline = (
    (-0.6, -1.1), (-1.35, -0.2), (-1.3, 0.8), (-0.5, 1.6), (0.35, 1.45), (0.85, 0.75),
    (0.15, 0.65), (-0.15, 0.0), (0.1, -0.9),
)  # fmt: skip
_HAIR: Outline = (
    (-1.08, -0.35), (-1.12, 0.5), (-0.5, 1.12), (0.35, 1.15), (0.95, 0.55), (0.45, 0.55),
    (-0.1, 0.35), (-0.35, -0.2), (-0.6, -0.7),
)  # fmt: skip
_LOCKS: Outline = ((-1.1, 0.6), (-0.55, 0.3), (-0.62, -1.2), (-1.25, -1.4))
_BEARD: Outline = (
    (-0.35, -0.15), (0.15, -0.42), (0.98, -0.36), (0.75, -1.3), (0.2, -1.75), (-0.3, -1.1),
)  # fmt: skip
_MOUTH: Outline = ((0.42, -0.50), (0.62, -0.54), (0.78, -0.46))
_SCREEN: Outline = ((-0.2, -0.1), (0.9, -0.1), (0.9, 0.4), (-0.2, 0.4))
_BOX: Outline = ((-1.0, -0.9), (-1.0, 1.0), (1.0, 1.0), (1.0, -0.9))


@dataclass(frozen=True)
class _Head:
    """Where a head is: its radius and the height of its middle, in figure units."""

    radius: float
    y: float

    def at(self, outline: Outline) -> list[tuple[float, float]]:
        return [(x * self.radius, self.y + y * self.radius) for x, y in outline]


def _placed(big: float) -> _Head:
    radius = 0.088 * big
    return _Head(radius, 0.775 + radius * 0.92)


def draw_head(pen: Pen, plan: FigurePlan, skin: Rgb, hair: Rgb, big: float, paint: Paint) -> None:
    """Face, hair, beard, glasses or helmet."""
    head = _placed(big)
    pen.fill([(-0.02, 0.75), (0.03, 0.75), (0.03, 0.80), (-0.02, 0.80)], lighten(skin, -0.15))
    if plan.kind == "robot":
        _robot_head(pen, head, skin, hair, paint.lamp)
        return
    if plan.kind == "astronaut":
        _helmet(pen, head, paint)
        return
    features = set(plan.features)
    _face(pen, head, skin, hair, paint)
    r, y = head.radius, head.y
    if "beard" in features:
        pen.curve(head.at(_BEARD), lighten(hair, -0.14))
    if "glasses" in features:
        for px in (0.25, 0.76):
            pen.oval(r * px, y + r * 0.08, r * 0.25, r * 0.25, (0.08, 0.08, 0.1))
            pen.oval(r * px, y + r * 0.08, r * 0.18, r * 0.18, mix(paint.sky[2], skin, 0.3))
    if "long_hair" in features and not features & {"hat", "witch_hat", "hood"}:
        pen.curve(head.at(_LOCKS), hair)


def _face(pen: Pen, head: _Head, skin: Rgb, hair: Rgb, paint: Paint) -> None:
    r, y = head.radius, head.y
    pen.oval(0.0, y, r, r * 1.04, skin)
    pen.oval(r * 1.0, y - r * 0.08, r * 0.13, r * 0.16, skin)  # the nose points the way
    pen.curve(head.at(_HAIR), hair)
    eye = mix(hair, (0.05, 0.04, 0.06), 0.85)
    for px in (0.28, 0.72):
        if luma(skin) < _DARK_SKIN:  # eyes must show in dark faces too
            pen.oval(r * px, y + r * 0.08, r * 0.17, r * 0.17, mix(skin, (1.0, 1.0, 1.0), 0.72))
        pen.oval(r * px, y + r * 0.08, r * 0.085, r * 0.12, eye)
    blush = mix(skin, lit((0.9, 0.35, 0.3), paint), 0.3)
    pen.oval(r * 0.42, y - r * 0.30, r * 0.17, r * 0.10, blush)
    pen.line(head.at(_MOUTH), mix(skin, lit((0.35, 0.12, 0.1), paint), 0.55), 0.010)


def _robot_head(pen: Pen, head: _Head, shell: Rgb, dark: Rgb, lamp: Rgb) -> None:
    r, y = head.radius, head.y
    pen.curve(head.at(_BOX), shell)
    pen.fill(head.at(_SCREEN), (0.05, 0.07, 0.1))
    pen.oval(0.5 * r, y + 0.15 * r, 0.16 * r, 0.16 * r, lamp)
    pen.oval(0.05 * r, y + 0.15 * r, 0.16 * r, 0.16 * r, lamp)
    pen.line([(0, y + r), (0, y + r * 1.5)], dark, 0.012)
    pen.oval(0, y + r * 1.5, 0.02, 0.02, lamp)


def _helmet(pen: Pen, head: _Head, paint: Paint) -> None:
    r, y = head.radius, head.y
    pen.oval(0, y + 0.01, r * 1.5, r * 1.5, lit((0.92, 0.93, 0.95), paint))
    pen.oval(r * 0.32, y + 0.01, r * 1.05, r * 0.98, (0.09, 0.15, 0.24))
    pen.oval(r * 0.55, y + r * 0.40, r * 0.35, r * 0.18, (0.55, 0.75, 0.88), -20)


def draw_headwear(pen: Pen, features: set[str], cloth: Rgb, second: Rgb, big: float) -> None:
    """Crown, pointed hat, hat or hood."""
    head = _placed(big)
    if "crown" in features:
        pen.fill(head.at(_CROWN), mix((0.95, 0.77, 0.26), second, 0.1))
    elif "witch_hat" in features:
        tone = lighten(cloth, -0.2)
        pen.curve(head.at(_POINT), tone)
        pen.curve(head.at(_POINT_BRIM), lighten(tone, -0.15))
        pen.fill(head.at(_POINT_BAND), second)
    elif "hat" in features:
        tone = lighten(second, -0.35)
        pen.curve(head.at(_HAT), tone)
        pen.curve(head.at(_HAT_BRIM), lighten(tone, -0.18))
        pen.fill(head.at(_HAT_BAND), lighten(tone, 0.3))
    elif "hood" in features:
        pen.curve(head.at(_HOOD), cloth)
