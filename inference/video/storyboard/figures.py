"""Figures: whoever is in the shot as a layer that breathes or walks."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from inference.video.storyboard.boat import rocking
from inference.video.storyboard.canvas import Canvas, Geometry, over
from inference.video.storyboard.cast import FigurePlan
from inference.video.storyboard.colour import mix
from inference.video.storyboard.creatures import draw_creature
from inference.video.storyboard.figure_light import lit
from inference.video.storyboard.layers import Layer, Motion, finished
from inference.video.storyboard.looks import PEOPLE
from inference.video.storyboard.noise import seed_of
from inference.video.storyboard.pen import Pen
from inference.video.storyboard.person import draw_person
from inference.video.storyboard.styles import Paint

DEPTH = 0.86


def figure_layer(
    plan: FigurePlan, geometry: Geometry, paint: Paint, ground_y: float, *, afloat: bool = False
) -> Layer:
    """One figure as a layer that breathes, walks, or rises and falls with a boat."""
    unit = geometry.unit
    size = unit * plan.size
    reach = 0.40 * geometry.width if not afloat else 0.30 * unit
    x = geometry.width * 0.5 + reach * plan.place
    half = round(size * _half_width(plan))
    box = (
        round(x) - half,
        round(ground_y - size * 1.3),
        round(x) + half,
        round(ground_y + size * 0.06),
    )

    def posed(stride: float) -> Canvas:
        canvas = Canvas(*box)
        pen = Pen(canvas, x, ground_y, size, right=plan.faces_right, stride=stride)
        _ground_shadow(canvas, x, ground_y, size)
        if plan.kind in PEOPLE:
            draw_person(pen, plan, paint)
        else:
            draw_creature(pen, plan, lambda colour: lit(colour, paint))
        _outline(canvas, paint, max(1, round(unit / 330)))
        return canvas

    walking = plan.walking and not afloat
    motion = (
        rocking(unit)
        if afloat
        else Motion(
            breath=0.0 if walking else 0.012,
            sway=size * (0.012 if walking else 0.004),
            bob=size * 0.030 if walking else 0.0,
            rate=0.95 if walking else 0.28,
            phase=plan.phase,
            pinned=walking,
        )
    )
    seed = seed_of(plan.name)
    standing = finished(
        posed(1.0 if walking else 0.35), DEPTH, paint.style, seed, motion=motion, crop=False
    )
    if not walking:
        return standing
    passing = finished(posed(0.0), DEPTH, paint.style, seed, crop=False)
    return replace(standing, alternate=passing.image)


def _half_width(plan: FigurePlan) -> float:
    """Room to each side, in figure units."""
    if plan.kind not in PEOPLE:
        return 1.0
    return 0.62 if set(plan.features) & {"lantern", "staff", "sword"} else 0.42


def _outline(canvas: Canvas, paint: Paint, thick: int) -> None:
    """A thin rim of light around the figure, which lifts it off what lies behind."""
    solid = cv2.inRange(canvas.image, (0, 0, 0, 200), (255, 255, 255, 255))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thick + 1, 2 * thick + 1))
    grown = cv2.GaussianBlur(cv2.dilate(solid, disc), (0, 0), 0.8)
    share = 0.75 if paint.style.edge == "cut" or paint.dark else 0.5
    rim = mix(paint.haze, paint.sun, 0.6) if paint.dark else mix(paint.sun, (1.0, 1.0, 1.0), 0.5)
    behind = np.empty_like(canvas.image)
    for channel, part in enumerate((*rim, 1.0)):
        behind[..., channel] = cv2.convertScaleAbs(grown, alpha=part * share)
    figure = canvas.image.copy()
    over(behind, figure, np.ascontiguousarray(figure[..., 3]))
    canvas.image[:] = behind


def _ground_shadow(canvas: Canvas, x: float, y: float, size: float) -> None:
    away = canvas.image
    rows = np.arange(canvas.height, dtype=np.float32)[:, None] + canvas.top - y
    across = np.arange(canvas.width, dtype=np.float32)[None, :] + canvas.left - x
    reach = np.sqrt((across / (size * 0.26)) ** 2 + (rows / (size * 0.045)) ** 2)
    away[..., 3] = (np.clip(1 - reach, 0, 1) * 105).astype(np.uint8)
