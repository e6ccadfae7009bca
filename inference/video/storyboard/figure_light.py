"""The light on figures: how a figure's colours are shown so that it can be read."""

from __future__ import annotations

from inference.video.storyboard.colour import Rgb, mix
from inference.video.storyboard.styles import Paint

_NAMED_SATURATION = 0.72
_INVENTED_SATURATION = 0.25  # colours that nobody named follow the style


def lit(colour: Rgb, paint: Paint, glow: float = 0.0, *, named: bool = True) -> Rgb:
    """A figure's colour under the light; a little brighter than the land, to be read.

    A colour that the story names is kept where a style has few (a red dress stays red in black
    and white); glow: extra share of plain daylight.
    """
    keep = _NAMED_SATURATION if named else _INVENTED_SATURATION
    shown = paint.graded(colour, least_saturation=keep)
    plain = paint.graded(colour, under_light=False, least_saturation=keep)
    return mix(mix(shown, plain, (0.36 if paint.dark else 0.15) + glow), paint.haze, 0.04)
