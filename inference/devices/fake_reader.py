"""A DeviceReader without devices, for tests and for trying the node's answers to faults."""

from __future__ import annotations

import queue
from collections.abc import Sequence

from inference.devices.records import Device, Inventory, XidEvent
from storyforge.errors import DeviceLost, Unavailable


class FakeReader:
    """Gives the devices it was told of.

    devices: change it to make time pass. lost: indexes whose device is gone. hears_xids: whether
    the driver reports events; `report` makes one.
    """

    def __init__(self, devices: Sequence[Device] = (), *, hears_xids: bool = True) -> None:
        self.devices = list(devices)
        self.lost: set[int] = set()
        self.hears_xids = hears_xids
        self._heard: dict[int, queue.Queue[XidEvent]] = {}

    def report(self, index: int, code: int) -> None:
        """Let the driver report an Xid to those who listen."""
        if index in self._heard:
            self._heard[index].put(XidEvent(code=code))

    def inventory(self) -> Inventory:
        """Every device that is not lost."""
        found = tuple(one for one in self.devices if one.index not in self.lost)
        problem = " ".join(f"Device {index} is lost." for index in sorted(self.lost))
        return Inventory(devices=found, driver="fake" if self.devices else "", problem=problem)

    def read(self, index: int) -> Device:
        """One device now. Raises DeviceLost or Unavailable."""
        if index in self.lost:
            raise DeviceLost(f"Device {index} is lost.")
        for device in self.devices:
            if device.index == index:
                return device
        raise Unavailable(f"There is no device {index}.")

    def watch_xids(self, index: int) -> FakeXidWatch | None:
        """Listen to one device."""
        self.read(index)
        if not self.hears_xids:
            return None
        return FakeXidWatch(self._heard.setdefault(index, queue.Queue()))


class FakeXidWatch:
    """Hears what FakeReader reports."""

    def __init__(self, heard: queue.Queue[XidEvent]) -> None:
        self._heard = heard

    def wait(self, timeout_s: float) -> XidEvent | None:
        """The next event; None when none came in time."""
        try:
            return self._heard.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stop listening."""
