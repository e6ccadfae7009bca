"""Places in line and times: what is filmed first, what is unknown, how many devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from storyforge.domain.film_cost import FilmCost
from storyforge.domain.job import Lane
from storyforge.domain.queue_outlook import InLine, Outlook, outlooks

KEY = "12345678:64x64@4:8+8"  # two shots of two seconds


def job(number: int, **changes: object) -> InLine:
    waiting = InLine(UUID(int=number), Lane.FILM, False, KEY, 8.0, 12)  # noqa: FBT003  a builder
    return replace(waiting, **changes)  # type: ignore[arg-type]


def ten_times(lengths: Sequence[float]) -> FilmCost:
    """Ten seconds of the card for each second of film."""
    return FilmCost(gpu_seconds=10 * sum(lengths), reason="Measured.")


def nobody(_lengths: Sequence[float]) -> FilmCost:
    return FilmCost(gpu_seconds=None, reason="This card has no profile.")


def test_who_stands_behind_others_waits_for_them() -> None:
    found = outlooks([job(1), job(2), job(3)], ten_times, 1)
    assert [(one.position, one.eta_s) for one in found.values()] == [(1, 40), (2, 80), (3, 120)]
    assert {one.reason for one in found.values()} == {"Measured."}


def test_devices_share_the_line() -> None:
    found = outlooks([job(1), job(2), job(3)], ten_times, 2)
    assert found[UUID(int=3)].eta_s == 80


def test_a_job_that_is_filmed_comes_first_and_needs_only_the_rest() -> None:
    half = job(2, filming=True, progress=52)
    found = outlooks([job(1), half], ten_times, 1)
    assert found[half.id] == Outlook(0, 20.0, "Measured.")
    assert found[UUID(int=1)] == Outlook(2, 60.0, "Measured.")


def test_a_job_without_a_script_is_assumed_to_film_what_was_asked_for() -> None:
    unwritten = job(1, lane=Lane.WRITE, key=None, target_s=12.0)
    assert unwritten.lengths == (5.0, 5.0, 2.0)
    assert outlooks([unwritten], ten_times, 1)[unwritten.id].eta_s == 120


def test_without_a_profile_there_is_a_place_and_a_reason_but_no_time() -> None:
    found = outlooks([job(1), job(2)], nobody, 1)
    assert found[UUID(int=2)] == Outlook(2, None, "This card has no profile.")


def test_an_unknown_job_ahead_makes_the_ones_behind_unknown_and_says_so() -> None:
    def cost(lengths: Sequence[float]) -> FilmCost:
        return nobody(lengths) if len(lengths) == 1 else ten_times(lengths)

    found = outlooks([job(1, key="12345678:64x64@4:8"), job(2)], cost, 1)
    assert found[UUID(int=2)].eta_s is None
    assert found[UUID(int=2)].reason == "A job before it: This card has no profile."


@pytest.mark.parametrize("progress", [0, 12, 60, 92, 100])
def test_no_progress_gives_a_negative_or_larger_time(progress: int) -> None:
    eta = outlooks([job(1, filming=True, progress=progress)], ten_times, 1)[UUID(int=1)].eta_s
    assert eta is not None
    assert 0 <= eta <= 40
