"""The shape of a job's film: what must be equal for two jobs to share a device's warm model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from storyforge.domain.wire import Wire, content_hash

_TAG_CHARS = 8


class FilmShape(Wire):
    """Size and speed of the top rung, and the frames of each shot, sorted.

    making: a short hash of whatever else compiled kernels and results depend on (model, quality,
    steps, precision).
    """

    making: str
    width: int
    height: int
    fps: int
    frames: tuple[int, ...]

    @property
    def key(self) -> str:
        """One word that is equal for equal shapes: the batch key on a job's row."""
        counts = "+".join(str(count) for count in self.frames)
        return f"{self.making}:{self.width}x{self.height}@{self.fps}:{counts}"

    @classmethod
    def parse(cls, key: str) -> Self:
        """The shape of a key that `key` gave. Raises ValueError for any other text."""
        making, size, counts = key.split(":")
        sides, fps = size.split("@")
        width, height = sides.split("x")
        return cls(
            making=making,
            width=int(width),
            height=int(height),
            fps=int(fps),
            frames=tuple(int(count) for count in counts.split("+")),
        )


def film_shape(
    making: object, width: int, height: int, fps: int, frames: Sequence[int]
) -> FilmShape:
    """The shape of a film. making: JSON-ready data that is hashed."""
    tag = content_hash(making)[:_TAG_CHARS]
    return FilmShape(making=tag, width=width, height=height, fps=fps, frames=tuple(sorted(frames)))
