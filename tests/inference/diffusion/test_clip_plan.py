"""Legal sizes and lengths, and which frames of a clip are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.video.diffusion.clip_plan import (
    ClipPlan,
    is_stretched,
    legal_frames,
    legal_size,
    plan_clip,
    shown_frames,
)
from inference.video.diffusion.families import Ability, Engine, Family
from storyforge.errors import RenderFailed
from tests.inference.diffusion.takes import a_take

FAMILY = Family(
    name="test",
    engine=Engine.WAN,
    abilities=frozenset({Ability.TEXT}),
    multiple=16,
    frame_step=4,
    frames_max=81,
    pixels_max=832 * 480,
    fps_min=16,
    fps_max=16,
    steps=4,
    guidance=5.0,
    guidance_2=None,
    shift=5.0,
    text_tokens=16,
    negative_prompt="bad",
)


@pytest.mark.parametrize(
    ("wanted", "multiple", "pixels_max", "legal"),
    [
        ((832, 480), 16, 832 * 480, (832, 480)),
        ((1280, 720), 32, 1280 * 704, (1280, 704)),
        ((1280, 720), 16, 832 * 480, (832, 480)),
        ((720, 1280), 16, 832 * 480, (480, 832)),
        ((1280, 720), 16, 1280 * 720, (1280, 720)),
        ((100, 60), 16, 832 * 480, (96, 64)),
        ((2, 2), 32, 832 * 480, (32, 32)),
    ],
)
def test_a_size_becomes_the_nearest_legal_one_within_the_native_area(
    wanted: tuple[int, int], multiple: int, pixels_max: int, legal: tuple[int, int]
) -> None:
    assert legal_size(*wanted, multiple, pixels_max) == legal


@given(
    st.integers(2, 4096), st.integers(2, 4096), st.sampled_from([8, 16, 32]), st.integers(4, 900)
)
def test_every_size_is_legal(width: int, height: int, multiple: int, thousands: int) -> None:
    columns, rows = legal_size(width, height, multiple, thousands * 1000)
    assert columns % multiple == rows % multiple == 0
    assert min(columns, rows) >= multiple
    assert columns * rows <= max(thousands * 1000, multiple**2)


@pytest.mark.parametrize(
    ("wanted", "legal"), [(1, 1), (2, 5), (5, 5), (6, 9), (80, 81), (81, 81), (300, 81)]
)
def test_a_length_becomes_the_next_legal_one_up_to_the_longest(wanted: int, legal: int) -> None:
    assert legal_frames(wanted, 4, 81) == legal


def test_a_clip_covers_the_seconds_that_are_wanted_at_the_native_speed() -> None:
    clip = plan_clip(FAMILY, a_take(width=832, height=480, fps=24, frames=48))
    assert clip == ClipPlan(832, 480, frames=33, fps=16)  # 2 s are 32 frames


def test_a_request_without_frames_is_refused() -> None:
    with pytest.raises(RenderFailed):
        plan_clip(FAMILY, a_take(frames=0))


def test_sixteen_frames_a_second_are_shown_as_twenty_four_by_repeating_every_other() -> None:
    clip = ClipPlan(64, 64, frames=17, fps=16)
    assert shown_frames(clip, 9, 24) == (0, 1, 1, 2, 3, 3, 4, 5, 5)


def test_a_clip_at_the_wanted_speed_is_shown_frame_by_frame() -> None:
    assert shown_frames(ClipPlan(64, 64, frames=25, fps=24), 24, 24) == tuple(range(24))


def test_a_clip_that_is_too_short_is_shown_slower_from_its_first_to_its_last_frame() -> None:
    clip = plan_clip(FAMILY, a_take(fps=24, frames=240))
    shown = shown_frames(clip, 240, 24)
    assert is_stretched(clip, 240, 24)
    assert (clip.frames, shown[0], shown[-1]) == (81, 0, 80)
    assert set(shown) == set(range(81))


@given(st.integers(1, 81), st.integers(8, 30), st.integers(1, 400), st.integers(1, 60))
def test_shown_frames_exist_and_never_go_back(
    frames: int, fps: int, wanted: int, shown_fps: int
) -> None:
    shown = shown_frames(ClipPlan(64, 64, frames, fps), wanted, shown_fps)
    assert len(shown) == wanted
    assert all(0 <= index < frames for index in shown)
    assert list(shown) == sorted(shown)
