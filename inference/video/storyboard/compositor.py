"""The compositor: lays the depth layers over each other under the camera, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.video.storyboard.camera import Pose
from inference.video.storyboard.canvas import Geometry, Rgba
from inference.video.storyboard.layers import Layer, Motion, depth_share

Affine = NDArray[np.float64]
_STILL = 1e-4  # of scale and shear: under a tenth of a pixel over a frame
_STEPS_A_SECOND = 1.9  # an easy walk
_PASSING = 0.62  # of a step's height: above it the feet pass each other
_HORIZON_SHARE = 0.56  # of the height: what a push-in moves toward


@dataclass(frozen=True)
class Patch:
    """A layer's place in the frame at one moment: matrix into the patch, and its rectangle."""

    matrix: Affine
    x0: int
    y0: int
    x1: int
    y1: int
    opaque_y: int


class Compositor:
    """Draws layers into one reused frame buffer [H, W, 4]."""

    def __init__(self, geometry: Geometry, layers: Sequence[Layer]) -> None:
        self._geometry = geometry
        self._layers = tuple(layers)
        self.frame: Rgba = np.zeros((geometry.height, geometry.width, 4), np.uint8)
        self._scratch = np.empty(geometry.height * geometry.width * 4, np.uint8)
        self._spread = np.empty(geometry.height * geometry.width * 4, np.uint8)

    def draw(self, pose: Pose, seconds: float) -> Rgba:
        """The scene at one moment; the buffer is reused by the next call."""
        patches = [self.patch(layer, pose, seconds) for layer in self._layers]
        limits = self._visible_limits(patches)
        for layer, patch, limit in zip(self._layers, patches, limits, strict=True):
            if patch is not None and patch.y0 < limit:
                if layer.alternate is not None and _step(layer.motion, seconds) > _PASSING:
                    layer = replace(layer, image=layer.alternate)  # noqa: PLW2901 - the other pose
                self._lay(layer, patch, min(patch.y1, limit))
        return self.frame

    def matrix(self, layer: Layer, pose: Pose, seconds: float) -> Affine:
        """Layer pixels to frame pixels: own motion first, then the camera."""
        width, height = self._geometry.width, self._geometry.height
        tall = layer.image.shape[0]
        motion = layer.motion
        wave = math.sin(2 * math.pi * motion.rate * seconds + motion.phase)
        lean = motion.sway * wave / tall
        swell = 1.0 + motion.breath * (0.5 + 0.5 * wave)
        bob = -motion.bob * _step(motion, seconds)
        across = motion.drift * seconds + motion.slide * wave
        upward = motion.heave * math.cos(2 * math.pi * motion.rate * seconds + motion.phase)
        # Own motion keeps the foot (lower edge) where it stands.
        own = np.array(
            [
                [1.0, -lean, lean * tall + layer.left + across],
                [0.0, swell, layer.top + tall * (1.0 - swell) + bob + upward],
                [0.0, 0.0, 1.0],
            ]
        )
        share = depth_share(layer.depth)
        zoom = 1.0 + (pose.zoom - 1.0) * share
        right = 0.0 if motion.pinned else pose.right * width * share
        middle_x, middle_y = width / 2, height * _HORIZON_SHARE
        cos, sin = math.cos(pose.roll) * zoom, math.sin(pose.roll) * zoom
        down = pose.down * height * share
        camera = np.array(
            [
                [cos, -sin, middle_x - cos * middle_x + sin * middle_y + right],
                [sin, cos, middle_y - sin * middle_x - cos * middle_y + down],
                [0.0, 0.0, 1.0],
            ]
        )
        return np.asarray((camera @ own)[:2], np.float64)

    def patch(self, layer: Layer, pose: Pose, seconds: float) -> Patch | None:
        """Where the layer shows in the frame, or None when it is out of sight."""
        matrix = self.matrix(layer, pose, seconds)
        tall, wide = layer.image.shape[:2]
        corners = np.array([[0, 0], [wide, 0], [0, tall], [wide, tall]], np.float64)
        placed = corners @ matrix[:, :2].T + matrix[:, 2]
        x0, y0 = (max(0, int(part)) for part in np.floor(placed.min(axis=0)))
        x1 = min(self._geometry.width, math.ceil(placed[:, 0].max()))
        y1 = min(self._geometry.height, math.ceil(placed[:, 1].max()))
        if x0 >= x1 or y0 >= y1:
            return None
        sides = placed[[0, 2], 0].max() <= 0 and placed[[1, 3], 0].min() >= self._geometry.width
        opaque_y = 1 << 30
        if sides and layer.opaque_from < tall and layer.blend == "over":
            row = matrix[1, 1] * (layer.opaque_from + 1) + matrix[1, 2]
            # A rolled frame tilts the row: its lower end counts.
            opaque_y = math.ceil(row + max(0.0, matrix[1, 0] * wide)) + 1
        reaches = placed[2:, 1].min() >= self._geometry.height
        return Patch(matrix, x0, y0, x1, y1, opaque_y if reaches else 1 << 30)

    def _visible_limits(self, patches: Sequence[Patch | None]) -> list[int]:
        """For each layer the row from which nearer layers hide it wholly."""
        limit = self._geometry.height
        limits: list[int] = []
        for patch in reversed(patches):
            limits.append(limit)
            if patch is not None:
                limit = min(limit, max(0, patch.opaque_y))
        return limits[::-1]

    def _lay(self, layer: Layer, patch: Patch, y1: int) -> None:
        x0, y0, x1 = patch.x0, patch.y0, patch.x1
        moved = None if layer.opaque_from == 0 else _slid(layer.image, patch, y1)
        if moved is not None:
            x0, y0, x1, y1 = moved
        wide, tall = x1 - x0, y1 - y0
        if wide <= 0 or tall <= 0:
            return
        warped = self._scratch[: tall * wide * 4].reshape(tall, wide, 4)
        if moved is not None:
            warped = _slide(layer.image, patch.matrix, moved, warped)
        else:
            matrix = patch.matrix.copy()
            matrix[:, 2] -= (x0, y0)
            edge = cv2.BORDER_REPLICATE if layer.opaque_from == 0 else cv2.BORDER_CONSTANT
            cv2.warpAffine(
                layer.image,
                matrix,
                (wide, tall),
                dst=warped,
                flags=cv2.INTER_LINEAR,
                borderMode=edge,
            )
        below = self.frame[y0:y1, x0:x1]
        if layer.blend == "add":
            cv2.add(below, warped, dst=below)
            return
        split = min(max(0, patch.opaque_y - y0), tall)
        if split > 0:
            self._blend(below[:split], warped[:split])
        if split < tall:
            np.copyto(below[split:], warped[split:])

    def _blend(self, below: Rgba, above: Rgba) -> None:
        tall, wide = above.shape[:2]
        rest = cv2.bitwise_not(cv2.extractChannel(above, 3))
        spread = self._spread[: tall * wide * 4].reshape(tall, wide, 4)
        cv2.merge([rest, rest, rest, rest], dst=spread)
        cv2.multiply(below, spread, dst=below, scale=1 / 255)
        cv2.add(below, above, dst=below)


