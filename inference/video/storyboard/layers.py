"""Depth layers: what the compositor moves, and the paper finish that each one gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from inference.video.storyboard.canvas import Canvas, Geometry, Rgba
from inference.video.storyboard.noise import cloud_texture, paper_texture
from inference.video.storyboard.styles import Style

_FULL = 255
_FAINT = 2  # 8-bit steps that nobody sees
_TILE = 256  # pixels of the paper tile; repeated over larger layers


@dataclass(frozen=True)
class Motion:
    """Own movement of a layer, on top of the camera's.

    drift: pixels a second to the right. sway: pixels that the top leans to and fro.
    breath: share by which the height swells. bob: pixels of a walker's step.
    slide, heave: pixels to and fro, up and down. rate: cycles a second of all that swings.
    phase: radians. pinned: keeps its place under tracking, as somebody whom the camera follows.
    """

    drift: float = 0.0
    sway: float = 0.0
    breath: float = 0.0
    bob: float = 0.0
    slide: float = 0.0
    heave: float = 0.0
    rate: float = 0.3
    phase: float = 0.0
    pinned: bool = False


@dataclass(frozen=True)
class Layer:
    """One sheet at one depth (0 horizon, 1 at the camera), placed in frame pixels.

    opaque_from: row of the image below which nothing shows through; its height when none.
    blend: `over`, or `add` for light. alternate: the same size, shown at the height of each step.
    """

    image: Rgba
    left: int
    top: int
    depth: float
    motion: Motion = Motion()
    blend: Literal["over", "add"] = "over"
    opaque_from: int = 1 << 30
    alternate: Rgba | None = None


@dataclass(frozen=True)
class Sheet:
    """How wide layers must be drawn, so that no move shows their edges (frame pixels)."""

    geometry: Geometry
    across: float
    up_down: float

    def canvas(self, depth: float, top: float | None = None, bottom: float | None = None) -> Canvas:
        """A sheet for a layer at `depth`, from `top` to `bottom` (default: the whole height)."""
        frame = self.geometry
        reach = depth_share(depth)
        wide = int(frame.width * self.across * reach) + 8
        tall = int(frame.height * self.up_down * reach) + 8
        upper = -tall if top is None else int(top)
        lower = frame.height + tall if bottom is None else int(bottom)
        return Canvas(-wide, upper, frame.width + wide, max(lower, upper + 2))


def depth_share(depth: float) -> float:
    """The share of the camera's displacement that a layer at `depth` makes."""
    return 0.22 + 0.78 * depth


def finished(
    canvas: Canvas,
    depth: float,
    style: Style,
    seed: int,
    *,
    motion: Motion | None = None,
    crop: bool = True,
) -> Layer:
    """Give a drawn sheet its paper: texture, light edge and cast shadow; and make it a layer."""
    image = canvas.image
    alpha = np.ascontiguousarray(image[..., 3])
    if style.paper > 0:
        _texture(image, seed, style)
    if style.edge == "cut":
        _light_edge(image, alpha, depth)
        image = _with_shadow(image, alpha, 0.30 * (0.4 + 0.6 * depth))
    elif style.edge == "wash":
        _pigment_edge(image, alpha)
    layer = Layer(image, canvas.left, canvas.top, depth, opaque_from=opaque_from(image))
    layer = replace(layer, motion=motion) if motion else layer
    return cropped(layer) if crop else layer


def opaque_from(image: Rgba) -> int:
    """The row from which nothing shows through; the height when there is none."""
    full = cv2.reduce(cv2.extractChannel(image, 3), 1, cv2.REDUCE_MIN)[:, 0] == _FULL
    if full.all():
        return 0
    return len(full) - int(np.argmin(full[::-1]))


