"""Turns decoded chunks into the frames that were asked for: chosen, fitted, in 8 bits, on device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from inference.video.device_frames import DeviceFrames
from inference.video.model import Frames
from storyforge.errors import QualityRefused, RenderFailed


def fit_frames(
    chunks: Iterator[torch.Tensor], shown: Sequence[int], width: int, height: int
) -> Iterator[Frames]:
    """Frames [t, H, W, 3] for the clip's frame indices in `shown`, which never decrease.

    chunks: [1, 3, t, h, w] in -1..1, in order. Each is picked from, resized and converted where it
    lies, so that only bytes of the wanted size leave the device. Stops decoding after the last
    wanted frame. Raises RenderFailed when the chunks end too early, QualityRefused for values that
    are no numbers.
    """
    start = next_shown = 0
    for chunk in chunks:
        stop = start + chunk.shape[2]
        until = next_shown
        while until < len(shown) and shown[until] < stop:
            until += 1
        if until > next_shown:
            # One number instead of a mask: values in -1..1 cannot overflow a sum of 32 bits.
            if not torch.isfinite(chunk.sum(dtype=torch.float32)):
                raise QualityRefused("The decoder gave frames with values that are no numbers.")
            picked = [index - start for index in shown[next_shown:until]]
            yield to_bytes(_picked(chunk, picked, start), width, height)
            next_shown = until
        start = stop
        if next_shown == len(shown):
            return
    raise RenderFailed(f"The decoder gave {start} frames; frame {shown[next_shown]} is missing.")


def to_bytes(video: torch.Tensor, width: int, height: int) -> Frames:
    """[1, 3, t, h, w] in -1..1 to 8-bit [t, height, width, 3] in host memory, and where it was.

    Another shape is covered: resized with antialiased bicubics and cropped around the middle.
    """
    frames = video[0].permute(1, 0, 2, 3)
    if frames.shape[-2:] != (height, width):
        frames = _covered(frames.float(), width, height)
    # The order of operations of diffusers' own post-processing, on which equality rests.
    frames = (frames * 0.5 + 0.5).clamp(0, 1).float()
    scaled = (frames * 255).round().to(torch.uint8)
    pixels = scaled.permute(0, 2, 3, 1).contiguous()
    host: NDArray[np.uint8] = pixels.cpu().numpy()
    return DeviceFrames.of(host, pixels) if pixels.is_cuda else host


def _picked(chunk: torch.Tensor, picked: list[int], start: int) -> torch.Tensor:
    if picked[0] < 0:
        raise RenderFailed(f"Frame {picked[0] + start} was asked for after it had passed.")
    if picked == list(range(chunk.shape[2])):
        return chunk
    return chunk[:, :, torch.tensor(picked, device=chunk.device)]


def _covered(frames: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """[t, 3, h, w] resized to cover (width, height), then cropped around the middle."""
    tall, wide = frames.shape[-2:]
    scale = max(width / wide, height / tall)
    size = (max(height, round(tall * scale)), max(width, round(wide * scale)))
    if size != (tall, wide):
        frames = functional.interpolate(
            frames, size=size, mode="bicubic", antialias=True, align_corners=False
        )
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return frames[:, :, top : top + height, left : left + width]
