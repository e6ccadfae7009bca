"""Puts a loaded pipeline's parts where a memory plan wants them, by the offloads of diffusers."""

from __future__ import annotations

import copy
from typing import Any

import torch

from inference.video.memory_ladder import MemoryPlan, Saving

_HOST = torch.device("cpu")


def place_pipeline(pipeline: Any, plan: MemoryPlan, device: str) -> Any:
    """Put the parts of a pipeline, fresh from its files on the host, where the plan wants them.

    Gives the pipeline to encode prompts with: the same one, or a twin that alone has the text
    encoder, which then stays on the host; without it the rest runs from prompt embeddings.
    """
    texts = pipeline
    if plan.has(Saving.TEXT_ON_CPU):
        texts = copy.copy(pipeline)
        pipeline.text_encoder = None
    if plan.offload in {Saving.OFFLOAD_BLOCKS, Saving.OFFLOAD_LEAVES}:
        _offload_groups(pipeline, torch.device(device), plan.offload)
    elif plan.offload is Saving.OFFLOAD_MODELS:
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)
    return texts


def bring_in(part: Any) -> None:
    """Get an offloaded part whose `forward` is not what we call onto the device."""
    hook = getattr(part, "_hf_hook", None)
    if hook is not None and hasattr(hook, "pre_forward"):
        hook.pre_forward(part)


def send_back(pipeline: Any) -> None:
    """Take what was brought in off the device again; nothing happens to what lives there."""
    pipeline.maybe_free_model_hooks()


def _offload_groups(pipeline: Any, device: torch.device, how: Saving) -> None:
    """The transformers by blocks or leaves; the VAE by leaves, since we call its parts directly.

    Without streams: those pin all weights, which costs the host's memory twice over.
    """
    by_block = how is Saving.OFFLOAD_BLOCKS
    for name in ("transformer", "transformer_2"):
        part = getattr(pipeline, name, None)
        if part is not None:
            part.enable_group_offload(
                onload_device=device,
                offload_device=_HOST,
                offload_type="block_level" if by_block else "leaf_level",
                num_blocks_per_group=1 if by_block else None,
            )
    pipeline.vae.enable_group_offload(
        onload_device=device, offload_device=_HOST, offload_type="leaf_level"
    )
    for name in ("text_encoder", "image_encoder"):
        part = getattr(pipeline, name, None)
        if part is not None:
            part.to(device)  # group offload breaks encoders of transformers
