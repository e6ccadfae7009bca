"""The pen that draws figures in their own units."""

from __future__ import annotations

import numpy as np

from inference.video.storyboard.canvas import Canvas
from inference.video.storyboard.colour import Rgb


class Pen:
    """Draws in a figure's own units: x across from its middle (forward is +), y up from its feet.

    Height 1.0 is the figure's size. stride: how far the feet are apart, 0 to 1.
    """

    def __init__(
        self,
        canvas: Canvas,
        x: float,
        foot: float,
        size: float,
        *,
        right: bool,
        stride: float = 0.0,
    ) -> None:
        self.canvas, self.x, self.foot, self.size = canvas, x, foot, size
        self.way = 1.0 if right else -1.0
        self.stride = stride

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
