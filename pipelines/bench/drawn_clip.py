"""The clip that encoders are measured with: drawn, since random weights film noise, x264's worst."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from inference.video.model import Frames, ShotRequest
from inference.video.storyboard.model import frame_chunks
from inference.video.storyboard.plan import compose
from pipelines.bench.subject import Size
from storyforge.domain.bible import SceneBible
from storyforge.domain.script import CameraMove, Light, Shot

_CHUNK_FRAMES = 8
_PROMPT = (
    "A fox carries a lit lantern across a snowy hill at dusk, the village behind it, "
    "slow tracking shot, warm light on the snow."
)


def bench_request(size: Size, fps: int, *, seed: int = 0) -> ShotRequest:
    """The shot that every measurement films."""
    shot = Shot(
        prompt=_PROMPT,
        camera=CameraMove.PAN_RIGHT,
        light=Light.DUSK,
        place="a snowy hill",
        seconds=size.frames / fps,
    )
    return ShotRequest(
        shot=shot,
        index=0,
        count=1,
        bible=SceneBible(title="The lantern"),
        width=size.width,
        height=size.height,
        fps=fps,
        frames=size.frames,
        seed=seed,
    )


def draw_clip(request: ShotRequest) -> Frames:
    """All frames of the request, drawn by the storyboard renderer: [t, H, W, 3]."""
    return np.concatenate(list(frame_chunks(compose(request), request)))


def in_chunks(frames: Frames) -> Iterator[Frames]:
    """Frames a few at a time, as a decoder gives them."""
    for start in range(0, len(frames), _CHUNK_FRAMES):
        yield frames[start : start + _CHUNK_FRAMES]
