"""Reads devices through NVIDIA's management library (NVML)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any, TypeVar

from inference.devices.records import (
    Device,
    DeviceProcess,
    Inventory,
    RecoveryAction,
    XidEvent,
)
from storyforge.errors import DeviceLost, StoryForgeError, Unavailable

T = TypeVar("T")
_MILLI = 1000
# nvmlDeviceGpuRecoveryAction_t in nvml.h of driver 580
_ACTIONS = {
    0: RecoveryAction.NONE,
    1: RecoveryAction.RESET_DEVICE,
    2: RecoveryAction.RESTART_HOST,
    3: RecoveryAction.DRAIN,
    4: RecoveryAction.DRAIN,
    6: RecoveryAction.RESET_DEVICE,
    7: RecoveryAction.RESTART_HOST,
}


def load_nvml() -> ModuleType:
    """NVML's Python binding; importing it loads no driver library yet."""
    import pynvml  # noqa: PLC0415  only those who read devices need it

    module: ModuleType = pynvml
    return module


class NvmlReader:
    """A DeviceReader on NVML. nvml: the module `pynvml`, or one with the same functions.

    Every reading brackets itself with NVML's counted init and shutdown, so that nothing stays
    open; it makes no CUDA context and takes no device memory.
    """

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml

    def inventory(self) -> Inventory:
        """Every device that answers; never raises."""
        nvml = self._nvml
        absent = nvml.NVML_ERROR_LIBRARY_NOT_FOUND, nvml.NVML_ERROR_DRIVER_NOT_LOADED
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as exc:
            return Inventory(problem="" if exc.value in absent else str(exc))
        try:
            driver = str(nvml.nvmlSystemGetDriverVersion())
            count = int(nvml.nvmlDeviceGetCount())
        except nvml.NVMLError as exc:
            return Inventory(problem=str(exc))
        else:
            return self._all(count, driver)
        finally:
            self._shut_down()

    def read(self, index: int) -> Device:
        """One device now. Raises DeviceLost or Unavailable."""
        with self._session(index):
            return self._device(index)

    def watch_xids(self, index: int) -> NvmlXidWatch | None:
        """Listen to one device; None where its driver reports no Xid events."""
        nvml = self._nvml
        with self._session(index):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            wanted = nvml.nvmlEventTypeXidCriticalError
            try:
                if not nvml.nvmlDeviceGetSupportedEventTypes(handle) & wanted:
                    return None
                events = nvml.nvmlEventSetCreate()
                nvml.nvmlDeviceRegisterEvents(handle, wanted, events)
            except nvml.NVMLError as exc:
                if exc.value == nvml.NVML_ERROR_NOT_SUPPORTED:
                    return None
                raise
            nvml.nvmlInit()  # counted: kept until the watch is closed
            return NvmlXidWatch(nvml, index, events)

    def _all(self, count: int, driver: str) -> Inventory:
        found, problems = [], []
        for index in range(count):
            try:
                found.append(self.read(index))
            except StoryForgeError as exc:
                problems.append(exc.detail)
        return Inventory(devices=tuple(found), driver=driver, problem=" ".join(problems))

    @contextmanager
    def _session(self, index: int) -> Iterator[None]:
        with _device_errors(self._nvml, index):
            self._nvml.nvmlInit()
            try:
                yield
            finally:
                self._shut_down()

    def _shut_down(self) -> None:
        with suppress(self._nvml.NVMLError):  # nothing can be done, and the reading is made
            self._nvml.nvmlShutdown()

    def _device(self, index: int) -> Device:
        nvml = self._nvml
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        power = self._maybe(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
        energy = self._maybe(lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        heat = nvml.NVML_TEMPERATURE_GPU
        return Device(
            index=index,
            uuid=str(nvml.nvmlDeviceGetUUID(handle)),
            name=str(nvml.nvmlDeviceGetName(handle)),
            total_bytes=int(memory.total),
            free_bytes=int(memory.free),
            utilisation_percent=self._maybe(lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
            encoder_percent=self._maybe(lambda: nvml.nvmlDeviceGetEncoderUtilization(handle)[0]),
            temperature_celsius=self._maybe(lambda: nvml.nvmlDeviceGetTemperature(handle, heat)),
            power_watts=None if power is None else power / _MILLI,
            energy_joules=None if energy is None else energy / _MILLI,
            ecc_uncorrected=self._maybe(
                lambda: nvml.nvmlDeviceGetTotalEccErrors(
                    handle, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
                )
            ),
            recovery_action=self._maybe(lambda: self._recovery_action(handle)),
            processes=self._maybe(lambda: self._processes(handle)),
        )

    def _recovery_action(self, handle: Any) -> RecoveryAction | None:
        nvml = self._nvml
        (field,) = nvml.nvmlDeviceGetFieldValues(handle, [nvml.NVML_FI_DEV_GET_GPU_RECOVERY_ACTION])
        return None if field.nvmlReturn else _ACTIONS.get(int(field.value.uiVal))

    def _processes(self, handle: Any) -> tuple[DeviceProcess, ...]:
        return tuple(
            DeviceProcess(pid=int(one.pid), used_bytes=one.usedGpuMemory)
            for one in self._nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        )

    def _maybe(self, ask: Callable[[], T]) -> T | None:
        """What this device or driver does not give is None; a lost device still raises."""
        try:
            return ask()
        except self._nvml.NVMLError as exc:
            if exc.value in _gone(self._nvml):
                raise
            return None


class NvmlXidWatch:
    """Hears one device's Xid events. On Linux drivers each keeps its own code."""

    def __init__(self, nvml: Any, index: int, events: Any) -> None:
        self._nvml = nvml
        self._index = index
        self._events = events

    def wait(self, timeout_s: float) -> XidEvent | None:
        """The next event; None when none came in time. Raises DeviceLost or Unavailable."""
        nvml = self._nvml
        with _device_errors(nvml, self._index):
            try:
                event = nvml.nvmlEventSetWait(self._events, int(timeout_s * _MILLI))
            except nvml.NVMLError as exc:
                if exc.value == nvml.NVML_ERROR_TIMEOUT:
                    return None
                raise
        return XidEvent(code=int(event.eventData))

    def close(self) -> None:
        """Stop listening."""
        nvml = self._nvml
        with suppress(nvml.NVMLError):
            nvml.nvmlEventSetFree(self._events)
            nvml.nvmlShutdown()


def _gone(nvml: Any) -> tuple[int, int]:
    return nvml.NVML_ERROR_GPU_IS_LOST, nvml.NVML_ERROR_RESET_REQUIRED


@contextmanager
def _device_errors(nvml: Any, index: int) -> Iterator[None]:
    try:
        yield
    except nvml.NVMLError as exc:
        if exc.value in _gone(nvml):
            raise DeviceLost(f"Device {index} cannot be used; its driver says: {exc}.") from exc
        raise Unavailable(f"Device {index} does not answer; its driver says: {exc}.") from exc
