"""A diffusion video model as a VideoModel: renders shots to saved latents, streams their frames."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.video.diffusion.clip_plan import ClipPlan, clip_for, plan_clip
from inference.video.diffusion.families import Family, family_of
from inference.video.diffusion.folder import read_folder
from inference.video.diffusion.options import ModelOptions
from inference.video.diffusion.pictures import needs_pictures
from inference.video.diffusion.quality import quality_named
from inference.video.model import Frames, ShotRequest, StepWatch
from storyforge.domain.wire import content_hash
from storyforge.errors import RenderFailed

if TYPE_CHECKING:
    from inference.video.diffusion.studio import Studio


class DiffusionVideoModel:
    """Films shots with the model in a local folder.

    Neither torch nor the weights are loaded before the first render or decode: the lanes that only
    need the name stay small. Renders one batch at a time. Decoding needs no turn: it may run in
    another thread beside a render, or beside another decode, and stays exact.
    """

    def __init__(self, path: Path, options: ModelOptions | None = None) -> None:
        """Vet the folder. Raises SetupProblem or WeightsDamaged; loads nothing yet."""
        self._options = options or ModelOptions()
        self._quality = quality_named(self._options.quality)
        self._folder = read_folder(path, weights=not self._options.random_weights)
        self._family = self._options.applied_to(family_of(self._folder))
        self._opening = threading.Lock()
        self._opened: Studio | None = None

    @property
    def name(self) -> str:
        """The folder's name, its fingerprint, and the options that change pixels."""
        options = self._options
        chosen = [
            options.in_bf16,
            self._quality.lossy_switches,
            self._family.steps,
            self._family.guidance,
            self._family.shift,
            options.pixels_max,
        ]
        if options.random_weights:
            chosen.append("random weights")
        return f"{self._folder.name}-{self._folder.fingerprint[:10]}-{content_hash(chosen)[:6]}"

    @property
    def savings(self) -> tuple[str, ...]:
        """The savings of memory in force; empty when everything is on the device."""
        return () if self._opened is None else self._opened.plan.savings

    @property
    def takes_turns(self) -> bool:
        """Whether nothing may be decoded while something is rendered."""
        return self._opened is not None and self._opened.plan.takes_turns

    @property
    def family(self) -> Family:
        """What this model can do and wants."""
        return self._family

    @property
    def starts_from_picture(self) -> bool:
        """Whether a take can start from a given picture."""
        return self._family.starts_from_picture

    @property
    def drifts(self) -> bool:
        """Every shot is sampled on its own."""
        return True

    def clip_for(self, size: tuple[int, int], fps: int, frames: int) -> ClipPlan:
        """The legal clip for so many frames of a size (w, h). Raises RenderFailed."""
        return clip_for(self._family, size, fps, frames, self._options.pixels_max)

    @property
    def precision(self) -> str:
        """Of the transformer: `bf16` or `fp32`."""
        return "bf16" if self._options.in_bf16 else "fp32"

    def plan(self, request: ShotRequest) -> ClipPlan:
        """The legal clip that a request becomes."""
        return plan_clip(self._family, request, self._options.pixels_max)

    def render(self, request: ShotRequest, result: Path, watch: StepWatch) -> None:
        """Denoise a shot and save its latents and recipe to `result`.

        Raises RenderFailed, DeviceOutOfMemory, DeviceLost, DiskFull, and what `watch` raises,
        within one step; the model stays usable after that.
        """
        self.render_batch([request], [result], watch)

    def can_fuse(self, requests: Sequence[ShotRequest]) -> bool:
        """Whether these shots can share their forward passes: one size, one length, no pictures.

        Pictures are per take in diffusers, so shots with pictures go alone.
        """
        if len(requests) == 1:
            return True
        clips = {self.plan(request) for request in requests}
        return len(clips) == 1 and not any(
            needs_pictures(self._family, request) for request in requests
        )

    def render_batch(
        self, requests: Sequence[ShotRequest], results: Sequence[Path], watch: StepWatch
    ) -> None:
        """Denoise shots in one forward pass per step, which equals one by one within 1e-5.

        Raises RenderFailed for shots that cannot share a pass, and what `render` raises.
        """
        if not self.can_fuse(requests):
            raise RenderFailed("These shots differ in size, length or pictures; render them apart.")
        self.studio().render(requests, results, watch)

    def frames(self, request: ShotRequest, result: Path) -> Iterator[Frames]:
        """Decode a saved result chunk by chunk: exactly `request.frames` frames of its size.

        Raises RenderFailed, DeviceOutOfMemory and DeviceLost.
        """
        return self.studio().frames(request, result)

    def recipe(self, result: Path) -> Mapping[str, Any]:
        """The recipe that was saved with the latents. Raises RenderFailed."""
        from inference.video.diffusion.saved_clip import read_recipe  # noqa: PLC0415  needs torch

        return read_recipe(result).to_json()

    def warm_up(self, sizes: Sequence[tuple[int, int, int]]) -> None:
        """Render a step or two of each (width, height, frames), so that its kernels are compiled."""
        self.studio().warm_up(sizes)

    def close(self) -> None:
        """Drop the weights and give the device's memory back; a later render loads them again."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()

    def studio(self) -> Studio:
        """The half that needs torch, imported at the first use."""
        with self._opening:
            if self._opened is None:
                # Seconds of imports and hundreds of MB: only in the process that films.
                from inference.video.diffusion.studio import Studio  # noqa: PLC0415

                self._opened = Studio(self.name, self._folder, self._family, self._options)
            return self._opened
