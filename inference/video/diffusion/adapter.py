"""What a family's adapter must do between our shots and its diffusers pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import torch

from inference.video.diffusion.clip_plan import ClipPlan
from inference.video.diffusion.families import Family
from inference.video.diffusion.pictures import Pictures
from inference.video.memory_ladder import MemoryPlan

Embedding: TypeAlias = Mapping[str, torch.Tensor]
"""What one prompt became: tensors of batch size 1, on the CPU."""


@dataclass(frozen=True)
class Take:
    """One forward: a clip of one or several shots that share size, length and pictures."""

    clip: ClipPlan
    prompts: Sequence[Embedding]
    negative: Embedding
    pictures: Pictures
    steps: int
    guidance: float
    generators: Sequence[torch.Generator]


class Adapter(Protocol):
    """One family's side; stateless, so that a decode and a denoise may run at once."""

    def decode_note(self, pipeline: Any, plan: MemoryPlan) -> str:
        """How this model's frames are decoded under a plan, for the recipe."""
        ...

    def can_tile(self, pipeline: Any) -> bool:
        """Whether frames may be decoded in tiles and are still the same each time."""
        ...

    def prepare(self, pipeline: Any, family: Family) -> None:
        """Set up a freshly loaded pipeline (the scheduler's shift, say)."""
        ...

    def encode(self, pipeline: Any, prompt: str, tokens: int) -> Embedding:
        """The embedding of one prompt, padded to `tokens`."""
        ...

    def run(self, pipeline: Any, family: Family, take: Take, on_step: Any) -> torch.Tensor:
        """Denoise; gives latents [B, C, T, h, w] as the transformer left them."""
        ...

    def decode(
        self, pipeline: Any, latents: torch.Tensor, noise_state: torch.Tensor, plan: MemoryPlan
    ) -> Iterator[torch.Tensor]:
        """Decode latents [1, C, T, h, w] to chunks [1, 3, t, H, W] in -1..1, in order."""
        ...
