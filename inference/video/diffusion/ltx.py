"""The adapter of the LTX family: text, pictures as conditions at any frame, both decodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from diffusers import LTXConditionPipeline
from diffusers.pipelines.ltx.pipeline_ltx_condition import (
    LTXVideoCondition,
    linear_quadratic_schedule,
)
from diffusers.utils.torch_utils import get_module_execution_device, randn_tensor

from inference.video.diffusion.adapter import Embedding, Take
from inference.video.diffusion.families import Family
from inference.video.diffusion.ltx_decoder import decode_chunks
from inference.video.diffusion.placement import bring_in, send_back
from inference.video.diffusion.tiled_decode import GIVEN_FRAMES, decode_tiled
from inference.video.memory_ladder import MemoryPlan, Saving

# The 0.9.1 and later decoders take a timestep and a little noise (the models' own defaults).
_DECODE_TIMESTEP = 0.05
_DECODE_NOISE = 0.025


class LtxAdapter:
    """Runs LTXPipeline and LTXConditionPipeline.

    A clip is decoded whole, unless the memory plan streams it. That is the same mathematics and
    needs a fraction of the memory, but convolutions round differently over fewer frames (2e-6 of
    the range, measured).
    """

    def decode_note(self, pipeline: Any, plan: MemoryPlan) -> str:
        """Whole, streamed or tiled, and how exact that is."""
        if _draws_noise(pipeline.vae):
            return "streamed, with the decoder's own noise from this clip's seed"
        if plan.has(Saving.TILES):
            return "in overlapping tiles, blended: not the frames of a whole decode"
        if plan.has(Saving.STREAM):
            return "streamed: equal to the whole but for rounding"
        return "whole clip, bit-identical to the pipeline's own"

    def can_tile(self, pipeline: Any) -> bool:
        """Not where the decoder injects noise: its own call takes it from the process's generator."""
        return not _draws_noise(pipeline.vae)

    def prepare(self, pipeline: Any, family: Family) -> None:
        """Nothing: the shift follows from the length of the sequence."""

    @torch.no_grad()
    def encode(self, pipeline: Any, prompt: str, tokens: int) -> Embedding:
        """One prompt as [1, tokens, width] with its mask."""
        embeds, mask, _, _ = pipeline.encode_prompt(
            prompt=[prompt],
            do_classifier_free_guidance=False,
            max_sequence_length=tokens,
            device=get_module_execution_device(pipeline.text_encoder),
        )
        return {"prompt_embeds": embeds.cpu(), "prompt_attention_mask": mask.cpu()}

    def run(self, pipeline: Any, family: Family, take: Take, on_step: Any) -> torch.Tensor:
        """Denoise a batch; pictures become conditions at the first and the last frame."""
        del family
        device = get_module_execution_device(pipeline.transformer)
        count = len(take.prompts)
        arguments: dict[str, Any] = {
            "width": take.clip.width,
            "height": take.clip.height,
            "num_frames": take.clip.frames,
            "frame_rate": take.clip.fps,
            "num_inference_steps": take.steps,
            "guidance_scale": take.guidance,
            "generator": list(take.generators) if count > 1 else take.generators[0],
            "output_type": "latent",
            "callback_on_step_end": on_step,
        }
        for key in ("prompt_embeds", "prompt_attention_mask"):
            arguments[key] = torch.cat([one[key] for one in take.prompts]).to(device)
            negative = take.negative[key]
            arguments[f"negative_{key}"] = torch.cat([negative] * count).to(device)
        if isinstance(pipeline, LTXConditionPipeline):
            # Its own default, as a list: it hands numpy a tensor, which numpy 2 warns about.
            sigmas = linear_quadratic_schedule(take.steps)
            arguments["timesteps"] = (sigmas * 1000).tolist()
        if take.pictures.given:
            arguments["conditions"] = _conditions(take)
        latents = pipeline(**arguments).frames
        assert isinstance(latents, torch.Tensor)
        return _unpacked(pipeline, latents, take)

    @torch.no_grad()
    def decode(
        self, pipeline: Any, latents: torch.Tensor, noise_state: torch.Tensor, plan: MemoryPlan
    ) -> Iterator[torch.Tensor]:
        """Decode the whole clip and hand it on in small chunks, or stream it, or tile it."""
        vae = pipeline.vae
        bring_in(vae)
        device = get_module_execution_device(vae)
        # the pipeline's own order: denormalised first, then in the precision of its embeddings
        latents = pipeline._denormalize_latents(  # noqa: SLF001 - pinned, decision 0012
            latents.to(device), vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        ).to(pipeline.transformer.dtype)
        generator = torch.Generator("cpu")
        generator.set_state(noise_state)
        timestep = None
        if vae.config.timestep_conditioning:
            latents, timestep = _with_noise(latents, generator)
        latents = latents.to(vae.dtype)
        try:
            if _draws_noise(vae) or (plan.has(Saving.STREAM) and not plan.has(Saving.TILES)):
                yield from decode_chunks(vae.decoder, latents, timestep, generator)
            elif plan.has(Saving.TILES):
                yield from decode_tiled(vae, latents, timestep)
            else:
                video = vae.decode(latents, timestep, return_dict=False)[0]
                yield from torch.split(video, GIVEN_FRAMES, dim=2)
        finally:
            send_back(pipeline)


def _conditions(take: Take) -> list[LTXVideoCondition]:
    found = []
    if take.pictures.first is not None:
        found.append(LTXVideoCondition(image=take.pictures.first, frame_index=0))
    if take.pictures.last is not None:
        found.append(LTXVideoCondition(image=take.pictures.last, frame_index=take.clip.frames - 1))
    return found


def _unpacked(pipeline: Any, latents: torch.Tensor, take: Take) -> torch.Tensor:
    """LTXPipeline leaves tokens [B, S, D]; LTXConditionPipeline leaves [B, C, T, h, w]."""
    if latents.ndim == 5:  # noqa: PLR2004 - B, C, T, h, w
        return latents
    clip = take.clip
    unpacked = pipeline._unpack_latents(  # noqa: SLF001 - pinned, decision 0012
        latents,
        (clip.frames - 1) // pipeline.vae_temporal_compression_ratio + 1,
        clip.height // pipeline.vae_spatial_compression_ratio,
        clip.width // pipeline.vae_spatial_compression_ratio,
        pipeline.transformer_spatial_patch_size,
        pipeline.transformer_temporal_patch_size,
    )
    assert isinstance(unpacked, torch.Tensor)
    return unpacked


def _draws_noise(vae: Any) -> bool:
    """Whether the decoder adds noise; diffusers would draw it from the process's own generator."""
    return any(vae.config.decoder_inject_noise)


def _with_noise(
    latents: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """The decoder's noise, drawn on from where the denoising left the generator."""
    noise = randn_tensor(
        latents.shape, generator=generator, device=latents.device, dtype=latents.dtype
    )
    timestep = torch.tensor([_DECODE_TIMESTEP], device=latents.device, dtype=latents.dtype)
    share = torch.tensor([_DECODE_NOISE], device=latents.device, dtype=latents.dtype)
    share = share[:, None, None, None, None]
    return (1 - share) * latents + share * noise, timestep
