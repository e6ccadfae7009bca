"""Builds a model's pipeline with random weights, drawn on the device: real work, no picture.

What a transformer or a decoder takes does not depend on the values of its weights, so a card can be
measured without downloading a model. Nothing is ever whole in host memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from accelerate import init_empty_weights

from inference.video.diffusion.folder import ModelFolder

# Of the initialisation that such models start from; normal numbers, since zeros multiply faster.
_DEVIATION = 0.02
_SEED = 2026
_LIBRARIES = {"diffusers": diffusers, "transformers": transformers}


def drawn_pipeline(folder: ModelFolder, dtype: torch.dtype, device: str) -> Any:
    """The pipeline of a folder that needs no weights, its matrices N(0, 0.02) on the device.

    Norms stay ones and biases zeros, so that every value stays finite through any depth. What the
    model's classes keep in float32 is in float32, as when real weights are loaded.
    """
    generator = torch.Generator(device).manual_seed(_SEED)
    components = {
        name: _component(folder, name, dtype, generator)
        for name, entry in folder.index.items()
        if isinstance(entry, list) and entry[0] is not None
    }
    pipeline_class = getattr(diffusers, folder.pipeline_class)
    settings = {
        name: value
        for name, value in folder.index.items()
        if not name.startswith("_") and not isinstance(value, list)
    }
    absent = {name: None for name, entry in folder.index.items() if isinstance(entry, list)}
    return pipeline_class(**(absent | settings | components))


def _component(
    folder: ModelFolder, name: str, dtype: torch.dtype, generator: torch.Generator
) -> Any:
    library, class_name = folder.index[name]
    wanted = getattr(_LIBRARIES[library], class_name)
    if not issubclass(wanted, torch.nn.Module):
        return wanted.from_pretrained(str(folder.path / name), local_files_only=True)
    with init_empty_weights(include_buffers=False):
        module = _empty(wanted, folder.path / name, folder.config(name))
    if isinstance(module, transformers.PreTrainedModel):
        module.tie_weights()  # the context above unties shared words, which are 2 GB
    _draw(module, dtype, generator)
    return module.eval()


def _empty(wanted: Any, path: Path, config: Mapping[str, Any]) -> torch.nn.Module:
    """The module as its configuration says, its weights not there yet."""
    if hasattr(wanted, "from_config"):
        made = wanted.from_config(dict(config))
    else:
        made = wanted(wanted.config_class.from_pretrained(str(path), local_files_only=True))
    assert isinstance(made, torch.nn.Module)
    return made


def _draw(module: torch.nn.Module, dtype: torch.dtype, generator: torch.Generator) -> None:
    """Give every weight its values; one that several modules share stays shared."""
    kept: dict[int, torch.nn.Parameter] = {}
    for path, owner in module.named_modules():
        for name, empty in list(owner._parameters.items()):  # noqa: SLF001 - how torch itself replaces one
            if empty is None:
                continue
            if id(empty) not in kept:
                wanted = torch.float32 if _stays_exact(module, f"{path}.{name}") else dtype
                values = _values(empty, name, wanted, generator)
                kept[id(empty)] = torch.nn.Parameter(values, requires_grad=False)
            owner._parameters[name] = kept[id(empty)]  # noqa: SLF001 - see above


def _values(
    empty: torch.Tensor, name: str, dtype: torch.dtype, generator: torch.Generator
) -> torch.Tensor:
    made = torch.empty(empty.shape, dtype=dtype, device=generator.device)
    if empty.ndim > 1:
        return made.normal_(0.0, _DEVIATION, generator=generator)
    return made.fill_(0.0 if name == "bias" else 1.0)


def _stays_exact(module: torch.nn.Module, path: str) -> bool:
    """Whether the model's class keeps this weight in float32 even in a bf16 pipeline."""
    kept = (
        getattr(module, "_keep_in_fp32_modules", None)
        if isinstance(module, diffusers.ModelMixin)
        else getattr(module, "_keep_in_fp32_modules_strict", None)
    )
    parts = path.split(".")
    return any(one in parts for one in kept or ())
