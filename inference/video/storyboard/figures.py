"""Figures: people in simple paper shapes, told apart by colour, hair, hat and cloak."""

from __future__ import annotations

import cv2
import numpy as np

from inference.video.storyboard.canvas import Canvas, Geometry, over
from inference.video.storyboard.cast import FigurePlan
from inference.video.storyboard.colour import Rgb, lighten, luma, mix, rgb
from inference.video.storyboard.creatures import draw_creature
from inference.video.storyboard.layers import Layer, Motion, finished
from inference.video.storyboard.noise import seed_of
from inference.video.storyboard.styles import Paint

DEPTH = 0.86
_PERSONS = {"person", "astronaut", "robot"}


class Pen:
    """Draws in a figure's own units: x across from its middle (forward is +), y up from its feet.

    Height 1.0 is the figure's size.
    """

    def __init__(self, canvas: Canvas, x: float, foot: float, size: float, *, right: bool) -> None:
        self.canvas, self.x, self.foot, self.size = canvas, x, foot, size
        self.way = 1.0 if right else -1.0

    def points(self, outline: list[tuple[float, float]]) -> np.ndarray:
        """Frame pixels of an outline."""
        return np.array(
            [(self.x + self.way * px * self.size, self.foot - py * self.size) for px, py in outline]
        )

    def fill(self, outline: list[tuple[float, float]], colour: Rgb) -> None:
        """A polygon."""
        self.canvas.polygon(self.points(outline), colour)

    def curve(self, outline: list[tuple[float, float]], colour: Rgb) -> None:
        """A closed outline with its corners rounded (Chaikin, three times)."""
        ring = np.array(outline, np.float64)
        for _ in range(3):
            after = np.roll(ring, -1, axis=0)
            ring = np.stack([0.75 * ring + 0.25 * after, 0.25 * ring + 0.75 * after], axis=1)
            ring = ring.reshape(-1, 2)
        self.canvas.polygon(self.points([(float(a), float(b)) for a, b in ring]), colour)

    def oval(
        self, px: float, py: float, rx: float, ry: float, colour: Rgb, turn: float = 0.0
    ) -> None:
        """An ellipse."""
        self.canvas.ellipse(
            self.x + self.way * px * self.size,
            self.foot - py * self.size,
            rx * self.size,
            ry * self.size,
            colour,
            turn * self.way,
        )

    def line(self, outline: list[tuple[float, float]], colour: Rgb, thickness: float) -> None:
        """An open line; thickness in figure units."""
        self.canvas.stroke(self.points(outline), colour, max(1.0, thickness * self.size))


def figure_layer(plan: FigurePlan, geometry: Geometry, paint: Paint, ground_y: float) -> Layer:
    """One figure as a layer that breathes or walks."""
    unit = geometry.unit
    size = unit * plan.size
    x = geometry.width * (0.5 + 0.40 * plan.place)
    half = round(size * (0.75 if plan.kind in _PERSONS else 1.0))
    canvas = Canvas(
        round(x) - half,
        round(ground_y - size * 1.3),
        round(x) + half,
        round(ground_y + size * 0.06),
    )
    pen = Pen(canvas, x, ground_y, size, right=plan.faces_right)
    shade = mix((0.0, 0.0, 0.0), paint.sky[0], 0.2)
    _ground_shadow(canvas, x, ground_y, size, shade)
    if plan.kind in _PERSONS:
        _person(pen, plan, paint)
    else:
        draw_creature(pen, plan, lambda colour: _lit(colour, paint))
    _outline(canvas, paint, max(1, round(unit / 330)))
    walking = plan.walking
    motion = Motion(
        breath=0.0 if walking else 0.012,
        sway=size * (0.012 if walking else 0.004),
        bob=size * 0.030 if walking else 0.0,
        rate=0.95 if walking else 0.28,
        phase=plan.phase,
        pinned=walking,
    )
    return finished(canvas, DEPTH, paint.style, seed_of(plan.name), motion=motion)


