"""Frames in host memory whose pixels still lie on the device too, for an encoder that sits there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from inference.video.model import Frames

if TYPE_CHECKING:
    import torch

Pixels: TypeAlias = "torch.Tensor"
"""Pictures on a device, uint8 RGB."""


class DeviceFrames(np.ndarray[tuple[int, ...], np.dtype[np.uint8]]):
    """A chunk of frames like any other; `pixels` is the same as a tensor, uint8 [t, H, W, 3].

    What is made of it (a slice, a corrected copy) is a plain chunk of the host: its `pixels` is None.
    """

    pixels: Pixels | None

    @staticmethod
    def of(host: Frames, pixels: Pixels) -> DeviceFrames:
        """The chunk in both places."""
        chunk = host.view(DeviceFrames)
        chunk.pixels = pixels
        return chunk

    def __array_finalize__(self, made_of: Any, /) -> None:
        self.pixels = None


def pixels_of(chunk: Frames) -> Pixels | None:
    """Where the chunk lies on the device, if it does."""
    return chunk.pixels if isinstance(chunk, DeviceFrames) else None
