"""The kernel's tables are whole, and nothing private is in the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from storyforge import errors
from storyforge.domain.job import (
    ENDED,
    LANES,
    MOVES,
    NEXT_LANE,
    STAGE_END_PERCENT,
    WIRE_STAGES,
    JobState,
    Stage,
)
from storyforge.errors import StoryForgeError
from tests.architecture.source_tree import shown, tracked_files

# Written in two pieces each, so that this file does not find itself.
PRIVATE = {
    "a path of one machine": re.compile(
        r"(?<![\w.}~])/(?:ro" + r"ot|wo" + r"rk|ho" + r"me)/(?!somebody/)\w"
    ),
    "a private key": re.compile("-----BEGIN [A-Z ]*PRIV" + "ATE KEY"),
    "an AWS key": re.compile(r"\bAK" + r"IA[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\bgh" + r"[pousr]_[A-Za-z0-9]{36}"),
    "a Hugging Face token": re.compile(r"\bh" + r"f_[A-Za-z0-9]{34}"),
    "a package registry's address": re.compile(
        r"registry\.npm" + r"js\.org|files\.python" + r"hosted"
    ),
}


def error_classes(root: type[StoryForgeError] = StoryForgeError) -> Iterator[type[StoryForgeError]]:
    for one in root.__subclasses__():
        if one.__module__ == errors.__name__:
            yield one
        yield from error_classes(one)


def test_every_error_has_a_code_of_its_own_a_status_and_a_title() -> None:
    codes = [one.__dict__.get("code") for one in error_classes()]
    assert None not in codes
    assert len(set(codes)) == len(codes)
    for one in error_classes():
        assert re.fullmatch(r"[a-z][a-z_]*", one.code)
        assert 400 <= one.status <= 599
        assert "title" in one.__dict__


def test_each_branch_of_errors_keeps_to_its_range_of_statuses() -> None:
    ranges = {errors.Rejected: range(400, 500), errors.Unavailable: (503,), errors.Broken: (500,)}
    for branch, allowed in ranges.items():
        assert [one for one in error_classes(branch) if one.status not in allowed] == []


def test_the_moves_know_every_state_and_lead_to_an_end() -> None:
    assert set(MOVES) == set(JobState)
    for state in set(JobState) - ENDED:
        assert _reachable(state) & ENDED, state
    assert {state for state in ENDED if MOVES[state]} == {JobState.DEAD}  # an operator's retry


@pytest.mark.parametrize("table", [STAGE_END_PERCENT, WIRE_STAGES])
def test_tables_by_stage_know_every_stage(table: dict[Stage, object]) -> None:
    assert set(table) == set(Stage)


def test_the_lanes_hold_every_stage_once_and_in_order() -> None:
    lane = next(iter(LANES))
    ordered = list(LANES[lane])
    while lane in NEXT_LANE:
        lane = NEXT_LANE[lane]
        ordered += LANES[lane]
    assert ordered == list(Stage)


def test_progress_grows_with_the_stages() -> None:
    percents = [STAGE_END_PERCENT[stage] for stage in Stage]
    assert percents == sorted(set(percents))
    assert percents[-1] == 100


@pytest.mark.parametrize("what", sorted(PRIVATE))
def test_nothing_private_is_under_version_control(what: str) -> None:
    found = [
        f"{shown(path)}:{number}"
        for path in tracked_files()
        for number, line in enumerate(_lines(path), start=1)
        if PRIVATE[what].search(line)
    ]
    assert found == []


def _reachable(state: JobState) -> set[JobState]:
    found: set[JobState] = set()
    frontier = {state}
    while frontier:
        frontier = set().union(*(MOVES[one] for one in frontier)) - found
        found |= frontier
    return found


def _lines(path: object) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()  # type: ignore[attr-defined,no-any-return]
    except UnicodeDecodeError:
        return []  # a picture
