from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.encoding.ladder import MAX_STEP, hls_profile, ladder


@pytest.mark.parametrize(
    ("size", "names"),
    [
        ((1920, 1080), ["1080p", "720p", "480p"]),
        ((1280, 720), ["720p", "480p", "240p"]),
        ((3840, 2160), ["2160p", "1440p", "720p"]),
        ((832, 480), ["480p", "240p"]),
        ((1024, 576), ["576p", "360p", "240p"]),
        ((720, 1280), ["1280p", "720p", "480p"]),
        ((480, 854), ["854p", "480p", "240p"]),
        ((320, 240), ["240p"]),
        ((128, 96), ["96p"]),
        ((2, 2), ["2p"]),
    ],
)
def test_rungs_follow_the_film(size: tuple[int, int], names: list[str]) -> None:
    rungs = ladder(*size)
    assert [rung.name for rung in rungs] == names
    assert (rungs[0].width, rungs[0].height) == size


@given(width=st.integers(2, 4096), height=st.integers(2, 4096))
def test_every_size_gives_a_valid_ladder(width: int, height: int) -> None:
    rungs = ladder(width, height)
    assert 1 <= len(rungs) <= 3
    assert (rungs[0].width, rungs[0].height) == (width - width % 2, height - height % 2)
    for above, rung in pairwise(rungs):
        assert 240 <= rung.height <= MAX_STEP * above.height
    for rung in rungs:
        assert rung.name == f"{rung.height}p"
        assert rung.width % 2 == rung.height % 2 == 0
        assert abs(rung.width / rung.height - width / height) <= max(
            2 / rung.height, 2 * width / height / rung.height
        )


def test_the_profile_promises_what_its_parts_keep() -> None:
    profile = hls_profile(1280, 720, 24)
    assert (profile.fps, profile.gop_seconds, profile.target_duration) == (24, 2, 2)
    assert profile.rungs == ladder(1280, 720)
