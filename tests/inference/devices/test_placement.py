"""Placement holds its promises for every set of devices."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inference.devices.placement import DeviceState, place

MODEL = "wan"
STATES = st.lists(
    st.builds(
        DeviceState,
        index=st.integers(0, 7),
        free_bytes=st.integers(0, 20),
        resident=st.sampled_from([frozenset(), frozenset({MODEL}), frozenset({"ltx"})]),
        quarantined=st.booleans(),
    ),
    unique_by=lambda state: state.index,
    max_size=8,
)
BYTES = st.integers(0, 20)


def _fits(state: DeviceState, needs: int, weights: int) -> bool:
    extra = 0 if MODEL in state.resident else weights
    return not state.quarantined and state.free_bytes >= needs + extra


@given(STATES, BYTES, BYTES)
def test_the_chosen_device_fits_and_none_only_when_nothing_does(
    devices: list[DeviceState], needs: int, weights: int
) -> None:
    chosen = place(MODEL, needs, devices, weights_bytes=weights)
    fitting = {one.index for one in devices if _fits(one, needs, weights)}
    assert chosen in fitting if fitting else chosen is None


@given(STATES, BYTES, BYTES)
def test_resident_weights_win_and_then_free_memory(
    devices: list[DeviceState], needs: int, weights: int
) -> None:
    chosen = place(MODEL, needs, devices, weights_bytes=weights)
    fitting = [one for one in devices if _fits(one, needs, weights)]
    best = [one for one in fitting if MODEL in one.resident] or fitting
    if best:
        (one,) = [state for state in devices if state.index == chosen]
        assert one in best
        assert one.free_bytes == max(state.free_bytes for state in best)


@given(STATES, BYTES, st.randoms(use_true_random=False))
def test_the_order_of_the_devices_changes_nothing(
    devices: list[DeviceState], needs: int, random: object
) -> None:
    shuffled = list(devices)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert place(MODEL, needs, shuffled) == place(MODEL, needs, devices)


@given(STATES, BYTES)
def test_a_smaller_need_never_finds_less(devices: list[DeviceState], needs: int) -> None:
    if place(MODEL, needs, devices) is not None:
        assert place(MODEL, needs // 2, devices) is not None
