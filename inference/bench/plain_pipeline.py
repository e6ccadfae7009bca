"""A model as its documentation has one load it: no compilation, torch's own attention, exact VAE."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from inference.video.diffusion.attention import NATIVE, AttentionChoice, use_attention
from inference.video.diffusion.device_errors import device_errors
from inference.video.diffusion.families import Engine, family_of
from inference.video.diffusion.folder import read_folder
from inference.video.diffusion.loader import load_model, transformers_of
from inference.video.diffusion.options import ModelOptions
from inference.video.memory_ladder import MemoryPlan, Phase

_PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}


def plain_pipeline(path: Path, options: ModelOptions) -> Any:
    """The diffusers pipeline of a folder, with the same weights and steps as ours.

    Wan's own documentation keeps the VAE in float32. Raises what loading raises.
    """
    folder = read_folder(path, weights=not options.random_weights)
    family = options.applied_to(family_of(folder))
    plain = replace(options, compile=False)
    pipeline = load_model(folder, family, plain, MemoryPlan()).pipeline
    for transformer in transformers_of(pipeline):
        use_attention(transformer, AttentionChoice(NATIVE))
    if family.engine is Engine.WAN:
        with device_errors(Phase.LOAD):
            pipeline.vae.to(torch.float32)
    return pipeline


@contextmanager
def vae_in(pipeline: Any, precision: str) -> Iterator[None]:
    """The pipeline's VAE in another precision while the context lasts: `bf16` or `fp32`."""
    before = pipeline.vae.dtype
    pipeline.vae.to(_PRECISIONS[precision])
    try:
        yield
    finally:
        pipeline.vae.to(before)
