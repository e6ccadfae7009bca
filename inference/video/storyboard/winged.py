"""Birds and dragons in paper shapes, in the figure's own units."""

from __future__ import annotations

from inference.video.storyboard.colour import Rgb, lighten, mix
from inference.video.storyboard.pen import Pen


def draw_bird(pen: Pen, body: Rgb, beak: Rgb) -> None:
    """An owl-shaped bird on the ground."""
    pen.curve(
        [(-0.15, 0.10), (-0.19, 0.45), (-0.10, 0.62), (0.10, 0.62), (0.19, 0.45), (0.14, 0.08)],
        body,
    )
    pen.curve([(-0.17, 0.16), (-0.20, 0.44), (-0.08, 0.48), (-0.04, 0.2)], lighten(body, -0.25))
    pen.oval(0.04, 0.28, 0.10, 0.15, mix(body, (0.95, 0.9, 0.8), 0.5))
    pen.fill([(-0.13, 0.58), (-0.12, 0.70), (-0.04, 0.61)], body)
    pen.fill([(0.04, 0.61), (0.13, 0.70), (0.13, 0.57)], body)
    for x in (-0.035, 0.085):
        pen.oval(x, 0.52, 0.052, 0.055, (0.97, 0.95, 0.88))
        pen.oval(x + 0.008, 0.52, 0.024, 0.028, (0.06, 0.05, 0.06))
    pen.fill([(0.005, 0.49), (0.055, 0.49), (0.032, 0.43)], beak)
    for x in (-0.06, 0.06):
        pen.line([(x, 0.10), (x, 0.0), (x + 0.05, 0.0)], beak, 0.018)


def draw_dragon(pen: Pen, hide: Rgb, belly: Rgb) -> None:
    """A sitting dragon with a raised neck and spread wing."""
    dark = lighten(hide, -0.3)
    pen.curve(
        [
            (-0.10, 0.55),
            (-0.55, 1.15),
            (-0.75, 0.72),
            (-0.62, 0.70),
            (-0.50, 0.58),
            (-0.40, 0.62),
            (-0.28, 0.45),
        ],
        dark,
    )
    pen.curve([(-0.25, 0.06), (-0.75, 0.05), (-0.92, 0.28), (-0.70, 0.16), (-0.3, 0.22)], hide)
    pen.curve(
        [(-0.30, 0.02), (-0.34, 0.35), (-0.15, 0.58), (0.12, 0.60), (0.20, 0.30), (0.18, 0.0)], hide
    )
    pen.curve(
        [(-0.02, 0.45), (0.04, 0.85), (0.18, 1.05), (0.32, 1.02), (0.24, 0.85), (0.20, 0.40)], hide
    )
    pen.curve([(0.10, 0.06), (0.20, 0.5), (0.20, 0.80), (0.13, 0.7), (0.06, 0.3)], belly)
    pen.curve(
        [(0.12, 0.92), (0.18, 1.10), (0.34, 1.10), (0.56, 0.98), (0.54, 0.90), (0.3, 0.90)], hide
    )
    pen.fill([(0.18, 1.06), (0.04, 1.22), (0.25, 1.10)], belly)
    pen.oval(0.33, 1.035, 0.026, 0.030, (0.98, 0.85, 0.3))
    pen.oval(0.34, 1.035, 0.010, 0.024, (0.05, 0.05, 0.05))
    pen.oval(0.53, 0.97, 0.012, 0.010, dark)
    for x in (-0.18, 0.12):
        pen.curve([(x - 0.08, 0.25), (x + 0.08, 0.25), (x + 0.14, 0.0), (x - 0.06, 0.0)], dark)
    for at in range(6):
        y = 0.5 + at * 0.09
        x = -0.02 + at * 0.024
        pen.fill([(x, y), (x - 0.07, y + 0.06), (x + 0.01, y + 0.07)], belly)
