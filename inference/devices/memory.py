"""Looks whether a device's memory came back, and says what stands in a job's way when it ran out."""

from __future__ import annotations

from collections.abc import Callable

from inference.devices.reader import DeviceReader
from inference.devices.records import Device
from storyforge import clock
from storyforge.errors import Unavailable

SETTLE_S = 15.0  # guarantee G9: memory is back within 15 s after an attempt
# Allowance for the CUDA context and its libraries, which stay while their process lives.
CONTEXT_BYTES = 1 << 30
_GIB = 1 << 30
_POLL_S = 0.25


def memory_settled(
    reader: DeviceReader,
    index: int,
    baseline_bytes: int,
    *,
    slack_bytes: int = CONTEXT_BYTES,
    timeout_s: float = SETTLE_S,
    sleep: Callable[[float], None] = clock.sleep_s,
    now_s: Callable[[], float] = clock.monotonic_s,
) -> bool:
    """Wait until the device's used memory is back at its baseline; False when it is not in time.

    baseline_bytes: used by everybody before the work. slack_bytes: how much more is still settled.
    A device that does not answer has not settled.
    """
    deadline_s = now_s() + timeout_s
    while True:
        try:
            if reader.read(index).used_bytes <= baseline_bytes + slack_bytes:
                return True
        except Unavailable:
            pass  # DeviceLost too; it may answer before the deadline
        if now_s() >= deadline_s:
            return False
        sleep(_POLL_S)


def memory_facts(device: Device, baseline_bytes: int) -> str:
    """How much memory the device has, and what others held of it before this process began."""
    facts = f"{device.name} has {device.total_bytes / _GIB:.1f} GiB"
    if baseline_bytes >= _GIB:
        facts += f", of which other programs held {baseline_bytes / _GIB:.1f} GiB: end them"
    return f"{facts}."
