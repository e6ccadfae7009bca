"""The out-of-memory ladder: lossless savings first, each once, and bounded tries of larger plans."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.video.memory_ladder import (
    CHANGES_PIXELS,
    FULL,
    HELPS,
    SHRINKS,
    TRIES_UP_MAX,
    TRY_UP_AFTER,
    Ladder,
    MemoryPlan,
    Phase,
    Saving,
    next_plan,
)

ALL = frozenset(Saving)
LOSSLESS = ALL - SHRINKS


def descent(phase: Phase, usable: frozenset[Saving] = ALL) -> list[Saving]:
    """The savings in the order in which one phase takes them."""
    plan, taken = FULL, []
    while (smaller := next_plan(plan, phase, usable)) is not None:
        (new,) = set(smaller.savings) - set(plan.savings)
        taken.append(new)
        plan = smaller
    return taken


@pytest.mark.parametrize("phase", list(Phase))
def test_what_changes_pixels_comes_after_everything_that_does_not(phase: Phase) -> None:
    changes = [saving in CHANGES_PIXELS for saving in descent(phase)]
    assert changes == sorted(changes)


def test_each_phase_takes_only_what_helps_it() -> None:
    assert descent(Phase.DECODE) == [
        Saving.TAKE_TURNS,
        Saving.STREAM,
        Saving.TEXT_ON_CPU,
        Saving.OFFLOAD_MODELS,
        Saving.TILES,
    ]
    assert descent(Phase.LOAD) == [
        Saving.TEXT_ON_CPU,
        Saving.OFFLOAD_MODELS,
        Saving.OFFLOAD_BLOCKS,
        Saving.OFFLOAD_LEAVES,
    ]
    assert descent(Phase.FUSED)[0] is Saving.ONE_BY_ONE


def test_no_picture_shrinks_unless_its_owner_allows_it() -> None:
    for phase in Phase:
        assert not SHRINKS & set(descent(phase, LOSSLESS))
    assert descent(Phase.DENOISE)[-2:] == [Saving.HALF_SIZE, Saving.QUARTER_SIZE]


@given(st.lists(st.sampled_from(Phase), max_size=40), st.sets(st.sampled_from(Saving)))
def test_any_order_of_shortages_ends_and_takes_no_saving_twice(
    phases: list[Phase], usable: set[Saving]
) -> None:
    ladder, steps = Ladder(), 0
    for phase in phases:
        smaller = ladder.short(phase, frozenset(usable))
        if smaller is None:
            left = [one for one in usable if phase in HELPS[one]]
            assert all(ladder.plan.has(one) for one in left)
            continue
        steps += 1
        assert set(ladder.plan.savings) < set(smaller.plan.savings) <= usable
        ladder = smaller
    assert steps <= len(usable)


def test_what_is_offloaded_takes_turns_and_so_does_what_is_tiled() -> None:
    assert not FULL.takes_turns
    assert not FULL.plus(Saving.TEXT_ON_CPU).takes_turns
    for saving in (Saving.TAKE_TURNS, Saving.TILES, Saving.OFFLOAD_MODELS, Saving.OFFLOAD_LEAVES):
        assert FULL.plus(saving).takes_turns


@given(st.sets(st.sampled_from(sorted(LOSSLESS)), min_size=1), st.integers(50, 600))
def test_larger_plans_are_tried_now_and_then_but_not_for_ever(
    needed: set[Saving], shots: int
) -> None:
    """A card that only ever fits under these savings, or more of them."""
    ladder, failures = Ladder(), 0
    phase_of = {saving: min(HELPS[saving]) for saving in Saving}
    for _ in range(shots):
        while missing := [one for one in Saving if one in needed and not ladder.plan.has(one)]:
            smaller = ladder.short(phase_of[missing[0]], LOSSLESS)
            assert smaller is not None
            ladder, failures = smaller, failures + 1
        ladder = ladder.went_well()
    assert ladder.tries <= TRIES_UP_MAX
    assert failures <= len(LOSSLESS) + TRIES_UP_MAX


def test_a_larger_plan_that_works_again_is_kept() -> None:
    """Another program held memory for a while; it is gone now."""
    ladder = Ladder().short(Phase.LOAD, LOSSLESS)
    assert ladder is not None
    assert ladder.plan == MemoryPlan((Saving.TEXT_ON_CPU,))
    for _ in range(TRY_UP_AFTER):
        ladder = ladder.went_well()
    assert (ladder.plan, ladder.proven) == (FULL, MemoryPlan((Saving.TEXT_ON_CPU,)))
    for _ in range(2 * TRY_UP_AFTER):
        ladder = ladder.went_well()
    assert (ladder.plan, ladder.proven, ladder.tries) == (FULL, None, 0)


def test_a_trial_that_fails_goes_back_to_what_worked_and_no_further() -> None:
    proven = MemoryPlan((Saving.TAKE_TURNS, Saving.TEXT_ON_CPU))
    trial = Ladder(plan=MemoryPlan((Saving.TAKE_TURNS,)), proven=proven)
    back = trial.short(Phase.DENOISE, LOSSLESS)
    assert back is not None
    assert (back.plan, back.proven, back.tries) == (proven, None, 1)


def test_no_plan_larger_than_the_start_is_tried() -> None:
    start = MemoryPlan((Saving.TEXT_ON_CPU,))
    ladder = Ladder(plan=start, start=start)
    for _ in range(3 * TRY_UP_AFTER):
        ladder = ladder.went_well()
    assert ladder.plan == start
