"""RGB to NV12 on the device is what swscale makes on the host."""

from __future__ import annotations

import numpy as np
import pytest
from av import VideoFrame

from pipelines.encoding.pictures import Picture, ToYuv

torch = pytest.importorskip("torch")


def colours(height: int, width: int) -> Picture:
    """Smooth in space, all over the cube in colour."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack(
        [
            255 * rows / (height - 1),
            255 * columns / (width - 1),
            255 * (rows + columns) / (height + width - 2),
        ],
        axis=-1,
    ).astype(np.uint8)


def planes_of(picture: Picture, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    from inference.video.nv12 import nv12_planes  # noqa: PLC0415  it needs torch

    luma, chroma = nv12_planes(torch.from_numpy(picture), width, height)
    frame = VideoFrame.from_dlpack((luma, chroma), format="nv12")
    assert (frame.width, frame.height, frame.format.name) == (width, height, "nv12")
    return luma.numpy(), chroma.numpy().reshape(height // 2, width // 2, 2)


@pytest.mark.parametrize(("width", "height"), [(64, 48), (854, 480), (256, 144)])
def test_every_level_is_within_two_of_swscale(width: int, height: int) -> None:
    picture = colours(height, width)
    luma, chroma = planes_of(picture, width, height)
    wanted = ToYuv()(picture).reformat(format="yuv444p").to_ndarray()
    assert np.abs(luma.astype(int) - wanted[0]).max() <= 2
    subsampled = wanted[1:, ::2, ::2].transpose(1, 2, 0).astype(int)
    assert np.abs(chroma.astype(int) - subsampled).max() <= 2


@pytest.mark.parametrize(
    ("rgb", "levels"),
    [
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
    ],
)
def test_pure_colours_have_their_bt709_levels(
    rgb: tuple[int, int, int], levels: tuple[int, int, int]
) -> None:
    luma, chroma = planes_of(np.full((4, 6, 3), rgb, np.uint8), 6, 4)
    assert np.abs(luma.astype(int) - levels[0]).max() <= 1
    assert np.abs(chroma.astype(int) - levels[1:]).max() <= 1


def test_another_size_is_scaled_and_the_planes_lie_behind_one_another() -> None:
    from inference.video.nv12 import nv12_planes  # noqa: PLC0415  it needs torch

    luma, chroma = nv12_planes(torch.from_numpy(colours(96, 128)), 60, 40)
    assert luma.stride() == chroma.stride() == (256, 1)
    assert chroma.data_ptr() - luma.data_ptr() == 40 * 256
    small = ToYuv()(colours(40, 60)).to_ndarray()[:40]
    assert np.abs(luma.numpy().astype(int) - small).mean() < 3
