"""Failpoints: what is armed fires as often as said, for whom it is meant, and else does nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from storyforge.errors import SetupProblem, Unavailable
from storyforge.failpoints import Failpoint, Failpoints, parse_failpoints


def _fires(failpoints: Failpoints, job: str = "") -> bool:
    try:
        failpoints.hit("preview", "p2", job)
    except Unavailable:
        return True
    return False


def _armed(spec: str, latches: Path) -> Failpoints:
    return Failpoints(parse_failpoints(spec), latches)


def test_every_part_of_a_failpoint_is_read() -> None:
    spec = "preview:p2:unavailable*3+4@job-1, accept:p1:kill"
    assert parse_failpoints(spec) == (
        Failpoint("preview", "p2", "unavailable", 3, 4, "job-1"),
        Failpoint("accept", "p1", "kill"),
    )
    assert parse_failpoints("") == ()


@pytest.mark.parametrize("spec", ["preview", "preview:p9:kill", "preview:p1:explode", ":p1:kill"])
def test_a_wrong_failpoint_is_refused(spec: str) -> None:
    with pytest.raises(SetupProblem, match="FAILPOINT"):
        parse_failpoints(spec)


def test_it_fires_once_even_in_a_process_that_was_restarted(tmp_path: Path) -> None:
    assert _fires(_armed("preview:p2:unavailable", tmp_path))
    assert not _fires(_armed("preview:p2:unavailable", tmp_path))


def test_it_fires_as_often_as_said(tmp_path: Path) -> None:
    failpoints = _armed("preview:p2:unavailable*2", tmp_path)
    assert [_fires(failpoints) for _ in range(3)] == [True, True, False]


def test_it_lets_the_first_hits_pass(tmp_path: Path) -> None:
    failpoints = _armed("preview:p2:unavailable+2", tmp_path)
    assert [_fires(failpoints) for _ in range(4)] == [False, False, True, False]


def test_one_that_is_meant_for_a_job_spares_the_others(tmp_path: Path) -> None:
    failpoints = _armed("preview:p2:unavailable@mine,preview:p2:unavailable@yours", tmp_path)
    assert not _fires(failpoints, "theirs")
    assert _fires(failpoints, "mine")
    assert _fires(failpoints, "yours")
    assert not _fires(failpoints, "mine")


def test_other_points_do_nothing(tmp_path: Path) -> None:
    failpoints = _armed("preview:p1:unavailable,encode_hls:p2:unavailable", tmp_path)
    assert not _fires(failpoints)
    assert not _fires(Failpoints())
