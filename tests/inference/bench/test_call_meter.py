"""Calls are timed where they happen, and overlapping times count once."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.usefixtures("engines")


def test_each_call_is_an_interval_on_the_meter_s_clock() -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    from inference.bench.call_meter import CallMeter, Interval  # noqa: PLC0415 - needs torch

    moments = iter([10.0, 10.0, 11.0, 13.0, 20.0, 21.5, 30.0])
    meter = CallMeter("cpu", now_s=lambda: next(moments))
    module = torch.nn.Identity()
    with meter.watching("it", [module]):
        module(torch.zeros(1))
        module(torch.zeros(1))
        assert meter.count("it") == 2
    module(torch.zeros(1))  # nobody looks any more
    assert meter.intervals("it") == [Interval(1.0, 3.0), Interval(10.0, 11.5)]
    assert meter.now_s() == 20.0
    assert meter.intervals("nothing") == []


def test_overlapping_intervals_count_once() -> None:
    from inference.bench.call_meter import Interval, merged_seconds  # noqa: PLC0415 - needs torch

    spans = [Interval(5, 6), Interval(0, 2), Interval(1, 3), Interval(1.5, 2.5)]
    assert merged_seconds(spans) == pytest.approx(4.0)
    assert merged_seconds([]) == 0.0
