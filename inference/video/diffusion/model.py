"""A diffusion video model as a VideoModel: renders shots to saved latents, streams their frames."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import diffusers
import torch

from inference.video.diffusion.adapter import Embedding, Pictures, Take
from inference.video.diffusion.clip_plan import ClipPlan, is_stretched, plan_clip, shown_frames
from inference.video.diffusion.device_errors import device_errors
from inference.video.diffusion.families import Family, family_of
from inference.video.diffusion.folder import ModelFolder, read_folder
from inference.video.diffusion.frame_fit import fit_frames
from inference.video.diffusion.loader import LoadedModel, load_model, transformers_of
from inference.video.diffusion.options import ModelOptions
from inference.video.diffusion.pictures import (
    ChosenPictures,
    blank_pictures,
    choose_pictures,
    needs_pictures,
)
from inference.video.diffusion.prompt_cache import PromptCache
from inference.video.diffusion.prompts import prompt_of
from inference.video.diffusion.quality import quality_named
from inference.video.diffusion.recipe import ClipRecipe
from inference.video.diffusion.saved_clip import SavedClip, load_clip, save_clip
from inference.video.model import Frames, ShotRequest, StepWatch
from storyforge.domain.wire import content_hash
from storyforge.errors import RenderFailed


class DiffusionVideoModel:
    """Films shots with the model in a local folder; the weights are loaded at the first use.

    Renders one batch at a time, behind a lock. Decoding needs no lock: it may run in another
    thread beside a render, or beside another decode, and stays exact.
    """

    def __init__(self, path: Path, options: ModelOptions | None = None) -> None:
        """Vet the folder. Raises SetupProblem or WeightsDamaged; loads nothing yet."""
        self._options = options or ModelOptions()
        self._quality = quality_named(self._options.quality)
        self._folder: ModelFolder = read_folder(path)
        self._family: Family = family_of(self._folder)
        self._loading = threading.Lock()
        self._rendering = threading.Lock()
        self._loaded: LoadedModel | None = None
        self._prompts: PromptCache[Embedding] | None = None

    @property
    def name(self) -> str:
        """The folder's name, its fingerprint, and the options that change pixels."""
        options = self._options
        chosen = [
            options.in_bf16,
            self._quality.lossy_switches,
            self._steps,
            self._guidance,
            options.pixels_max,
        ]
        return f"{self._folder.name}-{self._folder.fingerprint[:10]}-{content_hash(chosen)[:6]}"

    @property
    def family(self) -> Family:
        """What this model can do and wants."""
        return self._family

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
        clip = self.plan(requests[0])
        chosen = choose_pictures(self._family, requests[0], clip)
        generators = [torch.Generator("cpu").manual_seed(one.seed) for one in requests]
        with self._rendering, device_errors("rendering"):
            model = self._model()
            latents = self._denoise(model, requests, clip, chosen.pictures, generators, watch)
        for at, (request, result) in enumerate(zip(requests, results, strict=True)):
            recipe = self._recipe(model, request, clip, chosen, fused=len(requests))
            state = generators[at].get_state()
            save_clip(SavedClip(latents[at : at + 1], state, recipe), result)

    def frames(self, request: ShotRequest, result: Path) -> Iterator[Frames]:
        """Decode a saved result chunk by chunk: exactly `request.frames` frames of its size.

        Raises RenderFailed, DeviceOutOfMemory and DeviceLost.
        """
        saved = load_clip(result)
        recipe = saved.recipe
        clip = ClipPlan(recipe.width, recipe.height, recipe.frames, recipe.fps)
        shown = shown_frames(clip, request.frames, request.fps)
        with device_errors("loading the model"):
            model = self._model()
        chunks = model.adapter.decode(model.pipeline, saved.latents, saved.noise_state)
        fitted = fit_frames(chunks, shown, request.width, request.height)
        stream = None if self._options.on_cpu else torch.cuda.Stream()  # None changes nothing
        while True:
            # Its own stream: a copy to the host then waits for the decode, not for a denoise.
            with device_errors("decoding"), torch.cuda.stream(stream):
                chunk = next(fitted, None)
            if chunk is None:
                return
            yield chunk

    def warm_up(self, sizes: Sequence[tuple[int, int, int]]) -> None:
        """Render one step of each (width, height, frames), so that its kernels are compiled."""
        with self._rendering, device_errors("warming up"):
            model = self._model()
            for width, height, frames in sizes:
                clip = ClipPlan(width, height, frames, self._family.fps_min)
                prompts = self._embeddings(model)
                take = Take(
                    clip=clip,
                    prompts=[prompts.negative()],
                    negative=prompts.negative(),
                    pictures=blank_pictures(self._family, clip),
                    steps=1,
                    guidance=self._guidance,
                    generators=[torch.Generator("cpu").manual_seed(0)],
                )
                model.adapter.run(model.pipeline, self._family, take, _pass_on)

    def close(self) -> None:
        """Drop the weights and give the device's memory back."""
        with self._rendering, self._loading:
            self._loaded = self._prompts = None
            gc.collect()
            if not self._options.on_cpu:
                torch.cuda.empty_cache()

    @property
    def _steps(self) -> int:
        return self._options.steps or self._family.steps

    @property
    def _guidance(self) -> float:
        chosen = self._options.guidance
        return self._family.guidance if chosen is None else chosen

    def _model(self) -> LoadedModel:
        with self._loading:
            if self._loaded is None:
                self._loaded = load_model(self._folder, self._family, self._options)
            return self._loaded

    def _embeddings(self, model: LoadedModel) -> PromptCache[Embedding]:
        if self._prompts is None:
            tokens = self._family.text_tokens
            self._prompts = PromptCache(
                lambda prompt: model.adapter.encode(model.pipeline, prompt, tokens),
                self._family.negative_prompt,
                self._options.prompts_kept,
            )
        return self._prompts

    def _denoise(
        self,
        model: LoadedModel,
        requests: Sequence[ShotRequest],
        clip: ClipPlan,
        pictures: Pictures,
        generators: Sequence[torch.Generator],
        watch: StepWatch,
    ) -> torch.Tensor:
        prompts = self._embeddings(model)
        steps = self._steps
        take = Take(
            clip=clip,
            prompts=[prompts.positive(prompt_of(request)) for request in requests],
            negative=prompts.negative(),
            pictures=pictures,
            steps=steps,
            guidance=self._guidance,
            generators=generators,
        )

        def on_step(_pipe: Any, step: int, _t: Any, values: dict[str, Any]) -> dict[str, Any]:
            watch(step + 1, steps)
            return values

        try:
            return model.adapter.run(model.pipeline, self._family, take, on_step).cpu()
        finally:
            if self._quality.first_block_cache is not None:
                for transformer in transformers_of(model.pipeline):
                    transformer._reset_stateful_cache()  # noqa: SLF001 - else it leaks

    def _recipe(
        self,
        model: LoadedModel,
        request: ShotRequest,
        clip: ClipPlan,
        chosen: ChosenPictures,
        *,
        fused: int,
    ) -> ClipRecipe:
        return ClipRecipe(
            model=self.name,
            family=self._family.name,
            prompt=prompt_of(request),
            negative_prompt=self._family.negative_prompt,
            steps=self._steps,
            guidance=self._guidance,
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
            last_frame=chosen.last_note,
            device=self._options.device,
            precision=model.precision,
            vae_precision=model.vae_precision,
            attention=model.attention,
            compiled=self._options.compiles,
            quality=self._quality.name,
            lossy=self._quality.lossy_switches,
            decode=model.adapter.decode_note(model.pipeline),
            fused=fused,
            diffusers=diffusers.__version__,
            torch=torch.__version__,
        )


def _pass_on(_pipe: Any, _step: int, _t: Any, values: dict[str, Any]) -> dict[str, Any]:
    return values
