"""Chooses the device for a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceState:
    """A device as placement sees it.

    free_bytes: memory that nobody holds. resident: names of the models whose weights are on it.
    quarantined: it takes no work.
    """

    index: int
    free_bytes: int
    resident: frozenset[str] = frozenset()
    quarantined: bool = False


def place(
    model: str, needs_bytes: int, devices: Sequence[DeviceState], *, weights_bytes: int = 0
) -> int | None:
    """Choose the device for one job: resident weights first, then most free memory.

    needs_bytes: peak working memory, excluding weights already resident. weights_bytes: what is
    needed besides on a device that does not hold the model yet. Gives the device's index, the lowest
    of equals; None when nothing fits: the caller leaves the job queued.
    """

    def fits(device: DeviceState) -> bool:
        extra_bytes = 0 if model in device.resident else weights_bytes
        return not device.quarantined and device.free_bytes >= needs_bytes + extra_bytes

    def rank(device: DeviceState) -> tuple[bool, int, int]:
        return model not in device.resident, -device.free_bytes, device.index

    fitting = [device for device in devices if fits(device)]
    return min(fitting, key=rank).index if fitting else None