def cropped(layer: Layer) -> Layer:
    """The layer without its empty margins; its foot stays, since own motion turns about it."""
    alpha = cv2.extractChannel(layer.image, 3)
    columns = np.flatnonzero(cv2.reduce(alpha, 0, cv2.REDUCE_MAX)[0] > _FAINT)
    rows = np.flatnonzero(cv2.reduce(alpha, 1, cv2.REDUCE_MAX)[:, 0] > _FAINT)
    if not len(columns):
        return layer
    x0, x1 = max(0, int(columns[0]) - 1), int(columns[-1]) + 2
    y0 = max(0, int(rows[0]) - 1)
    image = np.ascontiguousarray(layer.image[y0:, x0:x1])
    opaque_from = max(0, layer.opaque_from - y0)
    return replace(
        layer, image=image, left=layer.left + x0, top=layer.top + y0, opaque_from=opaque_from
    )


def _texture(image: Rgba, seed: int, style: Style) -> None:
    """Multiply the colours by paper (in place); alpha stays."""
    height, width = image.shape[:2]
    tile = paper_texture(_TILE, _TILE, seed % 1000)
    strength = 0.55 * style.paper
    soft = np.clip(128 + (tile.astype(np.float32) - 128) * strength, 0, 255)
    if style.edge == "wash":
        bloom = cloud_texture(_TILE, _TILE, 3, seed % 997) - 0.5
        soft = np.clip(soft + 6 + 30 * bloom, 0, 255)
    grown = soft.astype(np.uint8)
    ups, sides = -(-height // _TILE), -(-width // _TILE)
    mirrored = np.concatenate([grown, grown[:, ::-1]], axis=1)
    mirrored = np.concatenate([mirrored, mirrored[::-1]], axis=0)
    paper = np.tile(mirrored, (ups // 2 + 1, sides // 2 + 1))[:height, :width]
    plain = np.full_like(paper, 128)
    spread = cv2.merge([paper, paper, paper, plain])
    cv2.multiply(image, spread, dst=image, scale=1 / 128)
    _hold_premultiplied(image)


def _hold_premultiplied(image: Rgba) -> None:
    """Premultiplied colours must not pass their alpha (in place)."""
    alpha = cv2.extractChannel(image, 3)
    cv2.min(image, cv2.merge([alpha, alpha, alpha, alpha]), dst=image)


def _light_edge(image: Rgba, alpha: np.ndarray, depth: float) -> None:
    """Brighten the upper left edge by the thickness of the paper."""
    step = max(1, round(image.shape[1] / 900 * (0.6 + depth)))
    moved = np.zeros_like(alpha)
    moved[step:, step:] = alpha[:-step, :-step]
    rim = cv2.subtract(alpha, moved)
    rim = cv2.multiply(rim, rim, scale=0.20 / 255)
    nothing = np.zeros_like(rim)
    cv2.add(image, cv2.merge([rim, rim, rim, nothing]), dst=image)
    _hold_premultiplied(image)


def _with_shadow(image: Rgba, alpha: np.ndarray, strength: float) -> Rgba:
    """Put a soft cast shadow under the sheet (up and around, as on layered paper)."""
    height, width = alpha.shape
    small = cv2.resize(
        alpha, (max(2, width // 4), max(2, height // 4)), interpolation=cv2.INTER_AREA
    )
    blurred = cv2.GaussianBlur(small, (0, 0), max(0.8, width / 420))
    shadow = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
    shadow = cv2.multiply(shadow, cv2.bitwise_not(alpha), scale=strength / 255)
    image[..., 3] = cv2.add(np.ascontiguousarray(image[..., 3]), shadow)
    return image


def _pigment_edge(image: Rgba, alpha: np.ndarray) -> None:
    """Darken a thin band inside the edge, where drying water leaves its pigment."""
    sigma = max(0.8, image.shape[1] / 380)
    soft = cv2.GaussianBlur(alpha, (0, 0), sigma)
    band = cv2.subtract(alpha, soft)
    band = cv2.multiply(band, np.full_like(band, 70), scale=1 / 128)
    nothing = np.zeros_like(band)
    cv2.subtract(image, cv2.merge([band, band, band, nothing]), dst=image)