def _outline(canvas: Canvas, paint: Paint, thick: int) -> None:
    """A thin rim of light around the figure, which lifts it off what lies behind."""
    solid = cv2.inRange(canvas.image, (0, 0, 0, 200), (255, 255, 255, 255))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thick + 1, 2 * thick + 1))
    grown = cv2.GaussianBlur(cv2.dilate(solid, disc), (0, 0), 0.8)
    share = 0.75 if paint.style.edge == "cut" else 0.5
    rim = mix(paint.haze, paint.sun, 0.6) if paint.dark else mix(paint.sun, (1.0, 1.0, 1.0), 0.5)
    behind = np.empty_like(canvas.image)
    for channel, part in enumerate((*rim, 1.0)):
        behind[..., channel] = cv2.convertScaleAbs(grown, alpha=part * share)
    figure = canvas.image.copy()
    over(behind, figure, np.ascontiguousarray(figure[..., 3]))
    canvas.image[:] = behind


def _lit(colour: Rgb, paint: Paint) -> Rgb:
    """A figure's colour under the light; kept a little brighter than the land, to be read."""
    shown = paint.graded(colour)
    lifted = mix(shown, paint.graded(colour, under_light=False), 0.34 if paint.dark else 0.15)
    return mix(lifted, paint.haze, 0.05)


def _ground_shadow(canvas: Canvas, x: float, y: float, size: float, colour: Rgb) -> None:
    away = canvas.image
    rows = np.arange(canvas.height, dtype=np.float32)[:, None] + canvas.top - y
    across = np.arange(canvas.width, dtype=np.float32)[None, :] + canvas.left - x
    reach = np.sqrt((across / (size * 0.26)) ** 2 + (rows / (size * 0.045)) ** 2)
    away[..., 3] = (np.clip(1 - reach, 0, 1) * 105).astype(np.uint8)


def _person(pen: Pen, plan: FigurePlan, paint: Paint) -> None:
    features = set(plan.features)
    cloth, second = _lit(rgb(plan.cloth), paint), _lit(rgb(plan.second), paint)
    skin, hair = _lit(rgb(plan.skin), paint), _lit(rgb(plan.hair), paint)
    if plan.kind == "robot":
        skin, hair = _lit((0.72, 0.76, 0.80), paint), _lit((0.4, 0.44, 0.5), paint)
    if plan.kind == "astronaut":
        cloth, second = _lit((0.90, 0.91, 0.93), paint), _lit(rgb(plan.cloth), paint)
        features -= {"hat", "hood", "long_hair", "beard", "dress", "coat"}
        pen.curve([(-0.20, 0.42), (-0.20, 0.76), (-0.06, 0.78), (-0.06, 0.42)], second)
    dark = lighten(cloth, -0.28)
    big = 1.18 if "child" in features else 1.0  # children have larger heads
    if "long_hair" in features:
        _hair_behind(pen, hair, big)
    if features & {"hood"}:
        pen.curve(
            [(-0.20, 0.02), (-0.13, 0.55), (-0.05, 0.80), (0.06, 0.80), (0.10, 0.5), (0.08, 0.02)],
            lighten(cloth, -0.36),
        )
    _legs(pen, plan, lighten(cloth if plan.kind == "astronaut" else second, -0.4))
    _body(pen, features, cloth, dark, second)
    _arms(pen, plan, dark, skin, features, paint)
    _head(pen, plan, skin, hair, big, paint)
    _headwear(pen, features, cloth, second, hair, big)


def _hair_behind(pen: Pen, hair: Rgb, big: float) -> None:
    pen.curve(
        [
            (-0.10 * big, 0.96),
            (0.05, 0.98),
            (0.05, 0.70),
            (-0.06, 0.48),
            (-0.15, 0.50),
            (-0.13 * big, 0.75),
        ],
        lighten(hair, -0.12),
    )


