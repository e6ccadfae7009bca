"""One picture on the device, made into an encoder's frame of any size without leaving it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from av import VideoFrame

from inference.video.device_frames import Pixels
from pipelines.encoding.encoders import HardwareFailed
from storyforge.domain.segment import Rung

# What torch and PyAV raise when a device or its driver does not go along.
_REFUSALS = (av.FFmpegError, RuntimeError, ValueError, TypeError, NotImplementedError, MemoryError)


@dataclass(frozen=True)
class DevicePicture:
    """pixels: uint8 RGB, [H, W, 3]. number: of the frame."""

    pixels: Pixels
    number: int
    time_base: Fraction

    def at(self, rung: Rung) -> VideoFrame:
        """An NV12 frame of the rung's size where the pixels are. Raises HardwareFailed."""
        # only a worker whose model runs on torch ever comes here
        from inference.video.nv12 import nv12_planes  # noqa: PLC0415

        try:
            planes = nv12_planes(self.pixels, rung.width, rung.height)
            frame = VideoFrame.from_dlpack(planes, format="nv12")
        except _REFUSALS as exc:
            raise HardwareFailed(
                f"a frame could not be handed over ({type(exc).__name__})."
            ) from exc
        frame.pts, frame.time_base = self.number, self.time_base
        return frame
