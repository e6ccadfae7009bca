"""Keeps a process's memory plan: starts where the weights fit, steps down, remembers."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from inference.video.memory_ladder import SHRINKS, Ladder, MemoryPlan, Phase, Saving
from inference.video.memory_needs import (
    KnownPeak,
    WeightBytes,
    first_plan,
    fitting_size,
    resident_bytes,
)
from storyforge.errors import DeviceOutOfMemory, GpuTooSmall

_log = structlog.get_logger(__name__)
_TRIED = re.compile(r"[Tt]ried to allocate ([\d.]+) (GiB|MiB|KiB|bytes)")
_UNITS = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "bytes": 1}
_GIB = 1 << 30


@dataclass(frozen=True)
class Shortage:
    """Memory that ran out under a plan.

    size: (width, height) of the clip in work; None while none was. held_bytes: the most that this
    process held on the device; room_bytes: what it could have held there. Both None without a card.
    wanted_bytes: the request that failed, 0 when the error does not say.
    """

    plan: MemoryPlan
    phase: Phase
    size: tuple[int, int] | None = None
    held_bytes: int | None = None
    room_bytes: int | None = None
    wanted_bytes: int = 0


class MemoryKeeper:
    """Serves several threads: who failed under a plan that another has left gets the new one."""

    def __init__(
        self, weights: Callable[[], WeightBytes], start: MemoryPlan, usable: frozenset[Saving]
    ) -> None:
        """weights: counted at the first need. usable: savings that model and owner allow."""
        self._weights = weights
        self._usable = usable
        self._lock = threading.Lock()
        self._ladder = Ladder(plan=start, start=start)

    @property
    def plan(self) -> MemoryPlan:
        """The plan in force."""
        with self._lock:
            return self._ladder.plan

    def admit(self, known: KnownPeak | None, room_bytes: int) -> None:
        """Before the model is loaded: begin at the largest plan that fits by what is known.

        known: None when neither profile nor catalogue knows; then the weights alone decide.
        """
        with self._lock:
            weights = self._weights()
            plan = first_plan(
                self._ladder.plan,
                weights,
                0 if known is None else known.working_bytes(weights),
                room_bytes,
                self._usable - SHRINKS,
            )
            if plan != self._ladder.plan:
                _log.info("starts on a smaller memory plan", savings=plan.savings)
                self._ladder = Ladder(plan=plan, start=plan, tries=self._ladder.tries)

    def step_down(self, shortage: Shortage) -> MemoryPlan:
        """The next plan. Raises GpuTooSmall at the ladder's end, naming what would fit."""
        with self._lock:
            if self._ladder.plan != shortage.plan:
                return self._ladder.plan  # another thread has stepped down meanwhile
            ladder = self._ladder.short(shortage.phase, self._usable)
            if ladder is None:
                raise GpuTooSmall(self._advice(shortage))
            self._ladder = ladder
            _log.warning(
                "out of memory; trying a smaller plan",
                phase=shortage.phase.value,
                savings=ladder.plan.savings,
            )
            return ladder.plan

    def went_well(self, plan: MemoryPlan) -> None:
        """A shot was rendered under this plan."""
        with self._lock:
            if plan == self._ladder.plan:
                self._ladder = self._ladder.went_well()

    def _advice(self, shortage: Shortage) -> str:
        tried = ", ".join(shortage.plan.savings) or "no saving is possible here"
        words = f"The device ran out of memory while {shortage.phase.value} (in force: {tried})."
        if shortage.size is None:
            least_gib = resident_bytes(shortage.plan, self._weights()) / _GIB
            return (
                f"{words} The model's weights need {least_gib:.1f} GiB at once even so: choose a "
                "smaller model (STORYFORGE_VIDEO_MODEL)."
            )
        fits = fitting_size(shortage.size, *self._working(shortage))
        if fits is None:
            return f"{words} No picture would fit: choose a smaller model (STORYFORGE_VIDEO_MODEL)."
        width, height = shortage.size
        shrink = "" if Saving.HALF_SIZE in self._usable else "STORYFORGE_VIDEO_SHRINK=true or "
        return (
            f"{words} {width}x{height} does not fit; {shrink}STORYFORGE_VIDEO_WIDTH={fits[0]} "
            f"STORYFORGE_VIDEO_HEIGHT={fits[1]} (for new scenes) would."
        )

    def _working(self, shortage: Shortage) -> tuple[int | None, int | None]:
        """What the job was measured to need besides weights, and the room for that."""
        if shortage.held_bytes is None or shortage.room_bytes is None:
            return None, None
        resident = resident_bytes(shortage.plan, self._weights())
        needed = shortage.held_bytes + shortage.wanted_bytes - resident
        return max(needed, 0), shortage.room_bytes - resident


def wanted_bytes(exc: BaseException | None) -> int:
    """The size of the request that failed, from torch's words; 0 when they do not say."""
    found = _TRIED.search(str(exc))
    return int(float(found.group(1)) * _UNITS[found.group(2)]) if found else 0


def shortage_of(exc: DeviceOutOfMemory, plan: MemoryPlan) -> Shortage:
    """What an error says, before the device's figures are added."""
    phase = next((one for one in Phase if one.value == exc.doing), Phase.DENOISE)
    return Shortage(plan=plan, phase=phase, wanted_bytes=wanted_bytes(exc.__cause__))


def usable_savings(*, streams_anyway: bool, tiles: bool, may_shrink: bool) -> frozenset[Saving]:
    """The savings that a model can make: what is streamed anyway saves nothing by streaming."""
    usable = set(Saving)
    if streams_anyway:
        usable.remove(Saving.STREAM)
    if not tiles:
        usable.remove(Saving.TILES)
    return frozenset(usable if may_shrink else usable - SHRINKS)
