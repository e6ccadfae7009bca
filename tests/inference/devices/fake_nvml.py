"""An NVML module in memory: the functions and constants of pynvml that our reader uses."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


class NVMLError(Exception):
    """As pynvml's: a number and the driver's words."""

    def __init__(self, value: int) -> None:
        super().__init__(f"NVML error {value}")
        self.value = value


@dataclass
class Card:
    """One card. broken: function name (without nvmlDevice) -> NVML error it raises."""

    uuid: str = "GPU-a"
    name: str = "Fake H200"
    total: int = 141 << 30
    free: int = 140 << 30
    recovery: int = 0
    processes: tuple[tuple[int, int | None], ...] = ((77, 5 << 30), (78, None))
    events: deque[int] = field(default_factory=deque)
    broken: dict[str, int] = field(default_factory=dict)


class FakeNvml:
    """Holds cards; counts inits, so that a test can see that each is shut down again."""

    NVMLError = NVMLError
    NVML_ERROR_NOT_SUPPORTED = 3
    NVML_ERROR_DRIVER_NOT_LOADED = 9
    NVML_ERROR_TIMEOUT = 10
    NVML_ERROR_LIBRARY_NOT_FOUND = 12
    NVML_ERROR_GPU_IS_LOST = 15
    NVML_ERROR_RESET_REQUIRED = 16
    NVML_TEMPERATURE_GPU = 0
    NVML_MEMORY_ERROR_TYPE_UNCORRECTED = 1
    NVML_VOLATILE_ECC = 0
    NVML_FI_DEV_GET_GPU_RECOVERY_ACTION = 230
    nvmlEventTypeXidCriticalError = 8  # noqa: N815  pynvml's name

    def __init__(self, *cards: Card, init_error: int = 0) -> None:
        self.cards = cards
        self.init_error = init_error
        self.opened = 0

    def nvmlInit(self) -> None:  # noqa: N802  pynvml's name
        if self.init_error:
            raise NVMLError(self.init_error)
        self.opened += 1

    def nvmlShutdown(self) -> None:  # noqa: N802  pynvml's name
        self.opened -= 1

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802  pynvml's name
        return "580.1"

    def nvmlEventSetCreate(self) -> SimpleNamespace:  # noqa: N802  pynvml's name
        return SimpleNamespace(card=None)

    def nvmlEventSetFree(self, events: SimpleNamespace) -> None:  # noqa: N802  pynvml's name
        events.card = None

    def nvmlEventSetWait(self, events: SimpleNamespace, timeout_ms: int) -> SimpleNamespace:  # noqa: N802  pynvml's name
        assert timeout_ms >= 0
        card: Card = events.card
        if "EventSetWait" in card.broken:
            raise NVMLError(card.broken["EventSetWait"])
        if not card.events:
            raise NVMLError(self.NVML_ERROR_TIMEOUT)
        return SimpleNamespace(eventData=card.events.popleft())

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The functions on devices; a card's `broken` makes one raise."""
        assert name.startswith("nvmlDevice"), name
        function = name.removeprefix("nvmlDevice")

        def call(first: Any = None, *rest: Any) -> Any:
            assert self.opened > 0, "used without nvmlInit"
            if function == "GetCount":
                return len(self.cards)
            card = self.cards[first] if function == "GetHandleByIndex" else first
            if function in card.broken:
                raise NVMLError(card.broken[function])
            return _ANSWERS[function](card, *rest)

        return call


def _register(card: Card, _wanted: int, events: SimpleNamespace) -> None:
    events.card = card


_ANSWERS: dict[str, Callable[..., Any]] = {
    "GetHandleByIndex": lambda card: card,
    "GetMemoryInfo": lambda card: SimpleNamespace(total=card.total, free=card.free),
    "GetUUID": lambda card: card.uuid,
    "GetName": lambda card: card.name,
    "GetUtilizationRates": lambda _card: SimpleNamespace(gpu=97, memory=40),
    "GetEncoderUtilization": lambda _card: [12, 100_000],
    "GetTemperature": lambda _card, _sensor: 61,
    "GetPowerUsage": lambda _card: 652_500,
    "GetTotalEnergyConsumption": lambda _card: 9_000_500,
    "GetTotalEccErrors": lambda _card, _kind, _counter: 2,
    "GetFieldValues": lambda card, _ids: [
        SimpleNamespace(nvmlReturn=0, value=SimpleNamespace(uiVal=card.recovery))
    ],
    "GetComputeRunningProcesses": lambda card: [
        SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in card.processes
    ],
    "GetSupportedEventTypes": lambda _card: 8 | 1,
    "RegisterEvents": _register,
}
