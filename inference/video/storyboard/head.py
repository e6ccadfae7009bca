"""Heads: faces, hair and what is worn on them."""

from __future__ import annotations

from inference.video.storyboard.cast import FigurePlan
from inference.video.storyboard.colour import Rgb, lighten, luma, mix
from inference.video.storyboard.figure_light import lit
from inference.video.storyboard.pen import Pen
from inference.video.storyboard.styles import Paint

_DARK_SKIN = 0.30  # luma


def draw_head(pen: Pen, plan: FigurePlan, skin: Rgb, hair: Rgb, big: float, paint: Paint) -> None:
    """Face, hair, beard, glasses or helmet."""
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
    for px in (0.28, 0.72):
        if luma(skin) < _DARK_SKIN:  # eyes must show in dark faces too
            pen.oval(r * px, y + r * 0.08, r * 0.17, r * 0.17, mix(skin, (1.0, 1.0, 1.0), 0.72))
        pen.oval(r * px, y + r * 0.08, r * 0.085, r * 0.12, eye)
    blush = mix(skin, lit((0.9, 0.35, 0.3), paint), 0.3)
    pen.oval(r * 0.42, y - r * 0.30, r * 0.17, r * 0.10, blush)
    pen.line(
        [(r * 0.42, y - r * 0.50), (r * 0.62, y - r * 0.54), (r * 0.78, y - r * 0.46)],
        mix(skin, lit((0.35, 0.12, 0.1), paint), 0.55),
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
        pen.oval(0, y + 0.01, r * 1.5, r * 1.5, lit((0.92, 0.93, 0.95), paint))
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


def draw_headwear(pen: Pen, features: set[str], cloth: Rgb, second: Rgb, big: float) -> None:
    """Crown, pointed hat, hat or hood."""
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
