"""Loads a vetted folder's pipeline onto the device, from this host's files only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import diffusers
import structlog
import torch
import transformers
from diffusers import FirstBlockCacheConfig

from inference.video.diffusion.adapter import Adapter
from inference.video.diffusion.attention import choose_attention, use_attention
from inference.video.diffusion.device_errors import device_errors
from inference.video.diffusion.drawn_weights import drawn_pipeline
from inference.video.diffusion.families import Engine, Family
from inference.video.diffusion.folder import ModelFolder
from inference.video.diffusion.ltx import LtxAdapter
from inference.video.diffusion.options import CPU, ModelOptions
from inference.video.diffusion.placement import place_pipeline
from inference.video.diffusion.quality import Quality, quality_named
from inference.video.diffusion.wan import WanAdapter
from inference.video.memory_ladder import MemoryPlan, Phase, Saving
from storyforge.errors import SetupProblem, WeightsDamaged

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LoadedModel:
    """A pipeline where its plan wants it, with its adapter, and what was chosen for it.

    texts: the pipeline to encode prompts with; a twin where the text encoder lies elsewhere.
    """

    pipeline: Any
    texts: Any
    plan: MemoryPlan
    adapter: Adapter
    attention: str
    precision: str
    vae_precision: str
    compiled: bool


def load_model(
    folder: ModelFolder, family: Family, options: ModelOptions, plan: MemoryPlan
) -> LoadedModel:
    """Load a model. Raises SetupProblem, WeightsDamaged, DeviceOutOfMemory and DeviceLost."""
    if not options.on_cpu and not torch.cuda.is_available():
        raise SetupProblem(
            f"The video model '{folder.name}' is to run on {options.device}, but torch sees no "
            "CUDA device here; check the driver, or use the device cpu."
        )
    quality = quality_named(options.quality)
    dtype = torch.bfloat16 if options.in_bf16 else torch.float32
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
        library.utils.logging.set_verbosity_error()  # our own log says what was chosen
    with device_errors(Phase.LOAD):
        if options.random_weights:
            # On the host where the plan keeps parts there: they would not fit on the device.
            whole = plan.placement == MemoryPlan().placement
            pipeline = drawn_pipeline(folder, dtype, options.device if whole else CPU)
        else:
            pipeline = _read_pipeline(folder, dtype)
        pipeline.set_progress_bar_config(disable=True)
        adapter: Adapter = WanAdapter() if family.engine is Engine.WAN else LtxAdapter()
        adapter.prepare(pipeline, family)
        attention = _set_up_transformers(pipeline, options, quality)
        texts = place_pipeline(pipeline, plan, options.device)
        compiled = _compile(pipeline, options, plan)
    _log.info(
        "video model loaded",
        model=folder.name,
        family=family.name,
        attention=attention,
        savings=plan.savings,
    )
    return LoadedModel(
        pipeline=pipeline,
        texts=texts,
        plan=plan,
        adapter=adapter,
        attention=attention,
        precision=_short(pipeline.transformer.dtype),
        vae_precision=_short(pipeline.vae.dtype),
        compiled=compiled,
    )


def _read_pipeline(folder: ModelFolder, dtype: torch.dtype) -> Any:
    pipeline_class = getattr(diffusers, folder.pipeline_class)
    try:
        return pipeline_class.from_pretrained(
            str(folder.path), dtype=dtype, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError) as exc:
        raise WeightsDamaged(
            f"The video model '{folder.name}' cannot be loaded; verify or pull it again."
        ) from exc


def transformers_of(pipeline: Any) -> list[Any]:
    """The one or two transformers of a pipeline."""
    both = (pipeline.transformer, getattr(pipeline, "transformer_2", None))
    return [one for one in both if one is not None]


def _set_up_transformers(pipeline: Any, options: ModelOptions, quality: Quality) -> str:
    transformers = transformers_of(pipeline)
    choice = choose_attention(
        options.device,
        head_width=int(transformers[0].config.attention_head_dim),
        kernel_dir=options.kernel_dir,
        lossy=quality.attention,
    )
    for transformer in transformers:
        use_attention(transformer, choice)
        if quality.fp8_weights:
            transformer.enable_layerwise_casting(
                storage_dtype=torch.float8_e4m3fn, compute_dtype=transformer.dtype
            )
        if quality.first_block_cache is not None:
            transformer.enable_cache(FirstBlockCacheConfig(threshold=quality.first_block_cache))
    return choice.backend


def _compile(pipeline: Any, options: ModelOptions, plan: MemoryPlan) -> bool:
    """Compile the transformers' blocks; not those that move about, whose hooks break the graph."""
    if not options.compiles or plan.offload in {Saving.OFFLOAD_BLOCKS, Saving.OFFLOAD_LEAVES}:
        return False
    if options.cache_dir is not None:
        # Inductor reads its folder from here only; the next process finds what this one compiled.
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(options.cache_dir)
    for transformer in transformers_of(pipeline):
        transformer.compile_repeated_blocks(fullgraph=True)
    return True


def _short(dtype: torch.dtype) -> str:
    return {torch.bfloat16: "bf16", torch.float32: "fp32"}.get(dtype, str(dtype))
