"""Says which devices are in service, and puts them back."""

from __future__ import annotations

from collections.abc import Sequence

from inference.devices.quarantine import Quarantine
from inference.devices.records import Device, Inventory
from storyforge.errors import NotFound
from storyforge.settings import Settings

_GIB = 1 << 30
_ALL = "all"


def open_quarantine(settings: Settings) -> Quarantine:
    """The records of this node's devices out of service."""
    return Quarantine(settings.quarantine_dir)


def describe(inventory: Inventory, quarantine: Quarantine) -> Sequence[str]:
    """A line for each device, and one for each that is out of service."""
    lines = [_line(device) for device in inventory.devices]
    if inventory.problem:
        lines.append(f"The driver says: {inventory.problem}")
    lines += [record.notice for record in quarantine.all()]
    return lines or ["No NVIDIA GPU."]


def clear_quarantine(quarantine: Quarantine, device: str) -> Sequence[str]:
    """Clear one device, or all; gives a line for each. Raises NotFound when none is meant."""
    records = quarantine.all()
    meant = [one for one in records if device in {_ALL, one.uuid, str(one.index)}]
    if not meant:
        raise NotFound(f"Device '{device}' is not out of service; see `storyforge devices list`.")
    for record in meant:
        quarantine.clear(record.uuid)
    return [f"Device {one.index} ({one.name}) is in service again." for one in meant]


def _line(device: Device) -> str:
    parts = [
        f"{device.index}: {device.name}",
        f"{device.free_bytes / _GIB:.1f} of {device.total_bytes / _GIB:.1f} GiB free",
    ]
    if device.temperature_celsius is not None:
        parts.append(f"{device.temperature_celsius} °C")
    if device.power_watts is not None:
        parts.append(f"{device.power_watts:.0f} W")
    if device.utilisation_percent is not None:
        parts.append(f"{device.utilisation_percent} % busy")
    return ", ".join([*parts, device.uuid])
