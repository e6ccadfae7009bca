"""What a plan needs of a device's memory, and which picture size would fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inference.video.memory_ladder import FULL, MemoryPlan, Phase, Saving, next_plan

# Blocks on the device at once: one computes while the one before is on its way out.
_BLOCKS_HELD = 2
# Of what was measured to fit: allocators round up, and another driver needs a little more.
_MARGIN = 0.9
_UNKNOWN_SHARE = 0.5  # nothing was measured: half the area is the ladder's own next step
_SMALLEST_SIDE = 64
_EVEN = 2


@dataclass(frozen=True)
class WeightBytes:
    """Bytes of a model's parts in the precision in which they are run.

    transformers: one or two. largest_block: of their repeated blocks. image: of a picture encoder.
    """

    transformers: tuple[int, ...]
    largest_block: int
    text: int
    vae: int
    image: int = 0

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(self.transformers) + self.text + self.vae + self.image


@dataclass(frozen=True)
class KnownPeak:
    """A peak that somebody measured: weights under `plan` and one clip's work.

    scale: of that clip's work, what the clip in question needs (by pixels and frames).
    """

    peak_bytes: int
    plan: MemoryPlan = FULL
    scale: float = 1.0

    def working_bytes(self, weights: WeightBytes) -> int:
        """What the clip needs besides weights."""
        return max(0, int((self.peak_bytes - resident_bytes(self.plan, weights)) * self.scale))


def resident_bytes(plan: MemoryPlan, weights: WeightBytes) -> int:
    """Weights that are on the device at once under a plan."""
    if plan.offload is Saving.OFFLOAD_LEAVES:
        return weights.image
    if plan.offload is Saving.OFFLOAD_BLOCKS:
        return _BLOCKS_HELD * weights.largest_block + weights.image
    if plan.offload is Saving.OFFLOAD_MODELS:
        return max(*weights.transformers, weights.vae, weights.image)
    return weights.total - (weights.text if plan.has(Saving.TEXT_ON_CPU) else 0)


def first_plan(
    start: MemoryPlan,
    weights: WeightBytes,
    working_bytes: int,
    room_bytes: int,
    usable: frozenset[Saving],
) -> MemoryPlan:
    """The largest plan from `start` on whose weights and working memory fit into the room.

    working_bytes: what a job needs besides weights, 0 when nobody knows. When nothing fits by this
    count, the last plan: the estimate may be wrong, and only a try tells.
    """
    plan = start
    while resident_bytes(plan, weights) + working_bytes > room_bytes:
        smaller = next_plan(plan, Phase.LOAD, usable)
        if smaller is None:
            return plan
        plan = smaller
    return plan


def fitting_size(
    size: tuple[int, int], working_bytes: int | None, room_bytes: int | None
) -> tuple[int, int] | None:
    """The largest size (w, h) of the same shape that would fit; None when no picture would.

    working_bytes: what the failed size was measured to need at least, besides weights; room_bytes:
    what is there for it. Working memory grows with the area: attention is computed without its
    matrix, and decoders hold a few frames.
    """
    share = _UNKNOWN_SHARE
    if working_bytes is not None and room_bytes is not None and working_bytes > 0:
        share = min(_UNKNOWN_SHARE, _MARGIN * max(0, room_bytes) / working_bytes)
    width, height = (_EVEN * math.floor(side * math.sqrt(share) / _EVEN) for side in size)
    return (width, height) if min(width, height) >= _SMALLEST_SIDE else None
