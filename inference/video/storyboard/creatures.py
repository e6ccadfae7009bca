"""Creatures: animals and dragons in paper shapes, in the figure's own units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from inference.video.storyboard.cast import FigurePlan
from inference.video.storyboard.colour import Rgb, lighten, mix, rgb

_FUR = {
    "fox": "#d2692f",
    "wolf": "#7b8089",
    "dog": "#a8713f",
    "cat": "#5b5560",
    "bear": "#6d4a33",
    "rabbit": "#cfc4b6",
    "bird": "#4a5a78",
    "horse": "#8a5a3a",
    "dragon": "#3f8a6c",
}


class CreaturePen(Protocol):
    """What the figures' pen can do."""

    stride: float

    def fill(self, outline: list[tuple[float, float]], colour: Rgb) -> None:
        """A polygon."""

    def curve(self, outline: list[tuple[float, float]], colour: Rgb) -> None:
        """A rounded outline."""

    def oval(
        self, px: float, py: float, rx: float, ry: float, colour: Rgb, turn: float = 0.0
    ) -> None:
        """An ellipse."""

    def line(self, outline: list[tuple[float, float]], colour: Rgb, thickness: float) -> None:
        """An open line."""


def draw_creature(pen: CreaturePen, plan: FigurePlan, lit: Callable[[Rgb], Rgb]) -> None:
    """Draw the kind of creature that the plan names."""
    worded = plan.cloth if plan.features and plan.kind == "dragon" else ""
    fur = lit(rgb(worded or _FUR.get(plan.kind, plan.cloth)))
    if plan.kind == "bird":
        _bird(pen, fur, lit((0.95, 0.72, 0.3)))
    elif plan.kind == "dragon":
        _dragon(pen, fur, lit((0.95, 0.8, 0.4)))
    else:
        _beast(pen, plan.kind, fur, lit((0.96, 0.93, 0.88)))


def _beast(pen: CreaturePen, kind: str, fur: Rgb, pale: Rgb) -> None:
    """A four-legged animal, seen from the side."""
    dark = lighten(fur, -0.25)
    tall = {"horse": 0.95, "bear": 0.74, "wolf": 0.62, "dog": 0.55, "fox": 0.50}.get(kind, 0.40)
    long = {"horse": 0.42, "bear": 0.36, "rabbit": 0.20, "cat": 0.27}.get(kind, 0.34)
    _legs(pen, kind, long, tall, fur)
    back, belly = tall * 0.86, tall * 0.36
    pen.curve(
        [
            (-long, belly + 0.06),
            (-long * 1.08, back * 0.85),
            (-long * 0.5, back),
            (long * 0.4, back * 0.98),
            (long * 0.98, back * 1.05),
            (long * 1.0, belly + 0.05),
            (0, belly),
        ],
        fur,
    )
    _tail(pen, kind, long, tall, fur, pale)
    hx, hy = long * 1.05, tall * (1.12 if kind == "horse" else 0.98)
    r = tall * (0.15 if kind == "horse" else 0.24 if kind in {"cat", "rabbit"} else 0.20)
    pen.curve(
        [
            (long * 0.55, back * 0.95),
            (hx - r, hy + r * 0.4),
            (hx + r * 0.5, hy - r * 0.6),
            (long * 0.95, belly + 0.1),
        ],
        fur,
    )
    pen.oval(hx, hy, r * 1.06, r, fur)
    muzzle = {"horse": 2.1, "wolf": 1.75, "fox": 1.75, "dog": 1.5, "bear": 1.35}.get(kind, 1.05)
    pen.curve(
        [
            (hx + r * 0.2, hy + r * 0.55),
            (hx + r * muzzle, hy - r * 0.05),
            (hx + r * muzzle, hy - r * 0.5),
            (hx + r * 0.1, hy - r * 0.95),
        ],
        fur,
    )
    if kind in {"fox", "wolf", "dog", "cat"}:
        pen.curve(
            [
                (hx + r * 0.1, hy - r * 0.2),
                (hx + r * muzzle * 0.96, hy - r * 0.32),
                (hx + r * 0.2, hy - r * 0.95),
                (hx - r * 0.6, hy - r * 0.9),
            ],
            pale,
        )
    pen.oval(hx + r * muzzle, hy - r * 0.22, r * 0.15, r * 0.14, (0.08, 0.07, 0.08))
    pen.oval(hx + r * 0.38, hy + r * 0.22, r * 0.12, r * 0.14, (0.06, 0.05, 0.06))
    _ears(pen, kind, hx, hy, r, fur, dark)


