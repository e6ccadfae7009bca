"""Tiny random LTX models through the real pipeline classes."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import (
    AutoencoderKLLTXVideo,
    FlowMatchEulerDiscreteScheduler,
    LTXConditionPipeline,
    LTXPipeline,
    LTXVideoTransformer3DModel,
)

from tests.tiny_models.text import tiny_t5, tiny_tokenizer

_LATENTS = 16
_FOUR_OF_EIGHT = (8, 8, 8, 8)


def ltx_t2v() -> LTXPipeline:
    """Text to video."""
    return LTXPipeline(**_parts())


def ltx_condition() -> LTXConditionPipeline:
    """Pictures or films as conditions at any frame; the VAE wants a timestep, as 0.9.1 and later."""
    return LTXConditionPipeline(**_parts(timestep_conditioning=True))


def _parts(*, timestep_conditioning: bool = False) -> dict[str, Any]:
    tokenizer = tiny_tokenizer()
    torch.manual_seed(0)
    transformer = LTXVideoTransformer3DModel(
        in_channels=_LATENTS,
        out_channels=_LATENTS,
        num_attention_heads=4,
        attention_head_dim=16,
        cross_attention_dim=64,
        num_layers=2,
        caption_channels=32,
    )
    torch.manual_seed(0)
    vae = AutoencoderKLLTXVideo(
        latent_channels=_LATENTS,
        block_out_channels=_FOUR_OF_EIGHT,
        decoder_block_out_channels=_FOUR_OF_EIGHT,
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True, False),
        decoder_spatio_temporal_scaling=(True, True, True, False),
        decoder_inject_noise=(False,) * 5,
        upsample_residual=(False,) * 4,
        upsample_factor=(1,) * 4,
        timestep_conditioning=timestep_conditioning,
        patch_size=4,
        encoder_causal=True,
        decoder_causal=False,
    )
    return {
        "transformer": transformer,
        "vae": vae,
        "text_encoder": tiny_t5(len(tokenizer)),
        "tokenizer": tokenizer,
        "scheduler": FlowMatchEulerDiscreteScheduler(),
    }
