"""Measures a clip while its frames stream by, and says which gates refuse it.

The numbers behind the limits (defaults in GateSettings), measured on 60 storyboard shots in four
styles and on models with random weights, which give noise:

    figure       storyboards      noise            limit
    motion       1.6 and more     7 and more       0.001: only a clip that stands still to the bit
    structure    0.14 and more    0.12 and less    0.1, together with
    steadiness   0.53 and more    0.46 and less    0.35

A dark night shows a lamp, a star or a texture; a black frame shows nothing: no pixel is brighter
than 32 and the deviation is 2 at most, which also holds for a black at video level (16) with the
faint noise that decoders leave. A fade is black for a part of its frames only.
"""

from __future__ import annotations

from statistics import fmean, median

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.video.model import Frames
from pipelines.encoding.pictures import Picture
from storyforge.domain.film_record import ClipFigures, Gate, Refusal
from storyforge.errors import QualityRefused
from storyforge.settings import GateSettings

# Large shapes are what is left at 8x4 cells: a noise whose grain is a latent pixel (8 to 32 pixels
# wide) averages out there, a picture's light and ground do not.
_CELLS = (8, 4)
_THUMBNAIL_SHRINK = 8
_FLAT_VARIANCE = 1e-6  # nothing to divide by: a flat frame is all structure

Luma = NDArray[np.uint8]


class ClipGate:
    """Streaming statistics of one clip: a frame, some thumbnails and a number a frame are kept."""

    def __init__(self, settings: GateSettings, fps: int) -> None:
        self._settings = settings
        self._apart = max(1, fps // 2)  # frames between the pictures that steadiness compares
        self._frames = self._black = 0
        self._previous: Luma | None = None
        self._brightness: list[float] = []
        self._motion: list[float] = []
        self._structure: list[float] = []
        self._steadiness: list[float] = []
        self._compared: tuple[int, Luma] | None = None

    def look(self, chunk: Frames) -> None:
        """Take in the next frames. Raises QualityRefused for values that are no numbers."""
        if np.issubdtype(chunk.dtype, np.floating) and not np.isfinite(chunk).all():
            raise QualityRefused("The video model gave frames with values that are no numbers.")
        if chunk.dtype == np.uint8:  # the encoder refuses whatever else is no picture
            for picture in chunk:
                self._look(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))

    def figures(self) -> ClipFigures:
        """The figures over all frames so far."""
        at_last = self._frames - 1
        if self._previous is not None and self._compared and self._compared[0] < at_last:
            self._compare(self._previous, at_last)
        return ClipFigures(
            frames=self._frames,
            brightness=_rounded(fmean(self._brightness or [0.0])),
            black_share=_rounded(self._black / max(1, self._frames)),
            motion=_rounded(fmean(self._motion or [0.0])),
            structure=_rounded(median(self._structure or [1.0])),
            steadiness=_rounded(fmean(self._steadiness or [1.0])),
        )

    def _look(self, luma: Luma) -> None:
        mean, deviation = (float(value.item()) for value in cv2.meanStdDev(luma))
        self._black += _is_black(luma, deviation, self._settings)
        self._brightness.append(mean)
        if self._previous is not None:
            self._motion.append(float(cv2.mean(cv2.absdiff(luma, self._previous))[0]))
        self._previous = luma
        self._structure.append(_structure(luma, deviation**2))
        if self._frames % self._apart == 0:
            self._compare(luma, self._frames)
        self._frames += 1

    def _compare(self, luma: Luma, number: int) -> None:
        rows, columns = luma.shape
        size = (max(1, columns // _THUMBNAIL_SHRINK), max(1, rows // _THUMBNAIL_SHRINK))
        small = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
        if self._compared is not None:
            self._steadiness.append(correlation(small, self._compared[1]))
        self._compared = (number, small)


def refusals(figures: ClipFigures, settings: GateSettings) -> tuple[Refusal, ...]:
    """The gates that these figures do not pass, each with its figure and the limit."""
    black = (
        f"{figures.black_share:.0%} of the frames are black; under {settings.black_share:.0%} "
        "would pass."
    )
    frozen = (
        f"The picture stands still: it changes by {figures.motion:.4f} of 255 from frame to frame; "
        f"{settings.motion_min} would pass."
    )
    noise = (
        f"The picture is noise: structure {figures.structure:.3f} and steadiness "
        f"{figures.steadiness:.3f}; {settings.structure_min} or {settings.steadiness_min} "
        "would pass."
    )
    stands_still = figures.frames > 1 and figures.motion < settings.motion_min
    is_noise = (
        figures.structure < settings.structure_min and figures.steadiness < settings.steadiness_min
    )
    found = (
        (Gate.BLACK, figures.black_share >= settings.black_share, black),
        (Gate.FROZEN, stands_still, frozen),
        (Gate.NOISE, is_noise, noise),
    )
    off = settings.names_off
    return tuple(
        Refusal(gate=gate, detail=detail)
        for gate, refused, detail in found
        if refused and gate not in off
    )


def is_black(picture: Picture, settings: GateSettings) -> bool:
    """Whether an RGB picture is dark and flat."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return _is_black(np.asarray(luma, np.uint8), float(luma.std()), settings)


def _is_black(luma: Luma, deviation: float, settings: GateSettings) -> bool:
    return deviation <= settings.black_deviation and cv2.minMaxLoc(luma)[1] <= settings.black_peak


def correlation(one: Luma, other: Luma) -> float:
    """Pearson's correlation of two pictures of one size; 1 where either is flat."""
    first, second = (picture.astype(np.float64) - picture.mean() for picture in (one, other))
    scale = float(np.sqrt((first**2).mean() * (second**2).mean()))
    return float((first * second).mean()) / scale if scale > _FLAT_VARIANCE else 1.0


def _structure(luma: Luma, variance: float) -> float:
    if variance < _FLAT_VARIANCE:
        return 1.0
    rows, columns = luma.shape
    size = _CELLS if columns >= rows else _CELLS[::-1]
    cells = cv2.resize(luma.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return min(1.0, float(cells.var()) / variance)


def _rounded(value: float) -> float:
    return round(value, 5)  # what the record shows is what was judged
