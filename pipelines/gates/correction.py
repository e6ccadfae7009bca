"""Colour correction of the first frames of a shot: lookup tables that fade out."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.encoding.pictures import Picture

Tables = NDArray[np.float32]
"""What each level of red, green and blue becomes, [256, 3]."""

_LEVELS = np.arange(256, dtype=np.float32)
_CHANNELS = 3
# A mean-deviation table may stretch contrast by this much either way: two framings of one scene
# differ in contrast for good reasons (looked at: at 1.25 colours visibly fade in).
_GAIN_MAX = 1.1


def matching_tables(picture: Picture, wanted: Picture) -> Tables:
    """Tables that give each channel of `picture` the distribution of `wanted`.

    For two pictures of the same view: exact for any change of tone, gamma included.
    """
    tables = [
        np.interp(_cumulated(picture[..., at]), _cumulated(wanted[..., at]), _LEVELS)
        for at in range(_CHANNELS)
    ]
    return np.stack(tables, axis=-1).astype(np.float32)


def shifting_tables(picture: Picture, wanted: Picture) -> Tables:
    """Tables that give each channel of `picture` the mean and deviation of `wanted`.

    For two views of one scene: whatever is in the picture, no level moves alone.
    """
    tables = []
    for at in range(_CHANNELS):
        mean, deviation = float(picture[..., at].mean()), float(picture[..., at].std())
        gain = float(wanted[..., at].std()) / deviation if deviation > 0 else 1.0
        gain = min(max(gain, 1 / _GAIN_MAX), _GAIN_MAX)
        tables.append((_LEVELS - mean) * gain + float(wanted[..., at].mean()))
    return np.stack(tables, axis=-1).astype(np.float32)


def faded(tables: Tables, frames: int) -> Iterator[Tables]:
    """The tables for each of `frames` frames: in full at the first, gone behind the last."""
    same = np.repeat(_LEVELS[:, None], _CHANNELS, axis=1)
    for number in range(frames):
        weight = 0.5 + 0.5 * np.cos(np.pi * number / frames)
        yield (same + weight * (tables - same)).astype(np.float32)


def apply(picture: Picture, tables: Tables) -> Picture:
    """A new picture, each channel through its table."""
    levels = np.clip(np.rint(tables), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, levels.reshape(1, 256, _CHANNELS)), np.uint8)


def _cumulated(channel: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Share of pixels up to the middle of each level; strictly growing, so that it inverts."""
    counts = np.bincount(channel.ravel(), minlength=256).astype(np.float64) + 1e-3
    shares: NDArray[np.float64] = (np.cumsum(counts) - counts / 2) / counts.sum()
    return shares
