"""What every DeviceReader promises, on the fake one and on NVML."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inference.devices.fake_reader import FakeReader
from inference.devices.nvml_reader import NvmlReader
from inference.devices.reader import DeviceReader
from inference.devices.records import Device
from storyforge.errors import DeviceLost, Unavailable
from tests.inference.devices.fake_nvml import Card, FakeNvml

LOSE = Callable[[], None]
REPORT = Callable[[int], None]


@pytest.fixture(params=["fake", "nvml"])
def host(request: pytest.FixtureRequest) -> tuple[DeviceReader, LOSE, REPORT]:
    """A reader with devices 0 and 1; a call that loses device 1; one that reports an Xid of it."""
    if request.param == "fake":
        devices = [
            Device(index=index, uuid=f"GPU-{index}", name="X", total_bytes=10, free_bytes=9)
            for index in (0, 1)
        ]
        reader = FakeReader(devices)
        return reader, lambda: reader.lost.add(1), lambda code: reader.report(1, code)
    cards = Card(uuid="GPU-0"), Card(uuid="GPU-1")
    lose = lambda: cards[1].broken.update(GetHandleByIndex=15)  # noqa: E731  one line
    return NvmlReader(FakeNvml(*cards)), lose, cards[1].events.append


def test_devices_are_listed_by_index_and_read_alike(
    host: tuple[DeviceReader, LOSE, REPORT],
) -> None:
    reader = host[0]
    listed = reader.inventory()
    assert [(one.index, one.uuid) for one in listed.devices] == [(0, "GPU-0"), (1, "GPU-1")]
    assert listed.problem == ""
    assert [reader.read(index) for index in (0, 1)] == list(listed.devices)


def test_a_lost_device_raises_and_is_told_of(host: tuple[DeviceReader, LOSE, REPORT]) -> None:
    reader, lose, _ = host
    lose()
    with pytest.raises(DeviceLost):
        reader.read(1)
    with pytest.raises(Unavailable):
        reader.watch_xids(1)
    listed = reader.inventory()
    assert [one.index for one in listed.devices] == [0]
    assert "1" in listed.problem


def test_an_xid_is_heard_by_who_listens(host: tuple[DeviceReader, LOSE, REPORT]) -> None:
    reader, _, report = host
    watch = reader.watch_xids(1)
    assert watch is not None
    assert watch.wait(0.01) is None
    report(79)
    event = watch.wait(0.01)
    assert event is not None
    assert event.code == 79
    watch.close()