def _step(motion: Motion, seconds: float) -> float:
    """How high in its step a walker is, 0 (both feet down) to 1."""
    return abs(math.sin(math.pi * _STEPS_A_SECOND * seconds + motion.phase))


def _slid(image: Rgba, patch: Patch, y1: int) -> tuple[int, int, int, int] | None:
    """The patch's rectangle if the layer only slides along one axis, clipped to whole pixels.

    Sliding is blending two slices, a third of a warp's time; None asks for the warp.
    """
    matrix = patch.matrix
    if np.abs(matrix[:, :2] - np.eye(2)).max() > _STILL:
        return None
    part_x, part_y = (float(part) % 1.0 for part in matrix[:, 2])
    near_x, near_y = min(part_x, 1 - part_x), min(part_y, 1 - part_y)
    if min(near_x, near_y) > 1 / 64:  # what two slices cannot show is under 1/64 pixel
        return None
    left, top = math.ceil(matrix[0, 2]), math.ceil(matrix[1, 2])
    right = math.floor(matrix[0, 2]) + image.shape[1]
    bottom = math.floor(matrix[1, 2]) + image.shape[0]
    return max(patch.x0, left), max(patch.y0, top), min(patch.x1, right), min(y1, bottom)


def _slide(image: Rgba, matrix: Affine, rectangle: tuple[int, int, int, int], out: Rgba) -> Rgba:
    """The layer's pixels under a rectangle of the frame, displaced by a fraction of a pixel."""
    x0, y0, x1, y1 = rectangle
    from_x, from_y = x0 - float(matrix[0, 2]), y0 - float(matrix[1, 2])
    whole_x, whole_y = math.floor(from_x + 1 / 64), math.floor(from_y + 1 / 64)
    part_x, part_y = from_x - whole_x, from_y - whole_y
    wide, tall = x1 - x0, y1 - y0
    first = image[whole_y : whole_y + tall, whole_x : whole_x + wide]
    share = max(part_x, part_y)
    if share <= 1 / 64:
        return first
    step_x, step_y = (1, 0) if part_x >= part_y else (0, 1)
    second = image[
        whole_y + step_y : whole_y + step_y + tall, whole_x + step_x : whole_x + step_x + wide
    ]
    if second.shape != first.shape:
        return first
    cv2.addWeighted(first, 1.0 - share, second, share, 0.0, dst=out)
    return out
