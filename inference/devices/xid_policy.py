"""Decides what a worker does about a fault that the driver reports of its device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from inference.devices.records import Device, RecoveryAction
from inference.devices.xid_catalogue import XID_CATALOGUE, XidAction


class Measure(StrEnum):
    """What we do, from nothing to taking the device out of service."""

    NOTE = "note"
    RESTART_PROCESS = "restart_process"
    QUARANTINE = "quarantine"


@dataclass(frozen=True)
class Ruling:
    """What to do and the reason, as a sentence; `cure` is for the device's owner."""

    measure: Measure
    reason: str
    cure: str = ""


_RESET = "reset the GPU (nvidia-smi --gpu-reset) or restart the machine"
_RESTART = "restart the machine"
_CHECK = "switch the machine off and check the GPU's power cables and seat"
_MEASURES: Mapping[XidAction, tuple[Measure, str]] = {
    XidAction.IGNORE: (Measure.NOTE, ""),
    XidAction.RESTART_APP: (Measure.RESTART_PROCESS, ""),
    XidAction.RESET_GPU: (Measure.QUARANTINE, _RESET),
    XidAction.RESTART_BM: (Measure.QUARANTINE, _RESTART),
    XidAction.CHECK_MECHANICALS: (Measure.QUARANTINE, _CHECK),
}
# The catalogue leaves the GPU alone, but its text says that the application must end, and the event
# does not say whose application it was.
_ENDS_THE_APPLICATION = frozenset({43})


def rule_on_xid(code: int) -> Ruling:
    """The ruling on an Xid. One that the catalogue does not have is noted, never acted on."""
    entry = XID_CATALOGUE.get(code)
    if entry is None:
        return Ruling(Measure.NOTE, f"The driver reported Xid {code}.")
    measure, cure = _MEASURES[entry.action]
    if code in _ENDS_THE_APPLICATION:
        measure = Measure.RESTART_PROCESS
    return Ruling(measure, f"The driver reported Xid {code} ({entry.words}).", cure)


def rule_on_reading(device: Device) -> Ruling | None:
    """The ruling on what the driver says must be done to a device; None when it is sound."""
    cures = {RecoveryAction.RESET_DEVICE: _RESET, RecoveryAction.RESTART_HOST: _RESTART}
    action = device.recovery_action
    if action is None or action not in cures:
        return None
    reason = f"The driver wants a recovery ({action.value.replace('_', ' ')})."
    return Ruling(Measure.QUARANTINE, reason, cures[action])


def rule_on_loss(detail: str) -> Ruling:
    """The ruling on a device that its driver cannot reach. detail: the driver's words."""
    return Ruling(Measure.QUARANTINE, detail, _RESET)
