"""The card that these tests run on, and a fixture's worth of ways to look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from inference.devices.memory import memory_settled
from inference.devices.nvml_reader import NvmlReader, load_nvml

GIB = 1 << 30


@dataclass(frozen=True)
class Card:
    """The first card that torch sees. index: as NVML counts; baseline_bytes: used before a test."""

    reader: NvmlReader
    index: int
    baseline_bytes: int

    @property
    def free_bytes(self) -> int:
        """What nobody holds now."""
        return self.reader.read(self.index).free_bytes

    def is_back(self) -> bool:
        """Whether its memory is at the baseline again within 15 s, CUDA's own context aside."""
        return memory_settled(self.reader, self.index, self.baseline_bytes)


def find_card() -> Card:
    """Skips, with the reason, where there is none."""
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU; torch sees none here")
    from inference.bench.device_facts import CARD, read_facts  # noqa: PLC0415 - needs torch

    reader = NvmlReader(load_nvml())
    index = read_facts(CARD, reader).index
    if index is None:
        pytest.skip("needs NVML to know the card that torch sees")
    return Card(reader, index, reader.read(index).used_bytes)


@contextmanager
def all_but(card: Card, left_bytes: int) -> Iterator[None]:
    """Really take the card's memory, all but so much, as another program would."""
    import torch  # noqa: PLC0415 - only where it is installed

    held: list[Any] = []
    take = card.free_bytes - left_bytes
    if take <= 0:
        pytest.skip(f"the card has only {card.free_bytes / GIB:.1f} GiB free")
    held.append(torch.empty(take, dtype=torch.uint8, device="cuda"))
    try:
        yield
    finally:
        held.clear()
        torch.cuda.empty_cache()
