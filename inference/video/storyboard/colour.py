"""Colour arithmetic for the drawing: mixing, shading, grading of RGB triples."""

from __future__ import annotations

import colorsys
from typing import TypeAlias

Rgb: TypeAlias = tuple[float, float, float]
"""Red, green, blue in 0..1 (sRGB values; mixing is done on them as painters expect)."""

LUMA = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709


def rgb(text: str) -> Rgb:
    """The colour of `#rrggbb`."""
    return (int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255)


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """`share` of `other` in `one`: 0 gives `one`, 1 gives `other`."""
    keep = 1.0 - share
    return (
        one[0] * keep + other[0] * share,
        one[1] * keep + other[1] * share,
        one[2] * keep + other[2] * share,
    )


def times(one: Rgb, other: Rgb) -> Rgb:
    """A surface colour under a light's colour, clipped to 0..1."""
    return (
        min(1.0, one[0] * other[0]),
        min(1.0, one[1] * other[1]),
        min(1.0, one[2] * other[2]),
    )


def lighten(one: Rgb, share: float) -> Rgb:
    """Toward white (share > 0) or toward black (share < 0)."""
    return mix(one, (1.0, 1.0, 1.0), share) if share >= 0 else mix(one, (0.0, 0.0, 0.0), -share)


def luma(one: Rgb) -> float:
    """Brightness as the eye sees it, 0..1."""
    return sum(part * weight for part, weight in zip(one, LUMA, strict=True))


def unlike(one: Rgb, other: Rgb, brightness: float) -> float:
    """How badly `one` suits to tint `other`: by hue, and by distance from a brightness (0..1).

    Greys have no hue and suit everything half well.
    """
    hues = colorsys.rgb_to_hls(*one)[0] - colorsys.rgb_to_hls(*other)[0]
    turn = abs((hues + 0.5) % 1.0 - 0.5) * 2
    grey = min(chroma(one), chroma(other)) < 0.08  # noqa: PLR2004 - no hue to speak of
    return (0.5 if grey else turn) + 0.6 * abs(luma(one) - brightness)


def chroma(one: Rgb) -> float:
    """How far from grey a colour is, 0..1."""
    return max(one) - min(one)


def saturate(one: Rgb, factor: float) -> Rgb:
    """Further from grey (factor > 1) or nearer to it (factor < 1); 0 is grey."""
    grey = luma(one)
    r, g, b = (min(1.0, max(0.0, grey + (part - grey) * factor)) for part in one)
    return (r, g, b)


def turn_hue(one: Rgb, turns: float) -> Rgb:
    """The same colour with its hue turned (1.0 is the whole circle)."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*one)
    return colorsys.hls_to_rgb((hue + turns) % 1.0, lightness, saturation)


def bytes_of(one: Rgb) -> tuple[int, int, int]:
    """The colour as three bytes."""
    r, g, b = (round(255 * min(1.0, max(0.0, part))) for part in one)
    return (r, g, b)
