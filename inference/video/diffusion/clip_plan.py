"""Chooses the legal clip that a model renders for a shot, and which of its frames are shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inference.video.diffusion.families import Family
from inference.video.model import ShotRequest
from storyforge.errors import RenderFailed


@dataclass(frozen=True)
class ClipPlan:
    """A clip as the model renders it: pixels, frames and frames per second."""

    width: int
    height: int
    frames: int
    fps: int


def plan_clip(family: Family, request: ShotRequest, pixels_max: int | None = None) -> ClipPlan:
    """The legal clip for a shot: its shape, never above the native area, at a native speed.

    A shot longer than the family's longest clip gets that clip; it is then shown slower.
    pixels_max: another bound of the area. Raises RenderFailed for a request without picture.
    """
    size = request.width, request.height
    return clip_for(family, size, request.fps, request.frames, pixels_max)


def clip_for(
    family: Family, size: tuple[int, int], fps: int, frames: int, pixels_max: int | None = None
) -> ClipPlan:
    """The legal clip for so many frames of a size (w, h). Raises RenderFailed."""
    if min(*size, frames, fps) < 1:
        raise RenderFailed(f"Cannot film {frames} frames of {size[0]}x{size[1]} at {fps} a second.")
    width, height = legal_size(*size, family.multiple, pixels_max or family.pixels_max)
    rate = min(max(fps, family.fps_min), family.fps_max)
    count = legal_frames(math.ceil(frames * rate / fps), family.frame_step, family.frames_max)
    return ClipPlan(width=width, height=height, frames=count, fps=rate)


def legal_size(width: int, height: int, multiple: int, pixels_max: int) -> tuple[int, int]:
    """The nearest multiples in both directions within `pixels_max`, in the same shape (w, h)."""
    shrink = min(1.0, math.sqrt(pixels_max / (width * height)))
    columns, rows = (_nearest(side * shrink / multiple) for side in (width, height))
    while columns * rows * multiple**2 > pixels_max and max(columns, rows) > 1:
        smaller = ((max(1, columns - 1), rows), (columns, max(1, rows - 1)))
        columns, rows = min(
            (one for one in smaller if one != (columns, rows)),
            key=lambda grid: abs(math.log(grid[0] * height / (grid[1] * width))),
        )
    return columns * multiple, rows * multiple


def legal_frames(wanted: int, step: int, longest: int) -> int:
    """The next count of the form step * k + 1 that is not shorter, bounded by `longest`."""
    return min(math.ceil(max(wanted - 1, 0) / step), (longest - 1) // step) * step + 1


def shown_frames(clip: ClipPlan, frames: int, fps: int) -> tuple[int, ...]:
    """For each of `frames` frames at `fps`, the index of the clip's frame that is shown.

    Nearest in time, so that no frame is blended (blends look like ghosts); never decreasing. A clip
    that is too short is stretched evenly over the whole shot.
    """
    if is_stretched(clip, frames, fps):
        last = max(frames - 1, 1)
        return tuple((2 * k * (clip.frames - 1) + last) // (2 * last) for k in range(frames))
    return tuple(min((2 * k * clip.fps + fps) // (2 * fps), clip.frames - 1) for k in range(frames))


def is_stretched(clip: ClipPlan, frames: int, fps: int) -> bool:
    """Whether the clip is shorter than what is to be shown."""
    return clip.frames * fps < frames * clip.fps


def _nearest(value: float) -> int:
    """The nearest whole number from 1; ties go down, as the models' own pipelines round."""
    return max(1, math.ceil(value - 0.5))
