"""Times the calls of modules on their device, without making the device wait for the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from storyforge import clock

Mark: TypeAlias = Any  # a CUDA event, or seconds


@dataclass(frozen=True)
class Interval:
    """From start to end, in seconds on the meter's clock."""

    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end_s - self.start_s


class CallMeter:
    """Marks where calls begin and end, by events in the device's own stream where there is one.

    Its clock starts with the meter. The host's moments (`now_s`) are on the same clock.
    """

    def __init__(self, device: str, *, now_s: Callable[[], float] = clock.monotonic_s) -> None:
        self._on_cpu = device == "cpu"
        self._now_s = now_s
        self._marks: dict[str, list[list[Mark]]] = {}
        if not self._on_cpu:
            torch.cuda.synchronize()
        self._zero_s = now_s()
        self._zero = self._mark()

    @contextmanager
    def watching(self, label: str, modules: Sequence[torch.nn.Module]) -> Iterator[None]:
        """Time every call of these modules under a label while the context lasts."""
        marks = self._marks.setdefault(label, [])
        handles = []
        for module in modules:
            handles.append(
                module.register_forward_pre_hook(lambda *_: marks.append([self._mark()]))
            )
            handles.append(module.register_forward_hook(lambda *_: marks[-1].append(self._mark())))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def now_s(self) -> float:
        """This moment."""
        return self._now_s() - self._zero_s

    def count(self, label: str) -> int:
        """How many calls began under a label; waits for nothing."""
        return len(self._marks.get(label, ()))

    def intervals(self, label: str) -> Sequence[Interval]:
        """The finished calls under a label, in order; waits for the device."""
        if not self._on_cpu:
            torch.cuda.synchronize()
        marks = self._marks.get(label, [])
        return [Interval(*map(self._seconds, pair)) for pair in marks if len(pair) == 2]  # noqa: PLR2004 - start and end

    def _mark(self) -> Mark:
        if self._on_cpu:
            return self._now_s()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _seconds(self, mark: Mark) -> float:
        if self._on_cpu:
            return float(mark - self._zero_s)
        return float(self._zero.elapsed_time(mark)) / 1000


def merged_seconds(intervals: Sequence[Interval]) -> float:
    """How long at least one of the intervals lasted."""
    total = reached = 0.0
    for one in sorted(intervals, key=lambda one: one.start_s):
        start_s = max(one.start_s, reached)
        if one.end_s > start_s:
            total += one.end_s - start_s
            reached = one.end_s
    return total