def _legs(pen: Pen, plan: FigurePlan, colour: Rgb) -> None:
    spread = 0.085 if plan.walking else 0.045
    for way, shade in ((-1, -0.12), (1, 0.0)):
        foot = way * spread
        tone = lighten(colour, shade)
        pen.fill(
            [
                (way * 0.02 - 0.032, 0.34),
                (way * 0.02 + 0.032, 0.34),
                (foot + 0.026, 0.03),
                (foot - 0.026, 0.03),
            ],
            tone,
        )
        pen.curve(
            [
                (foot - 0.035, 0.0),
                (foot - 0.035, 0.05),
                (foot + 0.02, 0.055),
                (foot + 0.085, 0.025),
                (foot + 0.085, 0.0),
            ],
            lighten(tone, -0.25),
        )


def _body(pen: Pen, features: set[str], cloth: Rgb, dark: Rgb, second: Rgb) -> None:
    long = features & {"dress", "coat", "hood", "witch_hat"}
    hem, flare = (0.10, 0.205) if long else (0.27, 0.135)
    pen.curve(
        [
            (-0.075, 0.735),
            (-0.03, 0.775),
            (0.05, 0.775),
            (0.085, 0.73),
            (0.105, 0.55),
            (flare, hem + 0.02),
            (flare - 0.02, hem),
            (-flare + 0.02, hem),
            (-flare, hem + 0.02),
            (-0.11, 0.55),
        ],
        cloth,
    )
    # The side away from the light.
    pen.curve(
        [
            (-0.075, 0.73),
            (-0.035, 0.76),
            (-0.05, 0.5),
            (-0.075, hem + 0.01),
            (-flare + 0.015, hem + 0.005),
            (-flare + 0.005, hem + 0.02),
            (-0.105, 0.55),
        ],
        dark,
    )
    if "coat" in features:
        pen.line([(0.055, 0.74), (0.06, 0.5), (0.075, hem + 0.02)], lighten(cloth, -0.4), 0.010)
        pen.fill([(0.03, 0.77), (0.085, 0.73), (0.055, 0.62)], lighten(cloth, 0.16))
    elif "dress" in features:
        pen.curve([(-0.105, 0.50), (0.105, 0.50), (0.108, 0.545), (-0.108, 0.545)], second)
    else:
        pen.fill(
            [(-0.118, 0.46), (0.118, 0.46), (0.115, 0.495), (-0.115, 0.495)], lighten(second, -0.3)
        )
    if "scarf" in features:
        pen.curve([(-0.085, 0.735), (-0.07, 0.79), (0.08, 0.79), (0.095, 0.735)], second)
        pen.curve(
            [(-0.07, 0.76), (-0.20, 0.70), (-0.24, 0.63), (-0.19, 0.63), (-0.06, 0.72)],
            lighten(second, -0.12),
        )


def _arms(
    pen: Pen, plan: FigurePlan, sleeve: Rgb, skin: Rgb, features: set[str], paint: Paint
) -> None:
    raised = bool(features & {"lantern", "staff"})
    hand = (0.205, 0.52) if raised else (0.125, 0.40)
    if plan.walking and not raised:
        hand = (0.16, 0.43)
    if "staff" in features:
        wood = _lit(rgb("#7a5433"), paint)
        pen.line([(0.215, 0.0), (0.20, 0.86)], wood, 0.020)
        pen.oval(0.20, 0.88, 0.030, 0.030, paint.lamp)
    if "lantern" in features:
        pen.line([(0.205, 0.52), (0.215, 0.44)], (0.1, 0.1, 0.1), 0.008)
        pen.canvas.glow(
            pen.x + pen.way * 0.215 * pen.size,
            pen.foot - 0.40 * pen.size,
            0.34 * pen.size,
            paint.lamp,
            0.75,
        )
        pen.curve([(0.185, 0.37), (0.185, 0.44), (0.245, 0.44), (0.245, 0.37)], paint.lamp)
    tone = lighten(sleeve, 0.14)
    pen.curve(
        [
            (0.015, 0.73),
            (0.075, 0.735),
            (0.10, 0.60),
            (hand[0] + 0.02, hand[1] + 0.03),
            (hand[0] - 0.03, hand[1] - 0.005),
            (0.035, 0.58),
        ],
        tone,
    )
    pen.oval(hand[0], hand[1], 0.026, 0.026, skin)