def _legs(pen: CreaturePen, kind: str, long: float, tall: float, fur: Rgb) -> None:
    dark = lighten(fur, -0.25)
    leg, thick = tall * 0.46, tall * (0.125 if kind == "bear" else 0.085)
    step = tall * 0.10 * pen.stride
    for x, tone, way in (
        (-long * 0.62, dark, 1),
        (long * 0.50, dark, -1),
        (-long * 0.86, fur, -1),
        (long * 0.74, fur, 1),
    ):
        foot = x + way * step
        pen.curve(
            [
                (x - thick, leg * 1.4),
                (x + thick, leg * 1.4),
                (foot + thick * 0.75, 0.0),
                (foot - thick * 0.85, 0.0),
            ],
            tone,
        )


def _ears(pen: CreaturePen, kind: str, hx: float, hy: float, r: float, fur: Rgb, dark: Rgb) -> None:
    if kind == "rabbit":
        pen.oval(hx - r * 0.35, hy + r * 1.7, r * 0.28, r * 1.1, dark, 12)
        pen.oval(hx + r * 0.10, hy + r * 1.75, r * 0.28, r * 1.1, fur, -6)
    elif kind == "bear":
        pen.oval(hx - r * 0.5, hy + r * 0.85, r * 0.36, r * 0.36, dark)
        pen.oval(hx + r * 0.3, hy + r * 0.95, r * 0.36, r * 0.36, fur)
    elif kind == "dog":
        pen.curve(
            [
                (hx - r * 0.6, hy + r * 0.9),
                (hx - r * 1.1, hy - r * 0.6),
                (hx - r * 0.4, hy - r * 0.5),
                (hx - r * 0.1, hy + r * 0.8),
            ],
            dark,
        )
    else:
        pen.fill(
            [
                (hx - r * 0.85, hy + r * 0.4),
                (hx - r * 0.62, hy + r * 1.75),
                (hx - r * 0.1, hy + r * 0.9),
            ],
            dark,
        )
        pen.fill(
            [
                (hx - r * 0.25, hy + r * 0.8),
                (hx + r * 0.12, hy + r * 1.8),
                (hx + r * 0.5, hy + r * 0.7),
            ],
            fur,
        )
    if kind == "horse":
        pen.curve(
            [
                (hx - r * 0.2, hy + r * 1.2),
                (hx - r * 1.4, hy + r * 0.4),
                (hx - r * 2.4, hy - r * 2.2),
                (hx - r * 1.3, hy - r * 1.4),
            ],
            lighten(dark, -0.3),
        )


def _tail(pen: CreaturePen, kind: str, long: float, tall: float, fur: Rgb, pale: Rgb) -> None:
    if kind in {"fox", "wolf"}:
        pen.curve(
            [
                (-long * 0.9, tall * 0.72),
                (-long * 1.5, tall * 0.80),
                (-long * 2.0, tall * 0.45),
                (-long * 1.9, tall * 0.30),
                (-long * 1.35, tall * 0.42),
            ],
            fur,
        )
        if kind == "fox":
            pen.curve(
                [
                    (-long * 1.78, tall * 0.56),
                    (-long * 2.08, tall * 0.42),
                    (-long * 1.93, tall * 0.29),
                    (-long * 1.70, tall * 0.37),
                ],
                pale,
            )
    elif kind == "cat":
        pen.line(
            [
                (-long, tall * 0.7),
                (-long * 1.35, tall * 0.9),
                (-long * 1.3, tall * 1.35),
                (-long * 1.5, tall * 1.5),
            ],
            fur,
            0.045,
        )
    elif kind == "rabbit":
        pen.oval(-long * 1.1, tall * 0.5, tall * 0.13, tall * 0.13, pale)
    elif kind == "horse":
        pen.curve(
            [
                (-long, tall * 0.8),
                (-long * 1.35, tall * 0.7),
                (-long * 1.4, tall * 0.2),
                (-long * 1.15, tall * 0.3),
            ],
            lighten(fur, -0.4),
        )
    elif kind == "dog":
        pen.line([(-long, tall * 0.75), (-long * 1.35, tall * 1.05)], fur, 0.05)


def _bird(pen: CreaturePen, body: Rgb, beak: Rgb) -> None:
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


def _dragon(pen: CreaturePen, hide: Rgb, belly: Rgb) -> None:
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
