"""People in simple paper shapes, told apart by colour, hair, hat and cloak."""

from __future__ import annotations

from inference.video.storyboard.cast import FigurePlan
from inference.video.storyboard.colour import Rgb, lighten, rgb
from inference.video.storyboard.figure_light import lit
from inference.video.storyboard.head import draw_head, draw_headwear
from inference.video.storyboard.pen import Pen
from inference.video.storyboard.styles import Paint

_FACE_GLOW = 0.22  # faces are seen first


def draw_person(pen: Pen, plan: FigurePlan, paint: Paint) -> None:
    """Draw one person: cloak or legs, body, arms, head, hat."""
    features = set(plan.features)
    cloth = lit(rgb(plan.cloth), paint, named=plan.named_colours > 0)
    second = lit(rgb(plan.second), paint, named=plan.named_colours > 1)
    skin = lit(rgb(plan.skin), paint, _FACE_GLOW, named=False)
    hair = lit(rgb(plan.hair), paint, named=False)
    if plan.kind == "robot":
        features -= {"long_hair", "beard", "hood", "hat"}
        skin, hair = lit((0.72, 0.76, 0.80), paint), lit((0.4, 0.44, 0.5), paint)
    if plan.kind == "astronaut":
        cloth, second = lit((0.90, 0.91, 0.93), paint), lit(rgb(plan.cloth), paint)
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
    _legs(pen, lighten(cloth if plan.kind == "astronaut" else second, -0.4))
    _body(pen, features, cloth, dark, second)
    _arms(pen, plan, dark, skin, features, paint)
    draw_head(pen, plan, skin, hair, big, paint)
    draw_headwear(pen, features, cloth, second, big)


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


def _legs(pen: Pen, colour: Rgb) -> None:
    spread = 0.012 + 0.10 * pen.stride
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
    raised = bool(features & {"lantern", "staff", "sword"})
    hand = (0.205, 0.52) if raised else (0.125, 0.40)
    if plan.walking and not raised:
        hand = (0.16, 0.43)
    if "staff" in features:
        wood = lit(rgb("#7a5433"), paint)
        pen.line([(0.215, 0.0), (0.20, 0.86)], wood, 0.020)
        pen.oval(0.20, 0.88, 0.030, 0.030, paint.lamp)
    if "sword" in features:
        steel = lit((0.78, 0.81, 0.86), paint)
        pen.fill(
            [(0.195, 0.545), (0.225, 0.535), (0.405, 0.93), (0.395, 0.97), (0.37, 0.945)], steel
        )
        pen.line([(0.155, 0.575), (0.255, 0.525)], lit(rgb("#6b4a2c"), paint), 0.020)
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
