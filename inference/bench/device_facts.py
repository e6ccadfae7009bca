"""What a measured device is called, holds and draws: torch's view of it, NVML's where there is one."""

from __future__ import annotations

import gc
import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from inference.bench.host_memory import watch_peak
from inference.devices.reader import DeviceReader
from inference.devices.records import Device
from storyforge.errors import SetupProblem, Unavailable

CPU = "cpu"
CARD = "cuda"


@dataclass(frozen=True)
class DeviceFacts:
    """One device. index: as NVML counts, None where NVML does not know it."""

    name: str
    uuid: str
    total_bytes: int | None
    driver: str
    index: int | None


def usual_device() -> str:
    """`cuda` where torch sees a card, else `cpu`."""
    return CARD if torch.cuda.is_available() else CPU


def read_facts(device: str, reader: DeviceReader) -> DeviceFacts:
    """The facts of the first card that torch sees, or of the CPU. Raises SetupProblem without one."""
    if device == CPU:
        return DeviceFacts(CPU, "", None, "", None)
    if not torch.cuda.is_available():
        raise SetupProblem("torch sees no CUDA device here; check the driver, or use --device cpu.")
    seen = torch.cuda.get_device_properties(0)
    uuid = f"GPU-{seen.uuid}"
    inventory = reader.inventory()
    known = next((one for one in inventory.devices if one.uuid == uuid), None)
    total_bytes = known.total_bytes if known is not None else int(seen.total_memory)
    index = known.index if known is not None else None
    return DeviceFacts(seen.name, uuid, total_bytes, inventory.driver, index)


def host_words() -> str:
    """The processor and its cores, for the notes of a profile."""
    return f"{platform.machine()} {platform.system()}, torch with {torch.get_num_threads()} threads"


class Gauges:
    """Reads energy and peak memory of one device."""

    def __init__(self, device: str, facts: DeviceFacts, reader: DeviceReader) -> None:
        self._on_cpu = device == CPU
        self._index = facts.index
        self._reader = reader

    def energy_joules(self) -> float | None:
        """Drawn since the driver was loaded; None where it is not counted."""
        if self._index is None:
            return None
        try:
            found: Device = self._reader.read(self._index)
        except Unavailable:
            return None
        return found.energy_joules

    def watch_peak(self) -> Callable[[], int | None]:
        """Begin anew; the function gives the most bytes held since then.

        On a card what torch's allocator held for tensors; on the CPU the resident memory of this
        process, interpreter and libraries included.
        """
        if self._on_cpu:
            return watch_peak()
        torch.cuda.reset_peak_memory_stats()
        return lambda: int(torch.cuda.max_memory_allocated())

    def free(self) -> None:
        """Give back what nobody holds any more."""
        gc.collect()
        if not self._on_cpu:
            torch.cuda.empty_cache()

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if not self._on_cpu:
            torch.cuda.synchronize()


def weights_bytes(pipeline: Any) -> int:
    """What the weights of all components take."""
    modules = [one for one in pipeline.components.values() if isinstance(one, torch.nn.Module)]
    tensors = {id(one): one for module in modules for one in module.parameters()}
    return sum(one.numel() * one.element_size() for one in tensors.values())
