"""The NVIDIA devices of this host as the driver lists them; reading starts nothing on them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FoundDevice:
    """One GPU; index in PCI bus order, as NVML counts."""

    index: int
    name: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True)
class DeviceReading:
    """The devices, and the driver's words when there are none because something is wrong.

    driver: version, empty without a driver. problem: empty when the driver answered, or when
    there is no driver at all (a machine without a GPU is not a problem).
    """

    devices: tuple[FoundDevice, ...] = ()
    driver: str = ""
    problem: str = ""


def read_devices() -> DeviceReading:
    """Ask NVML; never raises."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as exc:
        absent = pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED
        return DeviceReading(problem="" if exc.value in absent else str(exc))
    try:
        devices = tuple(_read(index) for index in range(pynvml.nvmlDeviceGetCount()))
        return DeviceReading(devices, driver=str(pynvml.nvmlSystemGetDriverVersion()))
    except pynvml.NVMLError as exc:
        return DeviceReading(problem=str(exc))
    finally:
        pynvml.nvmlShutdown()


def _read(index: int) -> FoundDevice:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    name = pynvml.nvmlDeviceGetName(handle)
    return FoundDevice(index, str(name), int(memory.total), int(memory.free))
