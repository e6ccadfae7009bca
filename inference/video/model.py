"""The VideoModel protocol: render a shot to a saved result, then stream its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from storyforge.domain.bible import SceneBible
from storyforge.domain.script import Shot
from storyforge.domain.wire import Wire

Frames: TypeAlias = NDArray[np.uint8]
"""A chunk of consecutive RGB frames, [t, H, W, 3], t >= 1."""

StepWatch: TypeAlias = Callable[[int, int], None]
"""Called after every step with (steps done, steps in all); raises to stop the render."""


class ShotRequest(Wire):
    """One shot to film.

    width, height: pixels, even. fps: frames per second. frames: how many to give.
    index, count: which shot of how many. previous: the shot before, for a clean join.
    first_frame, last_frame: paths of checked images that the take starts from and ends with, for
    a model that can; one that cannot says so in its result. The paths are this host's, so the JSON
    leaves them out: first_frame_sha256 stands for the picture wherever results are keyed.
    """

    shot: Shot
    previous: Shot | None = None
    index: int
    count: int
    bible: SceneBible
    title: str = ""
    width: int
    height: int
    fps: int
    frames: int
    seed: int
    first_frame: str | None = Field(default=None, exclude=True)
    first_frame_sha256: str = ""
    last_frame: str | None = Field(default=None, exclude=True)


class VideoModel(Protocol):
    """Films shots. Rendering is the expensive half and is saved; decoding can be run again."""

    @property
    def name(self) -> str:
        """Name and version; part of the key under which results are saved."""
        ...

    @property
    def starts_from_picture(self) -> bool:
        """Whether a take can start from a request's `first_frame`."""
        ...

    @property
    def drifts(self) -> bool:
        """Whether colours may drift from shot to shot; those of a drawing are chosen."""
        ...

    def render(self, request: ShotRequest, result: Path, watch: StepWatch) -> None:
        """Render the shot and write what decoding needs (latents, say) to the file `result`.

        The caller moves the file into place when it is whole. Raises RenderFailed.
        """
        ...

    def frames(self, request: ShotRequest, result: Path) -> Iterator[Frames]:
        """Decode a saved result: exactly `request.frames` frames of the requested size."""
        ...

    def recipe(self, result: Path) -> Mapping[str, Any]:
        """How a saved result was made, in JSON's words. Raises RenderFailed."""
        ...

    def close(self) -> None:
        """Free the device."""
        ...


@runtime_checkable
class FusingModel(Protocol):
    """A VideoModel that can render several shots in shared forward passes."""

    def can_fuse(self, requests: Sequence[ShotRequest]) -> bool:
        """Whether these shots can share a pass."""
        ...

    def render_batch(
        self, requests: Sequence[ShotRequest], results: Sequence[Path], watch: StepWatch
    ) -> None:
        """Render them together, each to its own result. Raises what `render` raises."""
        ...


@runtime_checkable
class SavingModel(Protocol):
    """A VideoModel that can do with less memory, and says how it does now."""

    @property
    def savings(self) -> tuple[str, ...]:
        """The savings of memory in force; empty when everything is on the device."""
        ...

    @property
    def takes_turns(self) -> bool:
        """Whether nothing may be decoded while something is rendered."""
        ...
