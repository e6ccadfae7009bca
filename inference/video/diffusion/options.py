"""How a model is to be run on this host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from inference.video.diffusion.families import Family
from inference.video.diffusion.quality import EXACT
from inference.video.memory_ladder import FULL, MemoryPlan, Saving
from inference.video.memory_needs import KnownPeak

Precision: TypeAlias = Literal["auto", "bf16", "fp32"]
PeakLookUp: TypeAlias = Callable[[int, int, int], KnownPeak | None]
CPU = "cpu"


def _nobody_knows(_width: int, _height: int, _frames: int) -> KnownPeak | None:
    return None


@dataclass(frozen=True)
class ModelOptions:
    """Everything but the model itself.

    device: `cpu` or a torch device; the worker pins its card, so `cuda` is the pinned one.
    precision: auto is bf16 on a card and fp32 on the CPU. steps, guidance, shift: the family's
    own when None; guidance of 1 and below switches the negative prompt off. pixels_max: bound of the rendered area, the family's native area when None.
    compile: regional compilation; None means on a card only. cache_dir: where compiled kernels
    persist. kernel_dir: a local folder with the FlashAttention-3 kernel; nothing is fetched.
    lean_decode: stream decoders that would take the whole clip at once; saves memory and is equal
    but for rounding. prompts_kept: how many prompt embeddings stay in memory (4 MB each for the
    large encoders). shrink: whether a shot that does not fit may be rendered smaller and scaled up.
    known_peak: of a clip of (width, height, frames), by profile or catalogue; None when neither
    knows.
    random_weights: draw the weights instead of reading them, to measure without a download.
    """

    device: str = CPU
    precision: Precision = "auto"
    quality: str = EXACT
    steps: int | None = None
    guidance: float | None = None
    shift: float | None = None
    pixels_max: int | None = None
    compile: bool | None = None
    cache_dir: Path | None = None
    kernel_dir: Path | None = None
    lean_decode: bool = False
    prompts_kept: int = 64
    shrink: bool = False
    known_peak: PeakLookUp = _nobody_knows
    random_weights: bool = False

    def applied_to(self, family: Family) -> Family:
        """The family with what these options say otherwise."""
        return replace(
            family,
            steps=self.steps or family.steps,
            guidance=family.guidance if self.guidance is None else self.guidance,
            shift=family.shift if self.shift is None else self.shift,
        )

    @property
    def first_plan(self) -> MemoryPlan:
        """The memory plan to begin with."""
        return FULL.plus(Saving.STREAM) if self.lean_decode else FULL

    @property
    def on_cpu(self) -> bool:
        """Whether there is no card."""
        return self.device == CPU

    @property
    def in_bf16(self) -> bool:
        """Whether the weights are kept in bfloat16."""
        return self.precision == "bf16" or (self.precision == "auto" and not self.on_cpu)

    @property
    def compiles(self) -> bool:
        """Whether the transformer's blocks are compiled."""
        return not self.on_cpu if self.compile is None else self.compile
