"""The stand of one scenery: its plan, sheet and paint, with the choices that places share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from inference.video.storyboard.buildings import castle
from inference.video.storyboard.layers import Layer, Sheet
from inference.video.storyboard.noise import random_of
from inference.video.storyboard.plan import DrawingPlan
from inference.video.storyboard.sky import HORIZON
from inference.video.storyboard.styles import Paint
from inference.video.storyboard.terrain import mountains
from inference.video.storyboard.town import skyline
from inference.video.storyboard.trees import TreeKind

_OLD_TIMES = frozenset({"storybook", "ink", "watercolour"})

Layers: TypeAlias = tuple[list[Layer], list[Layer]]
"""Behind the figures, before them."""


@dataclass(frozen=True)
class Stand:
    """Where and how the scenery is drawn."""

    plan: DrawingPlan
    sheet: Sheet
    paint: Paint

    @property
    def seed(self) -> int:
        """The land's seed."""
        return self.plan.place_seed

    @property
    def bleak(self) -> bool:
        """Whether trees stand bare."""
        return self.plan.preset == "noir" or "storm" in self.plan.weather


def trees_of(stand: Stand) -> tuple[TreeKind, ...]:
    """The kinds of tree that grow here."""
    if stand.bleak:
        return ("bare", "pine", "bare")
    if stand.paint.wintry:
        return ("pine", "pine", "bare")
    mixes: tuple[tuple[TreeKind, ...], ...] = (
        ("pine",),
        ("round", "pine", "round"),
        ("pine", "pine", "round"),
    )
    return mixes[stand.seed % len(mixes)]


def far_range(stand: Stand, tall: float = 0.30) -> Layer:
    """What closes the view, by the second place that the words name."""
    sheet, paint, seed = stand.sheet, stand.paint, stand.seed
    second = stand.plan.second_setting
    if second == "city" and not is_old(stand):
        return skyline(sheet, paint, seed + 7, 0.18, HORIZON + 0.04, 0.30, future=is_future(stand))
    if second in {"castle", "city"}:
        return castle(sheet, paint, seed + 7, 0.30, HORIZON + 0.02, 0.34, aside(stand))
    surface = "dune" if second == "desert" else "rock"
    return mountains(sheet, paint, seed + 1, 0.12, HORIZON + 0.03, tall, surface)


def aside(stand: Stand) -> float:
    """Somewhere off the middle, of the frame's width."""
    if len(stand.plan.figures) == 1:  # not behind whoever is there
        return 0.5 - 0.22 * (1.0 if stand.plan.figures[0].place > 0 else -1.0)
    return 0.5 + float(random_of(stand.seed, "aside").choice((-0.22, 0.22)))


def is_old(stand: Stand) -> bool:
    """Whether towns are of times before tall blocks."""
    return stand.plan.preset in _OLD_TIMES and "modern" not in stand.plan.things


def is_future(stand: Stand) -> bool:
    """Whether buildings are of times to come."""
    return stand.plan.preset == "scifi"
