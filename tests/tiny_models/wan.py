"""Tiny random Wan models in every layout that the hub has, through the real pipeline classes."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

from tests.tiny_models.text import tiny_tokenizer, tiny_umt5

_LATENTS_21, _LATENTS_22 = 16, 48
_CLIP_PATCHES = 4  # of a 32 px picture in patches of 16


def wan21_t2v() -> WanPipeline:
    """Wan2.1 text to video."""
    return WanPipeline(**_text(), vae=_vae21(), scheduler=_scheduler(), transformer=_transformer())


def wan21_i2v() -> WanImageToVideoPipeline:
    """Wan2.1 image to video, with a CLIP image encoder."""
    return _wan21_image({})


def wan21_flf() -> WanImageToVideoPipeline:
    """Wan2.1 first and last frame: position embeddings over both pictures' patches."""
    return _wan21_image({"pos_embed_seq_len": 2 * (_CLIP_PATCHES + 1)})


def wan22_ti2v() -> WanPipeline:
    """The layout of Wan2.2 TI2V-5B: residual VAE with patches, one timestep per token."""
    return WanPipeline(
        **_text(),
        vae=_vae22(),
        scheduler=_scheduler(),
        transformer=_transformer(_LATENTS_22, _LATENTS_22),
        expand_timesteps=True,
    )


def wan22_a14b_t2v() -> WanPipeline:
    """The layout of Wan2.2 A14B text to video: two transformers."""
    return WanPipeline(
        **_text(),
        vae=_vae21(),
        scheduler=_scheduler(),
        transformer=_transformer(),
        transformer_2=_transformer(seed=1),
        boundary_ratio=0.875,
    )


def wan22_a14b_i2v() -> WanImageToVideoPipeline:
    """The layout of Wan2.2 A14B image to video: two transformers and no image encoder."""
    return WanImageToVideoPipeline(
        **_text(),
        vae=_vae21(),
        scheduler=_scheduler(),
        transformer=_transformer(36, _LATENTS_21),
        transformer_2=_transformer(36, _LATENTS_21, seed=1),
        boundary_ratio=0.9,
    )


def _wan21_image(more: dict[str, int]) -> WanImageToVideoPipeline:
    torch.manual_seed(0)
    eyes = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=4,
            projection_dim=4,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=32,
            intermediate_size=16,
            patch_size=16,
        )
    )
    return WanImageToVideoPipeline(
        **_text(),
        vae=_vae21(),
        scheduler=_scheduler(),
        image_encoder=eyes,
        image_processor=CLIPImageProcessor(crop_size=32, size=32),
        transformer=_transformer(36, _LATENTS_21, image_dim=4, added_kv_proj_dim=32, **more),
    )


def _text() -> dict[str, Any]:
    tokenizer = tiny_tokenizer()
    return {"tokenizer": tokenizer, "text_encoder": tiny_umt5(len(tokenizer))}


def _scheduler() -> UniPCMultistepScheduler:
    return UniPCMultistepScheduler(
        prediction_type="flow_prediction",
        use_flow_sigmas=True,
        num_train_timesteps=1000,
        flow_shift=3.0,
    )


def _vae21() -> AutoencoderKLWan:
    torch.manual_seed(0)
    return AutoencoderKLWan(
        base_dim=8,
        z_dim=_LATENTS_21,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )


def _vae22() -> AutoencoderKLWan:
    torch.manual_seed(0)
    return AutoencoderKLWan(
        base_dim=8,
        decoder_base_dim=8,
        z_dim=_LATENTS_22,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * _LATENTS_22,
        latents_std=[1.0] * _LATENTS_22,
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
    )


def _transformer(
    channels_in: int = _LATENTS_21,
    channels_out: int = _LATENTS_21,
    *,
    seed: int = 0,
    **more: Any,
) -> WanTransformer3DModel:
    torch.manual_seed(seed)
    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=channels_in,
        out_channels=channels_out,
        text_dim=32,
        freq_dim=64,
        ffn_dim=64,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=64,
        **more,
    )
