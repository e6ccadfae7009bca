"""Guards the device that a worker process is pinned to: its faults end the process or stop claims."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from inference.devices.memory import memory_facts, memory_settled
from inference.devices.quarantine import Quarantine, Quarantined
from inference.devices.reader import DeviceReader, XidWatch
from inference.devices.records import Device
from inference.devices.xid_policy import (
    Measure,
    Ruling,
    rule_on_loss,
    rule_on_reading,
    rule_on_xid,
)
from inference.video.diffusion.device_errors import is_out_of_memory, is_sticky
from scheduler.heartbeat import end_this_process
from storyforge import clock
from storyforge.errors import (
    DeviceLost,
    DeviceOutOfMemory,
    GpuTooSmall,
    StoryForgeError,
    Unavailable,
)

_log = structlog.get_logger(__name__)
_LISTEN_S = 1.0
OnFatal = Callable[[StoryForgeError], None]
"""Records the running attempts as failed by this error, and ends the process."""


@dataclass(frozen=True)
class Pin:
    """The device of this process. index: in PCI bus order."""

    reader: DeviceReader
    index: int
    quarantine: Quarantine


class DeviceGuard:
    """Knows when a process may claim, and when it must leave. Without a pin: on the CPU.

    A fault of the process (sticky error, Xid that ends an application, memory that stays) lets it
    end after its attempts are recorded; a fault of the device puts it into quarantine, at once.
    """

    def __init__(
        self,
        end_process: Callable[[], None] = end_this_process,
        pin: Pin | None = None,
        suggest: Callable[[int], str] = lambda _total_bytes: "",
    ) -> None:
        """suggest: names the video model for a card of so many bytes; empty when there is none."""
        self._end_process = end_process
        self._pin = pin
        self._suggest = suggest
        self._leaving = threading.Event()
        self._dead = threading.Event()
        self._short = threading.Event()
        self._said = ""
        self._on_fatal: OnFatal = lambda _exc: end_process()
        self._known = self._first_look()
        self._baseline_bytes = 0 if self._known is None else self._known.used_bytes

    @property
    def card(self) -> str:
        """The device's own name: its UUID, `cpu` without one."""
        return "cpu" if self._pin is None else self._uuid(self._pin)

    @property
    def leaving(self) -> bool:
        """Whether this process claims no more and ends."""
        return self._leaving.is_set()

    @property
    def is_dead(self) -> bool:
        """Whether the process's CUDA context is gone, so that running attempts must stop too."""
        return self._dead.is_set()

    @property
    def is_short_of_memory(self) -> bool:
        """Whether memory ran out and `settle` is due."""
        return self._short.is_set()

    def listen(self, on_fatal: OnFatal) -> None:
        """Hear the driver's Xid events in a thread, where it reports them."""
        self._on_fatal = on_fatal
        if self._pin is None:
            return
        try:
            watch = self._pin.reader.watch_xids(self._pin.index)
        except Unavailable as exc:
            _log.warning("no Xid events", device=self._pin.index, error=exc.detail)
            return
        if watch is None:
            _log.info("this driver reports no Xid events", device=self._pin.index)
            return
        threading.Thread(target=self._hear, args=(watch,), name="xids", daemon=True).start()

    def info(self) -> Mapping[str, Any]:
        """The device now, for the worker's row; a fault that the driver tells of takes effect."""
        if self._pin is None:
            return {}
        gpu: Mapping[str, Any]
        try:
            device = self._pin.reader.read(self._pin.index)
        except DeviceLost as exc:
            self._quarantine(rule_on_loss(exc.detail))
            gpu = {"problem": exc.detail}
        except Unavailable as exc:
            gpu = {"problem": exc.detail}
        else:
            self._known = device
            gpu = device.model_copy(update={"processes": None}).to_json()
            ruling = rule_on_reading(device)
            if ruling is not None:
                self._quarantine(ruling)
        record = self._record()
        return {"gpu": gpu, "quarantine": "" if record is None else record.notice}

    def may_claim(self) -> bool:
        """Whether this process may take another job; says why not, once."""
        if self.leaving:
            return False
        record = self._record()
        reason = "" if record is None else record.notice
        if reason != self._said:
            self._said = reason
            _log.warning("claims nothing" if reason else "claims again", reason=reason)
        return record is None

    def note_failure(self, exc: BaseException) -> None:
        """An attempt is failing: see whether its process can go on."""
        if is_sticky(exc):
            _log.error("the device's context is gone; this process ends", exc_info=exc)
            self._dead.set()
            self._leaving.set()
        elif isinstance(exc, DeviceOutOfMemory) or is_out_of_memory(exc):
            self._short.set()

    def explained(self, exc: BaseException) -> BaseException:
        """An out-of-memory error with what is known of the device; any other as it is."""
        if not isinstance(exc, DeviceOutOfMemory) or self._known is None:
            return exc
        facts = memory_facts(self._known, self._baseline_bytes)
        model = self._suggest(self._known.total_bytes) if isinstance(exc, GpuTooSmall) else ""
        hint = f" The catalogue's model for such a card is {model}." if model else ""
        return type(exc)(f"{exc.detail} {facts}{hint}", exc.retry_after_s)

    def settle(self, free: Callable[[], None]) -> None:
        """Free the model and wait until the memory is back; if it stays, the process leaves."""
        self._short.clear()
        free()
        pin = self._pin
        if pin is not None and not memory_settled(pin.reader, pin.index, self._baseline_bytes):
            _log.error("the device's memory did not come back; this process ends")
            self._leaving.set()

    def leave(self) -> None:
        """End the process, if it is time."""
        if self.leaving:
            self._end_process()

    def _first_look(self) -> Device | None:
        if self._pin is None:
            return None
        try:
            return self._pin.reader.read(self._pin.index)
        except Unavailable as exc:
            _log.warning("the device does not answer", device=self._pin.index, error=exc.detail)
            return None

    def _hear(self, watch: XidWatch) -> None:
        while True:
            try:
                event = watch.wait(_LISTEN_S)
            except DeviceLost as exc:
                self._quarantine(rule_on_loss(exc.detail))
                return
            except Unavailable as exc:
                _log.warning("no more Xid events", error=exc.detail)
                return
            if event is not None:
                self._obey(rule_on_xid(event.code))

    def _obey(self, ruling: Ruling) -> None:
        _log.warning("device fault", measure=ruling.measure.value, reason=ruling.reason)
        if ruling.measure is Measure.QUARANTINE:
            self._quarantine(ruling)
        elif ruling.measure is Measure.RESTART_PROCESS:
            self._leaving.set()

    def _quarantine(self, ruling: Ruling) -> None:
        """Take the device out of service, end what runs on it; a second fault changes nothing."""
        pin = self._pin
        if pin is None or self._record() is not None:
            return
        record = Quarantined(
            uuid=self._uuid(pin),
            index=pin.index,
            name="unknown" if self._known is None else self._known.name,
            reason=ruling.reason,
            cure=ruling.cure,
            since=clock.utc_now(),
        )
        try:
            pin.quarantine.put(record)
        except OSError as exc:  # a full disk, say: the fault is met again after the restart
            _log.error("the quarantine could not be written", error=os.strerror(exc.errno or 0))
        _log.error("quarantined", device=pin.index, reason=ruling.reason)
        self._on_fatal(DeviceLost(f"Device {pin.index} failed. {ruling.reason}"))

    def _record(self) -> Quarantined | None:
        pin = self._pin
        return None if pin is None else pin.quarantine.find(self._uuid(pin))

    def _uuid(self, pin: Pin) -> str:
        """The device's own name; where it never answered, the one that its index had before."""
        if self._known is not None:
            return self._known.uuid
        earlier = [one.uuid for one in pin.quarantine.all() if one.index == pin.index]
        return earlier[0] if earlier else f"device-{pin.index}"
