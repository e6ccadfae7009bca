"""What NVML says becomes our records, whatever part of it is missing."""

from __future__ import annotations

import pytest

from inference.devices.nvml_reader import NvmlReader, load_nvml
from inference.devices.records import DeviceProcess, Inventory, RecoveryAction, XidEvent
from storyforge.errors import DeviceLost, Unavailable
from tests.inference.devices.fake_nvml import Card, FakeNvml

OPTIONAL = {
    "GetUtilizationRates": "utilisation_percent",
    "GetEncoderUtilization": "encoder_percent",
    "GetTemperature": "temperature_celsius",
    "GetPowerUsage": "power_watts",
    "GetTotalEnergyConsumption": "energy_joules",
    "GetTotalEccErrors": "ecc_uncorrected",
    "GetFieldValues": "recovery_action",
    "GetComputeRunningProcesses": "processes",
}


def test_a_card_is_read_in_our_units() -> None:
    nvml = FakeNvml(Card())
    device = NvmlReader(nvml).read(0)
    assert (device.index, device.uuid, device.name) == (0, "GPU-a", "Fake H200")
    assert (device.total_bytes, device.free_bytes, device.used_bytes) == (
        141 << 30,
        140 << 30,
        1 << 30,
    )
    assert (device.utilisation_percent, device.encoder_percent) == (97, 12)
    assert (device.temperature_celsius, device.power_watts) == (61, 652.5)
    assert (device.energy_joules, device.ecc_uncorrected) == (9000.5, 2)
    assert device.recovery_action is RecoveryAction.NONE
    assert device.processes == (
        DeviceProcess(pid=77, used_bytes=5 << 30),
        DeviceProcess(pid=78, used_bytes=None),
    )
    assert nvml.opened == 0


@pytest.mark.parametrize("function", OPTIONAL)
def test_what_a_card_does_not_support_is_none_and_the_rest_is_read(function: str) -> None:
    nvml = FakeNvml(Card(broken={function: FakeNvml.NVML_ERROR_NOT_SUPPORTED}))
    device = NvmlReader(nvml).read(0)
    missing = {name for name in OPTIONAL.values() if getattr(device, name) is None}
    assert missing == {OPTIONAL[function]}


@pytest.mark.parametrize("value", [15, 16])
def test_a_card_that_is_lost_or_wants_a_reset_is_lost_wherever_it_is_noticed(value: int) -> None:
    for function in ("GetHandleByIndex", "GetMemoryInfo", "GetTemperature"):
        nvml = FakeNvml(Card(broken={function: value}))
        with pytest.raises(DeviceLost):
            NvmlReader(nvml).read(0)
        assert nvml.opened == 0


def test_another_error_only_says_that_the_card_does_not_answer() -> None:
    with pytest.raises(Unavailable) as caught:
        NvmlReader(FakeNvml(Card(broken={"GetMemoryInfo": 999}))).read(0)
    assert not isinstance(caught.value, DeviceLost)


def test_one_lost_card_does_not_hide_the_others() -> None:
    lost = Card(uuid="GPU-b", broken={"GetHandleByIndex": FakeNvml.NVML_ERROR_GPU_IS_LOST})
    nvml = FakeNvml(Card(), lost, Card(uuid="GPU-c"))
    inventory = NvmlReader(nvml).inventory()
    assert [device.index for device in inventory.devices] == [0, 2]
    assert "Device 1" in inventory.problem
    assert inventory.driver == "580.1"
    assert nvml.opened == 0


@pytest.mark.parametrize("value", [9, 12])
def test_a_machine_without_a_driver_has_no_devices_and_no_problem(value: int) -> None:
    assert NvmlReader(FakeNvml(init_error=value)).inventory() == Inventory()


def test_a_driver_that_fails_says_why() -> None:
    assert NvmlReader(FakeNvml(init_error=18)).inventory().problem == "NVML error 18"


def test_xids_are_heard_one_by_one() -> None:
    card = Card()
    nvml = FakeNvml(card)
    watch = NvmlReader(nvml).watch_xids(0)
    assert watch is not None
    assert watch.wait(0) is None
    card.events.extend([48, 45])
    assert [watch.wait(0), watch.wait(0), watch.wait(0)] == [
        XidEvent(code=48),
        XidEvent(code=45),
        None,
    ]
    assert nvml.opened == 1, "the library stays open while somebody listens"
    card.broken["EventSetWait"] = FakeNvml.NVML_ERROR_GPU_IS_LOST
    with pytest.raises(DeviceLost):
        watch.wait(0)
    watch.close()
    assert nvml.opened == 0


@pytest.mark.parametrize("function", ["GetSupportedEventTypes", "RegisterEvents"])
def test_a_driver_without_events_is_no_error(function: str) -> None:
    nvml = FakeNvml(Card(broken={function: FakeNvml.NVML_ERROR_NOT_SUPPORTED}))
    assert NvmlReader(nvml).watch_xids(0) is None
    assert nvml.opened == 0


def test_the_real_library_has_every_name_that_the_fake_has() -> None:
    real = load_nvml()
    names = [name for name in dir(FakeNvml) if name.lower().startswith("nvml")]
    assert [name for name in names if not hasattr(real, name)] == []
    constants = [name for name in names if name.startswith("NVML_") or "EventType" in name]
    assert {name: getattr(real, name) for name in constants} == {
        name: getattr(FakeNvml, name) for name in constants
    }


def test_this_machine_is_read_without_an_error() -> None:
    assert isinstance(NvmlReader(load_nvml()).inventory(), Inventory)
