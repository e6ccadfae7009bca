"""The finish: weather in the air, grain, vignette."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.video.storyboard.camera import Pose
from inference.video.storyboard.canvas import Geometry, Rgba
from inference.video.storyboard.noise import random_of
from inference.video.storyboard.plan import DrawingPlan
from inference.video.storyboard.styles import Paint
from inference.video.storyboard.weather import Weather

_GRAIN_HOLD = 2  # frames that one grain stays, which encoders like


class Finish:
    """What is laid over the composed picture."""

    def __init__(self, geometry: Geometry, plan: DrawingPlan, paint: Paint) -> None:
        width, height = geometry.width, geometry.height
        self._weather = Weather(geometry, plan, paint)
        self._vignette = _vignette(width, height, paint.style.vignette)
        rng = random_of(plan.shot_seed, "grain")
        noise = rng.standard_normal((height + 64, width + 64), dtype=np.float32)
        noise *= paint.style.grain
        self._brighter = _three(np.clip(noise, 0, 40))
        self._darker = _three(np.clip(-noise, 0, 40))
        self._offsets = rng.integers(0, 64, (32, 2))
        self._size = (height, width)

    def air(self, picture: Rgba, pose: Pose, seconds: float) -> None:
        """Rain, snow, fog and lights, on the composed RGBA picture."""
        self._weather.draw(picture, pose, seconds)

    def polish(self, frame: NDArray[np.uint8], index: int) -> None:
        """Vignette and grain, in place on [H, W, 3]."""
        cv2.multiply(frame, self._vignette, dst=frame, scale=1 / 255)
        height, width = self._size
        y, x = (int(part) for part in self._offsets[(index // _GRAIN_HOLD) % 32])
        cv2.add(frame, self._brighter[y : y + height, x : x + width], dst=frame)
        cv2.subtract(frame, self._darker[y : y + height, x : x + width], dst=frame)


def _three(plane: NDArray[np.float32]) -> NDArray[np.uint8]:
    part = plane.astype(np.uint8)
    return np.ascontiguousarray(np.stack([part, part, part], axis=2))


def _vignette(width: int, height: int, strength: float) -> NDArray[np.uint8]:
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    away = np.sqrt(across**2 * 0.75 + down**2 * 0.75)
    fall = 1 - strength * np.clip((away - 0.45) / 0.8, 0, 1) ** 1.8
    plane = (fall * 255 + np.random.default_rng(3).random((height, width))).clip(0, 255)
    part = plane.astype(np.uint8)
    return np.ascontiguousarray(np.stack([part, part, part], axis=2))
