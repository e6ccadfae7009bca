"""Which plan a card starts with, and which picture size would fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.video.memory_ladder import FULL, SHRINKS, MemoryPlan, Phase, Saving, next_plan
from inference.video.memory_needs import WeightBytes, first_plan, fitting_size, resident_bytes

GIB = 1 << 30
# Wan2.2 A14B as its files say: two experts of 28 GiB, UMT5 of 11, a small VAE.
LARGE = WeightBytes((28 * GIB, 28 * GIB), GIB * 7 // 10, text=11 * GIB, vae=GIB // 4)
USABLE = frozenset(Saving) - SHRINKS


@pytest.mark.parametrize(
    ("room_gib", "savings"),
    [
        (80, ()),
        (75, (Saving.TEXT_ON_CPU,)),
        (40, (Saving.TEXT_ON_CPU, Saving.OFFLOAD_MODELS)),
        (12, (Saving.TEXT_ON_CPU, Saving.OFFLOAD_MODELS, Saving.OFFLOAD_BLOCKS)),
        (
            9,
            (
                Saving.TEXT_ON_CPU,
                Saving.OFFLOAD_MODELS,
                Saving.OFFLOAD_BLOCKS,
                Saving.OFFLOAD_LEAVES,
            ),
        ),
    ],
)
def test_a_card_starts_at_the_largest_plan_that_fits(
    room_gib: int, savings: tuple[Saving, ...]
) -> None:
    plan = first_plan(FULL, LARGE, 8 * GIB, room_gib * GIB, USABLE)
    assert plan == MemoryPlan(savings)


def test_without_a_known_peak_the_weights_alone_decide() -> None:
    assert first_plan(FULL, LARGE, 0, 68 * GIB, USABLE) == FULL
    assert first_plan(FULL, LARGE, 0, 60 * GIB, USABLE) == MemoryPlan((Saving.TEXT_ON_CPU,))


def test_where_nothing_fits_by_the_count_the_last_plan_is_still_tried() -> None:
    plan = first_plan(FULL, LARGE, 90 * GIB, 8 * GIB, USABLE)
    assert next_plan(plan, Phase.LOAD, USABLE) is None


parts = st.integers(0, 60 * GIB)


@given(parts, parts, parts, parts, st.integers(0, GIB))
def test_each_step_of_a_load_holds_no_more_weights_than_the_one_before(
    first: int, second: int, text: int, vae: int, block: int
) -> None:
    block = min(block, min(first, second) // 4)
    weights = WeightBytes((first, second), block, text, vae)
    plan: MemoryPlan | None = FULL
    held = weights.total
    while (plan := next_plan(plan, Phase.LOAD, USABLE)) is not None:  # type: ignore[arg-type]
        assert resident_bytes(plan, weights) <= held
        held = resident_bytes(plan, weights)


@given(st.integers(128, 4096), st.integers(128, 4096), st.integers(1, 90), st.integers(0, 90))
def test_the_size_that_is_named_fits_by_what_was_measured(
    width: int, height: int, working_gib: int, room_gib: int
) -> None:
    fits = fitting_size((width, height), working_gib * GIB, room_gib * GIB)
    if fits is None:
        return
    assert all(side % 2 == 0 for side in fits)
    assert fits[0] * fits[1] * working_gib <= width * height * room_gib
    assert fits[0] * fits[1] * 2 <= width * height, "clearly smaller than what just failed"


def test_without_a_measurement_half_the_area_is_named() -> None:
    assert fitting_size((1280, 720), None, None) == (904, 508)


def test_no_size_is_named_where_no_picture_fits() -> None:
    assert fitting_size((1280, 720), 10 * GIB, 0) is None
