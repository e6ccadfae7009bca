"""What is known of a device at one moment."""

from __future__ import annotations

from enum import StrEnum

from storyforge.domain.wire import Wire


class RecoveryAction(StrEnum):
    """What the driver says must happen before the device is sound again (NVML field 230, R565)."""

    NONE = "none"
    RESET_DEVICE = "reset_device"
    RESTART_HOST = "restart_host"
    DRAIN = "drain"


class DeviceProcess(Wire):
    """One process that holds memory on a device.

    pid: as the host counts, which in a container is another number than inside. used_bytes: None
    where the driver does not tell.
    """

    pid: int
    used_bytes: int | None


class Device(Wire):
    """One GPU; whatever its driver does not support is None.

    index: in PCI bus order, as NVML counts. utilisation_percent: share of the last sample period
    in which a kernel ran; encoder_percent likewise for its encoder. energy_joules: since the driver
    was loaded. ecc_uncorrected: memory errors since the driver was loaded.
    """

    index: int
    uuid: str
    name: str
    total_bytes: int
    free_bytes: int
    utilisation_percent: int | None = None
    encoder_percent: int | None = None
    temperature_celsius: int | None = None
    power_watts: float | None = None
    energy_joules: float | None = None
    ecc_uncorrected: int | None = None
    recovery_action: RecoveryAction | None = None
    processes: tuple[DeviceProcess, ...] | None = None

    @property
    def used_bytes(self) -> int:
        """Memory that is not free."""
        return self.total_bytes - self.free_bytes


class Inventory(Wire):
    """All devices that answered.

    driver: its version, empty without a driver. problem: the driver's words for what did not
    answer; empty when all is well, or when there is no driver at all (a machine without a GPU is
    not a problem).
    """

    devices: tuple[Device, ...] = ()
    driver: str = ""
    problem: str = ""


class XidEvent(Wire):
    """One error that the driver reported of a device; code: see xid_catalogue.py."""

    code: int
