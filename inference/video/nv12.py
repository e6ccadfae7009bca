"""RGB pictures to NV12 where they lie: BT.709, limited range, planes that an encoder can take over."""

from __future__ import annotations

import torch
from torch.nn import functional

# ITU-R BT.709: the luma weights, and the ranges of 8-bit limited video.
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722
_LUMA_FIRST, _LUMA_LEVELS = 16.0, 219.0
_CHROMA_MIDDLE, _CHROMA_LEVELS = 128.0, 224.0
_PITCH_BYTES = 256  # NVENC wants aligned rows; this is what FFmpeg's own CUDA frames have


def nv12_planes(
    picture: torch.Tensor, width: int, height: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 [H, W, 3] to the planes Y [height, width] and UV [height / 2, width]; sides even.

    Both are views of one buffer, UV right behind Y: NVENC is given one address. Another size is
    scaled with antialiased bicubics. Waits until the device has done it, since the encoder reads
    in a stream of its own.
    """
    rgb = picture.permute(2, 0, 1).unsqueeze(0).float() / 255
    if rgb.shape[-2:] != (height, width):
        size = (height, width)
        rgb = functional.interpolate(rgb, size=size, mode="bicubic", antialias=True).clamp(0, 1)
    red, green, blue = rgb[0]
    luma = _RED * red + _GREEN * green + _BLUE * blue
    chroma = torch.stack(
        [(blue - luma) / (2 * (1 - _BLUE)), (red - luma) / (2 * (1 - _RED))], dim=0
    )
    chroma = functional.avg_pool2d(chroma.unsqueeze(0), 2)[0].permute(1, 2, 0)
    pitch = -(-width // _PITCH_BYTES) * _PITCH_BYTES
    planes = torch.zeros((height * 3 // 2, pitch), dtype=torch.uint8, device=picture.device)
    planes[:height, :width] = _levels(luma, _LUMA_LEVELS, _LUMA_FIRST)
    planes[height:, :width] = _levels(chroma, _CHROMA_LEVELS, _CHROMA_MIDDLE).reshape(-1, width)
    if planes.is_cuda:
        torch.cuda.current_stream(planes.device).synchronize()
    return planes[:height, :width], planes[height:, :width]


def _levels(values: torch.Tensor, levels: float, offset: float) -> torch.Tensor:
    return (values * levels + offset).round().clamp(0, 255).to(torch.uint8)
