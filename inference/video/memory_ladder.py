"""The out-of-memory ladder: what was tried and where it failed gives the next, smaller plan.

Savings come in a fixed order, the cheap and lossless ones first. A plan is the set of savings in
force; one that does not help where memory ran out is passed over. Everything here is pure: the
model that runs out of memory asks for the next plan, frees what it holds and tries again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType


class Phase(StrEnum):
    """At what a model was when memory ran out; the values are words for people."""

    LOAD = "loading the model"
    TEXT = "encoding a prompt"
    FUSED = "rendering shots together"
    DENOISE = "rendering"
    DECODE = "decoding"
    WARM_UP = "warming up"


class Saving(StrEnum):
    """One way to need less memory, in the order in which they are tried.

    one_by_one: shots of a batch share no forward pass. take_turns: no shot is decoded while
    another is rendered. stream: a decoder that takes whole clips gets few frames at a time.
    text_on_cpu: the text encoder stays in the host's memory. offload_models, offload_blocks,
    offload_leaves: only the model, the block or the layer that computes is on the device. tiles:
    frames are decoded in overlapping tiles. half_size, quarter_size: of the area, scaled up.
    """

    ONE_BY_ONE = "one_by_one"
    TAKE_TURNS = "take_turns"
    STREAM = "stream"
    TEXT_ON_CPU = "text_on_cpu"
    OFFLOAD_MODELS = "offload_models"
    OFFLOAD_BLOCKS = "offload_blocks"
    OFFLOAD_LEAVES = "offload_leaves"
    TILES = "tiles"
    HALF_SIZE = "half_size"
    QUARTER_SIZE = "quarter_size"


_P, _S = Phase, Saving
_EVERYWHERE = frozenset({_P.LOAD, _P.TEXT, _P.FUSED, _P.DENOISE, _P.DECODE, _P.WARM_UP})
_STEPPING = frozenset({_P.FUSED, _P.DENOISE, _P.WARM_UP})
# Where a saving frees something. Blocks and leaves are of the transformer, which offload_models
# has already taken off the device while frames are decoded.
HELPS: Mapping[Saving, frozenset[Phase]] = MappingProxyType(
    {
        _S.ONE_BY_ONE: frozenset({_P.FUSED}),
        _S.TAKE_TURNS: _STEPPING | {_P.TEXT, _P.DECODE},
        _S.STREAM: frozenset({_P.DECODE}),
        _S.TEXT_ON_CPU: _EVERYWHERE,
        _S.OFFLOAD_MODELS: _EVERYWHERE - {_P.TEXT},
        _S.OFFLOAD_BLOCKS: _STEPPING | {_P.LOAD},
        _S.OFFLOAD_LEAVES: _STEPPING | {_P.LOAD},
        _S.TILES: frozenset({_P.DECODE}),
        _S.HALF_SIZE: _STEPPING,
        _S.QUARTER_SIZE: _STEPPING,
    }
)
_OFFLOADS = (Saving.OFFLOAD_LEAVES, Saving.OFFLOAD_BLOCKS, Saving.OFFLOAD_MODELS)
SHRINKS = frozenset({Saving.HALF_SIZE, Saving.QUARTER_SIZE})
CHANGES_PIXELS = SHRINKS | {Saving.TILES}
# A decode that began without one of these and goes on with it would show a seam.
_CHANGES_DECODE = frozenset({Saving.STREAM, Saving.TILES})
_ORDER = tuple(Saving)

TRY_UP_AFTER = (
    24  # shots on a plan before a larger one is tried: minutes of work against one reload
)
TRIES_UP_MAX = 3  # a larger plan that failed this often in one process is not tried again


@dataclass(frozen=True)
class MemoryPlan:
    """The savings in force, in the ladder's order."""

    savings: tuple[Saving, ...] = ()

    def has(self, saving: Saving) -> bool:
        """Whether this saving is in force."""
        return saving in self.savings

    def plus(self, saving: Saving) -> MemoryPlan:
        """This plan with one saving more."""
        return MemoryPlan(tuple(one for one in _ORDER if one is saving or one in self.savings))

    @property
    def offload(self) -> Saving | None:
        """The strongest offload in force."""
        return next((one for one in _OFFLOADS if one in self.savings), None)

    @property
    def takes_turns(self) -> bool:
        """Whether renders and decodes go one at a time; what is offloaded serves one at a time."""
        return self.has(Saving.TAKE_TURNS) or self.has(Saving.TILES) or self.offload is not None

    @property
    def area_share(self) -> float:
        """The share of the wanted area that is rendered."""
        if self.has(Saving.QUARTER_SIZE):
            return 0.25
        return 0.5 if self.has(Saving.HALF_SIZE) else 1.0

    @property
    def placement(self) -> tuple[bool, Saving | None]:
        """Where weights lie: a model must be loaded anew when this changes."""
        return self.has(Saving.TEXT_ON_CPU), self.offload

    def decodes_like(self, other: MemoryPlan) -> bool:
        """Whether a clip may be decoded partly by this plan and partly by the other."""
        return all(self.has(one) == other.has(one) for one in _CHANGES_DECODE)


FULL = MemoryPlan()


def next_plan(plan: MemoryPlan, phase: Phase, usable: frozenset[Saving]) -> MemoryPlan | None:
    """The plan to try after memory ran out in `phase`; None when nothing is left that helps.

    usable: the savings that this model can make and that its owner allows.
    """
    for saving in _ORDER:
        if saving in usable and phase in HELPS[saving] and not plan.has(saving):
            return plan.plus(saving)
    return None


@dataclass(frozen=True)
class Ladder:
    """Where a process stands: the plan in force and what it knows of larger ones.

    start: the largest plan that is worth a try. proven: the plan to fall back to while a larger
    one is on trial. shots: rendered on this plan. tries: larger plans that failed.
    """

    plan: MemoryPlan = FULL
    start: MemoryPlan = FULL
    proven: MemoryPlan | None = None
    shots: int = 0
    tries: int = 0

    def short(self, phase: Phase, usable: frozenset[Saving]) -> Ladder | None:
        """After memory ran out on this plan; None at the ladder's end."""
        if self.proven is not None:  # it was only a trial
            return replace(self, plan=self.proven, proven=None, shots=0, tries=self.tries + 1)
        smaller = next_plan(self.plan, phase, usable)
        return None if smaller is None else replace(self, plan=smaller, shots=0)

    def went_well(self) -> Ladder:
        """After a shot was rendered on this plan; now and then a larger one goes on trial."""
        shots = self.shots + 1
        if shots < TRY_UP_AFTER:
            return replace(self, shots=shots)
        larger = self._larger()
        if larger is None or self.tries >= TRIES_UP_MAX:
            return replace(self, shots=TRY_UP_AFTER, proven=None)
        return replace(self, plan=larger, proven=self.plan, shots=0)

    def _larger(self) -> MemoryPlan | None:
        """One saving less, the last in order that was added since the start."""
        added = [one for one in self.plan.savings if not self.start.has(one)]
        if not added:
            return None
        return MemoryPlan(tuple(one for one in self.plan.savings if one is not added[-1]))
