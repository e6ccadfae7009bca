"""Pictures between RGB arrays and encoder frames: fitting, BT.709 conversion, scaling."""

from __future__ import annotations

import cv2
import numpy as np
from av import VideoFrame
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from storyforge.domain.segment import Rung

Picture = NDArray[np.uint8]
"""One RGB picture, [H, W, 3]."""

# ITU-T H.273 code points. 1 is BT.709 for matrix, primaries and transfer; range 1 is limited.
_BT709 = 1
_LIMITED_RANGE = 1


def fit(picture: Picture, width: int, height: int) -> Picture:
    """The picture at `width` x `height`: scaled to fit, its shape kept, black bars around it."""
    rows, columns = picture.shape[:2]
    if (columns, rows) == (width, height):
        return picture
    scale = min(width / columns, height / rows)
    size = (max(1, min(width, round(columns * scale))), max(1, min(height, round(rows * scale))))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = resize(picture, size, method)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    fitted = np.zeros((height, width, 3), np.uint8)
    fitted[top : top + size[1], left : left + size[0]] = scaled
    return fitted


def cover(picture: Picture, width: int, height: int) -> Picture:
    """The picture at `width` x `height`: scaled to cover it, cropped around the middle."""
    rows, columns = picture.shape[:2]
    scale = max(width / columns, height / rows)
    size = (max(width, round(columns * scale)), max(height, round(rows * scale)))
    if size != (columns, rows):
        picture = resize(picture, size, cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    return picture[top : top + height, left : left + width]


def resize(picture: Picture, size: tuple[int, int], method: int = cv2.INTER_AREA) -> Picture:
    """The picture at (width, height) `size`; `method` is one of OpenCV's."""
    return np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8)


def tag_bt709(encoder: VideoCodecContext) -> None:
    """Say in the stream what `ToYuv` made, so that no player has to guess."""
    encoder.color_range = _LIMITED_RANGE
    encoder.colorspace = encoder.color_primaries = encoder.color_trc = _BT709


class ToYuv:
    """Turns RGB pictures into yuv420p frames: BT.709, limited range. One per thread."""

    def __init__(self) -> None:
        self._swscale = VideoReformatter()

    def __call__(self, picture: Picture) -> VideoFrame:
        """Convert one picture of even size; the result shares no memory with it."""
        rgb = VideoFrame.from_numpy_buffer(np.ascontiguousarray(picture), format="rgb24")
        return self._swscale.reformat(
            rgb,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.AREA,  # chroma is the mean of its four pixels
            threads=1,  # the rungs keep the cores busy already
        )


class Downscale:
    """Scales yuv420p frames to a rung's size. One per thread."""

    def __init__(self, rung: Rung) -> None:
        self._rung = rung
        self._swscale = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """Scale one frame; its time stamp goes along."""
        scaled = self._swscale.reformat(
            frame,
            width=self._rung.width,
            height=self._rung.height,
            interpolation=Interpolation.BICUBIC,
            threads=1,
        )
        scaled.pts, scaled.time_base = frame.pts, frame.time_base
        return scaled
