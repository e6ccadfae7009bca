"""The adapter of the Wan family: text, first and last frame, two transformers, streaming decode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import UniPCMultistepScheduler, WanImageToVideoPipeline, WanPipeline
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify
from diffusers.utils.torch_utils import get_module_execution_device

from inference.video.diffusion.adapter import Embedding, Take
from inference.video.diffusion.families import Family
from inference.video.diffusion.placement import bring_in, send_back
from inference.video.diffusion.tiled_decode import decode_tiled
from inference.video.memory_ladder import MemoryPlan, Saving


class WanAdapter:
    """Runs WanPipeline and WanImageToVideoPipeline."""

    def decode_note(self, pipeline: Any, plan: MemoryPlan) -> str:
        """Streamed, unless only tiles fit."""
        del pipeline
        if plan.has(Saving.TILES):
            return "in overlapping tiles, blended: not the frames of a whole decode"
        return "streamed: one latent frame at a time, as the pipeline's own decoder works too"

    def can_tile(self, pipeline: Any) -> bool:
        """Yes: the decoder draws nothing at random."""
        del pipeline
        return True

    def prepare(self, pipeline: Any, family: Family) -> None:
        """UniPC with this family's flow shift; the folder's own scheduler is not trusted."""
        pipeline.scheduler = UniPCMultistepScheduler.from_config(
            pipeline.scheduler.config,
            prediction_type="flow_prediction",
            use_flow_sigmas=True,
            flow_shift=family.shift,
        )

    @torch.no_grad()
    def encode(self, pipeline: Any, prompt: str, tokens: int) -> Embedding:
        """One prompt as [1, tokens, width]; the padding is zeros and part of the training."""
        embeds, _ = pipeline.encode_prompt(
            prompt=[prompt], do_classifier_free_guidance=False, max_sequence_length=tokens
        )
        return {"prompt_embeds": embeds.cpu()}

    def run(self, pipeline: Any, family: Family, take: Take, on_step: Any) -> torch.Tensor:
        """Denoise a batch; with a picture through the image pipeline on the same weights."""
        device = get_module_execution_device(pipeline.transformer)
        count = len(take.prompts)
        positive = torch.cat([one["prompt_embeds"] for one in take.prompts]).to(device)
        negative = take.negative["prompt_embeds"].repeat(count, 1, 1).to(device)
        arguments: dict[str, Any] = {
            "prompt_embeds": positive,
            "negative_prompt_embeds": negative,
            "width": take.clip.width,
            "height": take.clip.height,
            "num_frames": take.clip.frames,
            "num_inference_steps": take.steps,
            "guidance_scale": take.guidance,
            "generator": list(take.generators),
            "output_type": "latent",
            "callback_on_step_end": on_step,
        }
        if pipeline.config.boundary_ratio is not None:
            arguments["guidance_scale_2"] = family.guidance_2
        if take.pictures.given:
            arguments["image"] = take.pictures.first
            if take.pictures.last is not None:
                arguments["last_image"] = take.pictures.last
        wanted = WanImageToVideoPipeline if take.pictures.given else WanPipeline
        latents = _as(wanted, pipeline)(**arguments).frames
        assert isinstance(latents, torch.Tensor)
        return latents

    @torch.no_grad()
    def decode(
        self, pipeline: Any, latents: torch.Tensor, noise_state: torch.Tensor, plan: MemoryPlan
    ) -> Iterator[torch.Tensor]:
        """Latent frame by latent frame: 1 frame first, then `scale_factor_temporal` each.

        The feature cache is local, unlike in `vae.decode`, so decodes may run side by side. The
        order of operations is the pipeline's own, on which bit-identity rests (decision 0012).
        """
        del noise_state
        vae = pipeline.vae
        config = vae.config
        bring_in(vae)
        latents = latents.to(get_module_execution_device(vae), vae.dtype)
        shape = (1, config.z_dim, 1, 1, 1)
        mean = torch.tensor(config.latents_mean).view(shape).to(latents)
        scale = 1.0 / torch.tensor(config.latents_std).view(shape).to(latents)
        latents = latents / scale + mean
        try:
            if plan.has(Saving.TILES):
                yield from decode_tiled(vae, latents)
                return
            hidden = vae.post_quant_conv(latents)
            cache = [None] * vae._cached_conv_counts["decoder"]  # noqa: SLF001 - pinned, decision 0012
            for at in range(hidden.shape[2]):
                bring_in(vae)
                out = vae.decoder(
                    hidden[:, :, at : at + 1], feat_cache=cache, feat_idx=[0], first_chunk=at == 0
                )
                if config.patch_size is not None:
                    out = unpatchify(out, patch_size=config.patch_size)
                yield torch.clamp(out, min=-1.0, max=1.0)
        finally:
            send_back(pipeline)


def _as(wanted: type[Any], pipeline: Any) -> Any:
    """The same components under the pipeline class that the take needs (TI2V does both)."""
    if type(pipeline) is wanted:
        return pipeline
    other = wanted(
        tokenizer=pipeline.tokenizer,
        text_encoder=pipeline.text_encoder,
        vae=pipeline.vae,
        scheduler=pipeline.scheduler,
        transformer=pipeline.transformer,
        transformer_2=pipeline.transformer_2,
        boundary_ratio=pipeline.config.boundary_ratio,
        expand_timesteps=pipeline.config.expand_timesteps,
    )
    other.set_progress_bar_config(disable=True)
    return other
