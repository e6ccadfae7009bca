"""The DeviceReader protocol: looks at devices without starting anything on them."""

from __future__ import annotations

from typing import Protocol

from inference.devices.records import Device, Inventory, XidEvent


class XidWatch(Protocol):
    """Hears the errors that the driver reports of one device from now on."""

    def wait(self, timeout_s: float) -> XidEvent | None:
        """The next event; None when none came in time.

        Raises DeviceLost when the device is gone, Unavailable when the driver cannot tell.
        """
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class DeviceReader(Protocol):
    """Reads one host's devices; safe to use from several threads."""

    def inventory(self) -> Inventory:
        """Every device that answers, by index; never raises."""
        ...

    def read(self, index: int) -> Device:
        """One device now.

        Raises DeviceLost when it is gone or must be reset, Unavailable when it does not answer.
        """
        ...

    def watch_xids(self, index: int) -> XidWatch | None:
        """Listen to one device; None where the driver does not report events.

        Raises what `read` raises.
        """
        ...
