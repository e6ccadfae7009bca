"""Memory is back, or it is not in time; and what is said when it ran out."""

from __future__ import annotations

import pytest

from inference.devices.fake_reader import FakeReader
from inference.devices.memory import SETTLE_S, memory_facts, memory_settled
from inference.devices.records import Device

GIB = 1 << 30


def _device(used_gib: int) -> Device:
    total = 24 * GIB
    return Device(
        index=0, uuid="u", name="Card", total_bytes=total, free_bytes=total - used_gib * GIB
    )


class Clock:
    """Time that passes by sleeping; the memory is given back when `free_at_s` is reached."""

    def __init__(self, reader: FakeReader, free_at_s: float) -> None:
        self.now_s = 0.0
        self._reader = reader
        self._free_at_s = free_at_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        if self.now_s >= self._free_at_s:
            self._reader.devices = [_device(2)]
            self._reader.lost.clear()


@pytest.mark.parametrize(("free_at_s", "settles"), [(0.5, True), (14.0, True), (16.0, False)])
@pytest.mark.parametrize("lost", [False, True])
def test_memory_that_comes_back_in_time_has_settled(
    free_at_s: float, *, settles: bool, lost: bool
) -> None:
    reader = FakeReader([_device(20)])
    reader.lost = {0} if lost else set()
    time = Clock(reader, free_at_s)
    settled = memory_settled(reader, 0, 1 * GIB, sleep=time.sleep, now_s=lambda: time.now_s)
    assert settled is settles
    assert time.now_s <= SETTLE_S + 1


def test_the_slack_is_the_caller_s() -> None:
    reader = FakeReader([_device(2)])
    assert memory_settled(reader, 0, 1 * GIB, timeout_s=0)
    assert not memory_settled(reader, 0, 1 * GIB, slack_bytes=0, timeout_s=0)


def test_the_facts_name_the_card_and_who_else_holds_it() -> None:
    assert memory_facts(_device(20), baseline_bytes=0) == "Card has 24.0 GiB."
    assert "other programs held 8.0 GiB: end them" in memory_facts(_device(20), 8 * GIB)