def _head(pen: Pen, plan: FigurePlan, skin: Rgb, hair: Rgb, big: float, paint: Paint) -> None:
    r = 0.088 * big
    y = 0.775 + r * 0.92
    pen.fill([(-0.02, 0.75), (0.03, 0.75), (0.03, 0.80), (-0.02, 0.80)], lighten(skin, -0.15))
    features = set(plan.features)
    if plan.kind == "robot":
        pen.curve([(-r, y - r * 0.9), (-r, y + r), (r, y + r), (r, y - r * 0.9)], skin)
        pen.fill(
            [
                (-r * 0.2, y - 0.1 * r),
                (r * 0.9, y - 0.1 * r),
                (r * 0.9, y + 0.4 * r),
                (-r * 0.2, y + 0.4 * r),
            ],
            (0.05, 0.07, 0.1),
        )
        pen.oval(0.5 * r, y + 0.15 * r, 0.16 * r, 0.16 * r, paint.lamp)
        pen.oval(0.05 * r, y + 0.15 * r, 0.16 * r, 0.16 * r, paint.lamp)
        pen.line([(0, y + r), (0, y + r * 1.5)], hair, 0.012)
        pen.oval(0, y + r * 1.5, 0.02, 0.02, paint.lamp)
        return
    pen.oval(0.0, y, r, r * 1.04, skin)
    pen.oval(r * 1.0, y - r * 0.08, r * 0.13, r * 0.16, skin)  # the nose points the way
    hidden = features & {"hat", "witch_hat", "hood"}
    if plan.kind != "astronaut":
        top = [
            (-r * 1.08, y - r * 0.35),
            (-r * 1.12, y + r * 0.5),
            (-r * 0.5, y + r * 1.12),
            (r * 0.35, y + r * 1.15),
            (r * 0.95, y + r * 0.55),
            (r * 0.45, y + r * 0.55),
            (-r * 0.1, y + r * 0.35),
            (-r * 0.35, y - r * 0.2),
            (-r * 0.6, y - r * 0.7),
        ]
        pen.curve(top, hair)
    eye = mix(hair, (0.05, 0.04, 0.06), 0.85)
    if luma(skin) < 0.25:  # noqa: PLR2004 - eyes must show in dark faces too
        eye = lighten(skin, 0.7)
    for px in (0.28, 0.72):
        pen.oval(r * px, y + r * 0.08, r * 0.085, r * 0.12, eye)
    blush = mix(skin, (0.9, 0.35, 0.3), 0.28)
    pen.oval(r * 0.42, y - r * 0.30, r * 0.17, r * 0.10, blush)
    pen.line(
        [(r * 0.42, y - r * 0.50), (r * 0.62, y - r * 0.54), (r * 0.78, y - r * 0.46)],
        mix(skin, (0.35, 0.12, 0.1), 0.55),
        0.010,
    )
    if "beard" in features:
        pen.curve(
            [
                (-r * 0.35, y - r * 0.15),
                (r * 0.15, y - r * 0.42),
                (r * 0.98, y - r * 0.36),
                (r * 0.75, y - r * 1.3),
                (r * 0.2, y - r * 1.75),
                (-r * 0.3, y - r * 1.1),
            ],
            hair,
        )
    if "glasses" in features:
        for px in (0.25, 0.76):
            pen.oval(r * px, y + r * 0.08, r * 0.25, r * 0.25, (0.08, 0.08, 0.1))
            pen.oval(r * px, y + r * 0.08, r * 0.18, r * 0.18, mix(paint.sky[2], skin, 0.3))
    if plan.kind == "astronaut":
        pen.oval(0, y + 0.01, r * 1.5, r * 1.5, _lit((0.92, 0.93, 0.95), paint))
        pen.oval(r * 0.32, y + 0.01, r * 1.05, r * 0.98, (0.09, 0.15, 0.24))
        pen.oval(r * 0.55, y + r * 0.40, r * 0.35, r * 0.18, (0.55, 0.75, 0.88), -20)
        hidden = set()
    if "long_hair" in features and not hidden:
        pen.curve(
            [
                (-r * 1.1, y + r * 0.6),
                (-r * 0.55, y + r * 0.3),
                (-r * 0.62, y - r * 1.2),
                (-r * 1.25, y - r * 1.4),
            ],
            hair,
        )


