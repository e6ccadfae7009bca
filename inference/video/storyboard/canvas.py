"""A sheet to draw one depth layer on: anti-aliased shapes on premultiplied RGBA."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.video.storyboard.colour import Rgb, bytes_of

Rgba = NDArray[np.uint8]
"""Premultiplied RGBA, [h, w, 4]."""
Mask = NDArray[np.uint8]
"""Coverage, [h, w], 255 is full."""

_SHIFT = 4  # fractional bits of OpenCV's drawing coordinates: 1/16 pixel


@dataclass(frozen=True)
class Geometry:
    """The frame to draw for: pixels, and the `unit` that sizes things (also in portrait)."""

    width: int
    height: int

    @property
    def unit(self) -> float:
        """Pixels of size 1.0: the height of a wide frame, less in a tall one."""
        return min(float(self.height), 1.12 * self.width)


class Canvas:
    """A layer's sheet; coordinates are frame pixels, so the sheet may reach beyond the frame."""

    def __init__(self, left: int, top: int, right: int, bottom: int) -> None:
        self.left, self.top = left, top
        self.width, self.height = max(1, right - left), max(1, bottom - top)
        self.image: Rgba = np.zeros((self.height, self.width, 4), np.uint8)

    @property
    def right(self) -> int:
        """The frame pixel just beyond the right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The frame pixel just below the lower edge."""
        return self.top + self.height

    def _fixed(self, points: ArrayLike) -> NDArray[np.int32]:
        moved = np.asarray(points, np.float64).reshape(-1, 2) - (self.left, self.top)
        # Far outside points would overflow the fixed-point coordinates.
        moved = np.clip(moved, -4 * self.width - 999, 5 * self.width + 999)
        return np.round(moved * (1 << _SHIFT)).astype(np.int32)

    def polygon(self, points: ArrayLike, colour: Rgb) -> None:
        """Fill a closed outline."""
        cv2.fillPoly(
            self.image, [self._fixed(points)], (*bytes_of(colour), 255), cv2.LINE_AA, _SHIFT
        )

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, colour: Rgb) -> None:
        """Fill an upright rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: Rgb, turn_deg: float = 0.0
    ) -> None:
        """Fill an ellipse around (x, y)."""
        steps = int(np.clip(10 + (rx + ry) * 0.6, 12, 72))
        around = np.linspace(0, 2 * np.pi, steps, endpoint=False)
        points = np.stack([rx * np.cos(around), ry * np.sin(around)], axis=1)
        if turn_deg:
            turn = np.deg2rad(turn_deg)
            spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
            points = points @ spin
        self.polygon(points + np.array((x, y)), colour)

    def stroke(self, points: ArrayLike, colour: Rgb, thickness: float) -> None:
        """Draw an open line."""
        cv2.polylines(
            self.image,
            [self._fixed(points)],
            isClosed=False,
            color=(*bytes_of(colour), 255),
            thickness=max(1, round(thickness)),
            lineType=cv2.LINE_AA,
            shift=_SHIFT,
        )

    def mask(self, points: ArrayLike) -> Mask:
        """The coverage of an outline on this sheet."""
        cover = np.zeros((self.height, self.width), np.uint8)
        cv2.fillPoly(cover, [self._fixed(points)], (255,), cv2.LINE_AA, _SHIFT)
        return cover

    def wash(self, cover: Mask, upper: Rgb, lower: Rgb, y0: float, y1: float) -> None:
        """Lay a vertical blend from `upper` at y0 to `lower` at y1 through a coverage."""
        rows = np.arange(self.height, dtype=np.float32) + self.top
        part = np.clip((rows - y0) / max(1e-6, y1 - y0), 0, 1)[:, None]
        line = (np.array(upper) * (1 - part) + np.array(lower) * part) * 255
        row = np.full((self.height, 1, 4), 255, np.uint8)
        row[:, 0, :3] = np.clip(line + 0.5, 0, 255).astype(np.uint8)
        self.lay(np.asarray(cv2.repeat(row, 1, self.width), np.uint8), cover)

    def shape(self, points: ArrayLike, upper: Rgb, lower: Rgb, y0: float, y1: float) -> Mask:
        """Fill an outline with a vertical blend; gives its coverage."""
        cover = self.mask(points)
        self.wash(cover, upper, lower, y0, y1)
        return cover

    def lay(self, sheet: Rgba, cover: Mask) -> None:
        """Lay an opaque sheet of this size over the drawing through a coverage."""
        spread = cv2.merge([cover, cover, cover, cover])
        over(self.image, np.asarray(cv2.multiply(sheet, spread, scale=1 / 255), np.uint8), cover)

    def glow(self, x: float, y: float, radius: float, colour: Rgb, strength: float) -> None:
        """Add a soft round light (strength 0..1)."""
        reach = int(radius) + 1
        x0, x1 = max(0, int(x - self.left) - reach), min(self.width, int(x - self.left) + reach)
        y0, y1 = max(0, int(y - self.top) - reach), min(self.height, int(y - self.top) + reach)
        if x0 >= x1 or y0 >= y1:
            return
        across = (np.arange(x0, x1, dtype=np.float32) + self.left - x) / radius
        down = (np.arange(y0, y1, dtype=np.float32) + self.top - y) / radius
        away = np.sqrt(across[None, :] ** 2 + down[:, None] ** 2)
        fall = np.clip(1 - away, 0, 1) ** 2.2 * strength
        part = self.image[y0:y1, x0:x1]
        # Screen, so that a light on a bright sky whitens it instead of clipping to a hue.
        tint = np.array(colour, np.float32) * 255
        lit = fall[..., None] * tint
        base = part[..., :3].astype(np.float32)
        part[..., :3] = np.minimum(255, base + lit * (1 - base / 255)).astype(np.uint8)
        part[..., 3] = np.maximum(part[..., 3], part[..., :3].max(axis=2))


def over(below: Rgba, above: Rgba, cover: Mask) -> None:
    """Composite premultiplied `above` (coverage given) onto `below`, in place."""
    rest = cv2.bitwise_not(cover)
    spread = cv2.merge([rest, rest, rest, rest])
    cv2.multiply(below, spread, dst=below, scale=1 / 255)
    cv2.add(below, above, dst=below)
