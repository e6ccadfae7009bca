"""Saves a clip's latents with its recipe in one safetensors file, and reads them back."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from inference.video.diffusion.recipe import ClipRecipe
from storyforge.errors import DiskFull, QualityRefused, RenderFailed

_LATENTS, _NOISE_STATE, _RECIPE = "latents", "noise_state", "recipe"


@dataclass(frozen=True)
class SavedClip:
    """Latents [1, C, T, h, w] on the CPU, as the transformer left them, and their recipe.

    noise_state: the random generator's state after the denoising; some decoders draw on.
    """

    latents: torch.Tensor
    noise_state: torch.Tensor
    recipe: ClipRecipe


def save_clip(clip: SavedClip, target: Path) -> None:
    """Write the clip. Raises QualityRefused for latents that are no numbers, and DiskFull."""
    if not bool(torch.isfinite(clip.latents).all()):
        raise QualityRefused(
            "The video model gave latents with values that are no numbers; if other seeds do too, "
            "use another precision."
        )
    tensors = {_LATENTS: clip.latents.contiguous(), _NOISE_STATE: clip.noise_state.contiguous()}
    # Bytes and our own write: safetensors would make a file that only its owner may read.
    content = save(tensors, metadata={_RECIPE: clip.recipe.model_dump_json(by_alias=True)})
    try:
        target.write_bytes(content)
    except OSError as exc:
        if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull("No room for the rendered shot; free some disk space.") from exc
        raise RenderFailed("The rendered shot could not be written.") from exc


def load_clip(source: Path) -> SavedClip:
    """Read a saved clip. Raises RenderFailed when it is missing or damaged."""
    with _opened(source) as file:
        # Copies: the tensors are maps of the file, which may be written anew while we decode.
        latents, state = (file.get_tensor(key).clone() for key in (_LATENTS, _NOISE_STATE))
        return SavedClip(latents, state, _recipe_in(file))


def read_recipe(source: Path) -> ClipRecipe:
    """Only the recipe of a saved clip. Raises RenderFailed when it is missing or damaged."""
    with _opened(source) as file:
        return _recipe_in(file)


@contextmanager
def _opened(source: Path) -> Iterator[Any]:
    try:
        with safe_open(source, framework="pt") as file:
            yield file
    except (OSError, SafetensorError, ValidationError) as exc:
        raise RenderFailed("The rendered shot cannot be read; render it again.") from exc


def _recipe_in(file: Any) -> ClipRecipe:
    return ClipRecipe.model_validate_json((file.metadata() or {}).get(_RECIPE, ""))