def _headwear(pen: Pen, features: set[str], cloth: Rgb, second: Rgb, hair: Rgb, big: float) -> None:
    r = 0.088 * big
    y = 0.775 + r * 0.92
    if "crown" in features:
        gold = mix((0.95, 0.77, 0.26), second, 0.1)
        pen.fill(
            [
                (-r * 0.8, y + r * 0.72),
                (-r * 0.95, y + r * 1.62),
                (-r * 0.45, y + r * 1.18),
                (0, y + r * 1.75),
                (r * 0.45, y + r * 1.18),
                (r * 0.95, y + r * 1.62),
                (r * 0.8, y + r * 0.72),
            ],
            gold,
        )
    elif "witch_hat" in features:
        tone = lighten(cloth, -0.2)
        pen.curve(
            [
                (-r * 0.85, y + r * 0.6),
                (-r * 0.3, y + r * 2.0),
                (-r * 0.75, y + r * 3.1),
                (r * 0.15, y + r * 2.5),
                (r * 0.85, y + r * 0.6),
            ],
            tone,
        )
        pen.curve(
            [
                (-r * 1.9, y + r * 0.45),
                (0, y + r * 0.85),
                (r * 1.9, y + r * 0.5),
                (0, y + r * 0.42),
            ],
            lighten(tone, -0.15),
        )
        pen.fill(
            [
                (-r * 0.72, y + r * 0.78),
                (r * 0.74, y + r * 0.8),
                (r * 0.66, y + r * 1.02),
                (-r * 0.62, y + r * 1.0),
            ],
            second,
        )
    elif "hat" in features:
        tone = lighten(second, -0.35)
        pen.curve(
            [
                (-r * 0.9, y + r * 0.5),
                (-r * 0.85, y + r * 1.55),
                (0, y + r * 1.42),
                (r * 0.75, y + r * 1.55),
                (r * 0.9, y + r * 0.5),
            ],
            tone,
        )
        pen.curve(
            [
                (-r * 1.65, y + r * 0.42),
                (-r * 0.6, y + r * 0.72),
                (r * 0.8, y + r * 0.72),
                (r * 1.75, y + r * 0.45),
                (0, y + r * 0.40),
            ],
            lighten(tone, -0.18),
        )
        pen.fill(
            [
                (-r * 0.86, y + r * 0.66),
                (r * 0.86, y + r * 0.66),
                (r * 0.85, y + r * 0.88),
                (-r * 0.85, y + r * 0.88),
            ],
            lighten(tone, 0.3),
        )
    elif "hood" in features:
        pen.curve(
            [
                (-r * 0.6, y - r * 1.1),
                (-r * 1.35, y - r * 0.2),
                (-r * 1.3, y + r * 0.8),
                (-r * 0.5, y + r * 1.6),
                (r * 0.35, y + r * 1.45),
                (r * 0.85, y + r * 0.75),
                (r * 0.15, y + r * 0.65),
                (-r * 0.15, y),
                (r * 0.1, y - r * 0.9),
            ],
            cloth,
        )
    _ = hair
