"""Sizes that yuv420p can hold: its chroma is halved, so both sides are even."""

from __future__ import annotations


def even(pixels: int) -> int:
    """The largest even number of pixels that is not more, but at least 2."""
    return max(2, pixels - pixels % 2)
