"""Which jobs a device takes next: warm shapes first, nobody starved, no share too large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.batching import Wish, choose_batch
from storyforge.database.batches import Waiting

WISH = Wish(key=None, most=4, patience_s=300.0, overtaken_most=3)


def job(number: int, key: str | None = "a", **changes: object) -> Waiting:
    """A due job; a larger number came later."""
    fresh = Waiting(id=UUID(int=number), key=key, waited_s=0.0, overtaken=0, suspect=False)
    return replace(fresh, **changes)  # type: ignore[arg-type]


def numbers(chosen: Sequence[UUID]) -> list[int]:
    return [one.int for one in chosen]


def choose(waiting: Sequence[Waiting], wish: Wish = WISH) -> list[int]:
    return numbers(choose_batch(waiting, wish))


def test_jobs_of_one_shape_go_together_oldest_first_and_no_more_than_allowed() -> None:
    waiting = [job(1), job(2, "b"), job(3), job(4), job(5), job(6)]
    assert choose(waiting) == [1, 3, 4, 5]


def test_the_shape_that_is_warm_goes_before_an_older_job_of_another() -> None:
    assert choose([job(1, "a"), job(2, "b"), job(3, "b")], replace(WISH, key="b")) == [2, 3]
    assert choose([job(1, "a"), job(2, "b")], replace(WISH, key="c")) == [1]


@pytest.mark.parametrize("waited", [{"waited_s": 300.0}, {"overtaken": 3}])
def test_who_waited_too_long_goes_before_the_warm_shape(waited: dict[str, float]) -> None:
    waiting = [job(1, "a"), job(2, "c", **waited), job(3, "b"), job(4, "c")]
    assert choose(waiting, replace(WISH, key="b")) == [2, 4]


def test_a_suspect_and_a_job_of_unknown_shape_run_alone_and_join_nobody() -> None:
    assert choose([job(1, suspect=True), job(2)]) == [1]
    assert choose([job(1), job(2, suspect=True), job(3)]) == [1, 3]
    assert choose([job(1, None), job(2, None)]) == [1]
    assert choose([job(1, None), job(2, "a")], replace(WISH, key=None)) == [1]


def test_a_device_takes_its_share_while_others_could_work_too() -> None:
    waiting = [job(number) for number in range(1, 5)]
    assert choose(waiting, replace(WISH, devices=2)) == [1, 2]
    assert choose(waiting, replace(WISH, devices=9)) == [1]


def test_what_did_not_fit_is_left_to_another_device_while_there_is_one() -> None:
    waiting, small = [job(1, "big"), job(2, "small")], replace(WISH, avoid=frozenset({"big"}))
    assert choose(waiting, replace(small, devices=2)) == [2]
    assert choose(waiting[:1], replace(small, devices=2)) == []
    assert choose(waiting, small) == [1], "nobody else would ever take it"


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("aaabcd")), min_size=1, max_size=80),
    st.integers(1, 5),
    st.integers(1, 6),
)
def test_nobody_starves_whatever_comes_and_in_whatever_order(
    arrivals: list[tuple[int, str]], most: int, overtaken_most: int
) -> None:
    """A device filming batch after batch, with jobs coming between them.

    A job is preceded by those that were there before it, and by later ones only as often as the
    bound says and then as companions of older jobs.
    """
    wish = replace(WISH, most=most, overtaken_most=overtaken_most, patience_s=float("inf"))
    queue: list[Waiting] = []
    older: dict[UUID, int] = {}
    batches: dict[UUID, int] = {}
    coming = iter(enumerate(arrivals, start=1))
    due = next(coming, None)
    current: str | None = None
    turn = 0
    while due is not None or queue:
        while due is not None and (due[1][0] <= turn % 4 or not queue):
            arrived = job(due[0], due[1][1])
            older[arrived.id], batches[arrived.id] = len(queue), 0
            queue.append(arrived)
            due = next(coming, None)
        chosen = choose_batch(queue, replace(wish, key=current))
        assert chosen
        assert len({one.key for one in queue if one.id in chosen}) == 1
        current = next(one.key for one in queue if one.id == chosen[0])
        newest = max(chosen)
        queue = [
            replace(one, overtaken=one.overtaken + (one.id < newest))
            for one in queue
            if one.id not in chosen
        ]
        for one in queue:
            batches[one.id] += 1
            assert batches[one.id] <= older[one.id] + overtaken_most
        turn += 1
