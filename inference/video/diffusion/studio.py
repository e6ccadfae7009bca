"""Renders and decodes takes on a loaded model; the half of a diffusion model that needs torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import diffusers
import torch

from inference.video.diffusion.adapter import Embedding, Take
from inference.video.diffusion.clip_plan import ClipPlan, is_stretched, plan_clip, shown_frames
from inference.video.diffusion.device_errors import device_errors
from inference.video.diffusion.families import Family
from inference.video.diffusion.folder import ModelFolder
from inference.video.diffusion.frame_fit import fit_frames
from inference.video.diffusion.loader import LoadedModel, transformers_of
from inference.video.diffusion.options import ModelOptions
from inference.video.diffusion.pictures import (
    ChosenPictures,
    Pictures,
    blank_pictures,
    choose_pictures,
)
from inference.video.diffusion.placement import send_back
from inference.video.diffusion.prompt_cache import PromptCache
from inference.video.diffusion.prompts import prompt_of
from inference.video.diffusion.quality import quality_named
from inference.video.diffusion.recipe import ClipRecipe
from inference.video.diffusion.resident_model import ResidentModel
from inference.video.diffusion.saved_clip import SavedClip, load_clip, save_clip
from inference.video.memory_ladder import CHANGES_PIXELS, MemoryPlan, Phase, Saving
from inference.video.model import Frames, ShotRequest, StepWatch
from storyforge.errors import DeviceOutOfMemory, GpuTooSmall

# LTX's scheduler stretches its times towards a last one that is not 0, which takes two of them.
_WARM_UP_STEPS = 2


class Studio:
    """A model on its device. Renders go one at a time, behind a lock; decodes need none.

    When memory runs out, the plan gets smaller and the work is done again, by the ladder in
    inference/video/memory_ladder.py.
    """

    def __init__(
        self, name: str, folder: ModelFolder, family: Family, options: ModelOptions
    ) -> None:
        self._name = name
        self._options = options
        self._quality = quality_named(options.quality)
        self._family = family
        self._rendering = threading.Lock()
        self._resident = ResidentModel(folder, family, options)
        self._prompts: PromptCache[Embedding] | None = None

    @property
    def plan(self) -> MemoryPlan:
        """The memory plan in force."""
        return self._resident.keeper.plan

    def render(
        self, requests: Sequence[ShotRequest], results: Sequence[Path], watch: StepWatch
    ) -> None:
        """Denoise shots in one forward pass per step, which equals one by one within 1e-5.

        Raises RenderFailed for shots that cannot share a pass, and what `render` raises.
        """
        with self._rendering:
            while True:
                plan = self.plan
                if len(requests) > 1 and plan.has(Saving.ONE_BY_ONE):
                    break
                if self._rendered(plan, requests, results, watch):
                    return
        for request, result in zip(requests, results, strict=True):
            self.render([request], [result], watch)

    def _rendered(
        self,
        plan: MemoryPlan,
        requests: Sequence[ShotRequest],
        results: Sequence[Path],
        watch: StepWatch,
    ) -> bool:
        """Render under one plan; False when memory ran out and a smaller plan is in force."""
        clip = plan_clip(self._family, requests[0], self._area(plan, requests[0]))
        self._resident.admit(clip)
        steps = self._family.steps
        try:
            with self._resident.held(plan, meanwhile=lambda: watch(0, steps)) as model:
                self._render_all(model, plan, clip, requests, results, watch)
        except DeviceOutOfMemory as exc:
            if isinstance(exc, GpuTooSmall):
                raise
            failure = exc
        else:
            self._resident.keeper.went_well(plan)
            return True
        self._resident.step_down(failure, plan, clip)
        return False

    def _render_all(
        self,
        model: LoadedModel,
        plan: MemoryPlan,
        clip: ClipPlan,
        requests: Sequence[ShotRequest],
        results: Sequence[Path],
        watch: StepWatch,
    ) -> None:
        chosen = choose_pictures(self._family, requests[0], clip)
        generators = [torch.Generator("cpu").manual_seed(one.seed) for one in requests]
        with device_errors(Phase.FUSED if len(requests) > 1 else Phase.DENOISE):
            latents = self._denoise(model, requests, clip, chosen.pictures, generators, watch)
        for at, (request, result) in enumerate(zip(requests, results, strict=True)):
            recipe = self._recipe(model, plan, request, clip, chosen, fused=len(requests))
            state = generators[at].get_state()
            save_clip(SavedClip(latents[at : at + 1], state, recipe), result)

    def _area(self, plan: MemoryPlan, request: ShotRequest) -> int | None:
        """The bound of the rendered area, in pixels, where the plan or the options set one."""
        bound = self._options.pixels_max
        if plan.area_share == 1.0:
            return bound
        wanted = min(request.width * request.height, bound or self._family.pixels_max)
        return max(int(wanted * plan.area_share), self._family.multiple**2)

    def frames(self, request: ShotRequest, result: Path) -> Iterator[Frames]:
        """Decode a saved result chunk by chunk: exactly `request.frames` frames of its size.

        Raises RenderFailed, DeviceOutOfMemory and DeviceLost.
        """
        saved = load_clip(result)
        recipe = saved.recipe
        clip = ClipPlan(recipe.width, recipe.height, recipe.frames, recipe.fps)
        given = 0
        while True:
            plan = self.plan
            try:
                for chunk in self._decoded(plan, saved, clip, request, given):
                    given += len(chunk)
                    yield chunk
            except DeviceOutOfMemory as exc:
                if isinstance(exc, GpuTooSmall):
                    raise
                failure = exc
            else:
                return
            smaller = self._resident.step_down(failure, plan, clip)
            if given and not smaller.decodes_like(plan):
                raise DeviceOutOfMemory(
                    "Memory ran out in the middle of a shot; it is decoded again from its first "
                    "frame in a way that needs less.",
                    doing=Phase.DECODE.value,
                )

    def _decoded(
        self, plan: MemoryPlan, saved: SavedClip, clip: ClipPlan, request: ShotRequest, given: int
    ) -> Iterator[Frames]:
        """The frames behind the first `given` ones, by one plan."""
        shown = shown_frames(clip, request.frames, request.fps)[given:]
        with self._resident.held(plan) as model:
            chunks = model.adapter.decode(model.pipeline, saved.latents, saved.noise_state, plan)
            fitted = fit_frames(chunks, shown, request.width, request.height)
            stream = None if self._options.on_cpu else torch.cuda.Stream()  # None changes nothing
            while True:
                # Its own stream: a copy to the host then waits for the decode, not for a denoise.
                with device_errors(Phase.DECODE), torch.cuda.stream(stream):
                    chunk = next(fitted, None)
                if chunk is None:
                    return
                yield chunk

    def warm_up(self, sizes: Sequence[tuple[int, int, int]]) -> None:
        """Render a step or two of each (width, height, frames), so that its kernels are compiled."""
        with self._rendering, self._resident.held(self.plan) as model, device_errors(Phase.WARM_UP):
            for width, height, frames in sizes:
                clip = ClipPlan(width, height, frames, self._family.fps_min)
                prompts = self._embeddings()
                take = Take(
                    clip=clip,
                    prompts=[prompts.negative()],
                    negative=prompts.negative(),
                    pictures=blank_pictures(self._family, clip),
                    steps=_WARM_UP_STEPS,
                    guidance=self._family.guidance,
                    generators=[torch.Generator("cpu").manual_seed(0)],
                )
                model.adapter.run(model.pipeline, self._family, take, _pass_on)

    def close(self) -> None:
        """Drop the weights and give the device's memory back."""
        with self._rendering:
            self._prompts = None
            self._resident.drop()

    def loaded(self) -> LoadedModel:
        """The model, loaded at the first use."""
        return self._resident.loaded()

    def _embeddings(self) -> PromptCache[Embedding]:
        if self._prompts is None:
            self._prompts = PromptCache(
                self._encode, self._family.negative_prompt, self._options.prompts_kept
            )
        return self._prompts

    def _encode(self, prompt: str) -> Embedding:
        model = self.loaded()
        with device_errors(Phase.TEXT):
            return model.adapter.encode(model.texts, prompt, self._family.text_tokens)

    def _denoise(
        self,
        model: LoadedModel,
        requests: Sequence[ShotRequest],
        clip: ClipPlan,
        pictures: Pictures,
        generators: Sequence[torch.Generator],
        watch: StepWatch,
    ) -> torch.Tensor:
        prompts = self._embeddings()
        steps = self._family.steps
        take = Take(
            clip=clip,
            prompts=[prompts.positive(prompt_of(request)) for request in requests],
            negative=prompts.negative(),
            pictures=pictures,
            steps=steps,
            guidance=self._family.guidance,
            generators=generators,
        )

        def on_step(_pipe: Any, step: int, _t: Any, values: dict[str, Any]) -> dict[str, Any]:
            watch(step + 1, steps)
            return values

        try:
            return model.adapter.run(model.pipeline, self._family, take, on_step).cpu()
        finally:
            send_back(model.pipeline)
            if self._quality.first_block_cache is not None:
                for transformer in transformers_of(model.pipeline):
                    transformer._reset_stateful_cache()  # noqa: SLF001 - else it leaks

    def _recipe(
        self,
        model: LoadedModel,
        plan: MemoryPlan,
        request: ShotRequest,
        clip: ClipPlan,
        chosen: ChosenPictures,
        *,
        fused: int,
    ) -> ClipRecipe:
        return ClipRecipe(
            model=self._name,
            family=self._family.name,
            prompt=prompt_of(request),
            negative_prompt=self._family.negative_prompt,
            steps=self._family.steps,
            guidance=self._family.guidance,
            guidance_2=self._family.guidance_2,
            shift=self._family.shift,
            seed=request.seed,
            width=clip.width,
            height=clip.height,
            frames=clip.frames,
            fps=clip.fps,
            shown_width=request.width,
            shown_height=request.height,
            shown_frames=request.frames,
            shown_fps=request.fps,
            stretched=is_stretched(clip, request.frames, request.fps),
            first_frame=chosen.first_note,
            first_frame_sha256=request.first_frame_sha256 if chosen.pictures.first else "",
            last_frame=chosen.last_note,
            device=self._options.device,
            precision=model.precision,
            vae_precision=model.vae_precision,
            attention=model.attention,
            compiled=model.compiled,
            quality=self._quality.name,
            lossy=(*self._quality.lossy_switches, *sorted(CHANGES_PIXELS & {*plan.savings})),
            memory=plan.savings,
            decode=model.adapter.decode_note(model.pipeline, plan),
            fused=fused,
            diffusers=diffusers.__version__,
            torch=torch.__version__,
        )


def _pass_on(_pipe: Any, _step: int, _t: Any, values: dict[str, Any]) -> dict[str, Any]:
    return values
