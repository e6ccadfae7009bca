"""Creatures: animals and dragons in paper shapes, in the figure's own units."""

from __future__ import annotations

from collections.abc import Callable

from inference.video.storyboard.cast import FigurePlan
from inference.video.storyboard.colour import Rgb, lighten, rgb
from inference.video.storyboard.pen import Pen
from inference.video.storyboard.winged import draw_bird, draw_dragon

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
    "deer": "#96643c",
    "camel": "#c79a5e",
    "mouse": "#9a8f8a",
}
_RUSSET = frozenset({"#c23b3b", "#d9722e"})  # red and orange


# Height of the back and half the length, in figure units.
_BACKS = {
    "horse": 0.95, "deer": 0.86, "camel": 0.90, "bear": 0.74, "wolf": 0.62, "dog": 0.55, "fox": 0.50,
}  # fmt: skip
_LENGTHS = {
    "horse": 0.42, "deer": 0.34, "camel": 0.42, "bear": 0.36, "rabbit": 0.20, "cat": 0.27, "mouse": 0.24,
}  # fmt: skip
_MUZZLES = {  # in head radii
    "horse": 2.1, "deer": 1.9, "camel": 2.0, "wolf": 1.75, "fox": 1.75, "dog": 1.5, "bear": 1.35,
}  # fmt: skip
_LONG_NECKED = frozenset({"horse", "deer", "camel"})


def draw_creature(pen: Pen, plan: FigurePlan, lit: Callable[[Rgb], Rgb]) -> None:
    """Draw the kind of creature that the plan names."""
    fur = lit(rgb(_coat_of(plan)))
    if plan.kind == "bird":
        draw_bird(pen, fur, lit((0.95, 0.72, 0.3)))
    elif plan.kind == "dragon":
        draw_dragon(pen, fur, lit((0.95, 0.8, 0.4)))
    else:
        _beast(pen, plan.kind, fur, lit((0.96, 0.93, 0.88)))


def _coat_of(plan: FigurePlan) -> str:
    """The colour that the words name, except that a red fox is fox-red; else the kind's own."""
    natural = _FUR.get(plan.kind, plan.cloth)
    if not plan.named_colours or (plan.kind == "fox" and plan.cloth in _RUSSET):
        return natural
    return plan.cloth


def _beast(pen: Pen, kind: str, fur: Rgb, pale: Rgb) -> None:
    """A four-legged animal, seen from the side."""
    tall = _BACKS.get(kind, 0.40)
    long = _LENGTHS.get(kind, 0.34)
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
    if kind == "camel":
        pen.curve(
            [(-0.24, back * 0.96), (-0.10, back * 1.34), (0.10, back * 1.34), (0.20, back * 0.96)],
            fur,
        )
    neck = kind in _LONG_NECKED
    hx, hy = long * (1.15 if kind == "deer" else 1.05), tall * (1.12 if neck else 0.98)
    r = tall * (0.13 if neck else 0.24 if kind in {"cat", "rabbit", "mouse"} else 0.20)
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
    _beast_head(pen, kind, hx, hy, r, fur, pale)


def _beast_head(pen: Pen, kind: str, hx: float, hy: float, r: float, fur: Rgb, pale: Rgb) -> None:
    """Muzzle, mask, nose, eye and ears around the skull at (hx, hy), of radius r."""
    muzzle = _MUZZLES.get(kind, 1.05)
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
    _ears(pen, kind, hx, hy, r, fur, lighten(fur, -0.25))


def _legs(pen: Pen, kind: str, long: float, tall: float, fur: Rgb) -> None:
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


def _ears(pen: Pen, kind: str, hx: float, hy: float, r: float, fur: Rgb, dark: Rgb) -> None:
    if kind == "rabbit":
        pen.oval(hx - r * 0.35, hy + r * 1.7, r * 0.28, r * 1.1, dark, 12)
        pen.oval(hx + r * 0.10, hy + r * 1.75, r * 0.28, r * 1.1, fur, -6)
    elif kind == "deer":
        for way, tone in ((-0.55, lighten(dark, -0.2)), (0.1, dark)):
            root = (hx + r * way, hy + r * 0.8)
            tip = (root[0] - r * 0.9, root[1] + r * 3.0)
            fork = (root[0] - r * 0.75, root[1] + r * 1.4)
            pen.line([root, fork, tip], tone, 0.022)
            pen.line([fork, (fork[0] + r * 1.3, fork[1] + r * 1.2)], tone, 0.018)
            pen.line([root, (root[0] + r * 0.9, root[1] + r * 1.3)], tone, 0.018)
        pen.oval(hx - r * 0.8, hy + r * 0.6, r * 0.5, r * 0.24, fur, 20)
    elif kind in {"bear", "mouse"}:
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


def _tail(pen: Pen, kind: str, long: float, tall: float, fur: Rgb, pale: Rgb) -> None:
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
    elif kind in {"cat", "mouse"}:
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
    elif kind in {"rabbit", "deer"}:
        pen.oval(-long * 1.1, tall * 0.5, tall * 0.13, tall * 0.13, pale)
    elif kind in {"horse", "camel"}:
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
