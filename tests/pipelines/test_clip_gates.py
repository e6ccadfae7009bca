"""The gates on single clips: which pass, which do not, and why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inference.video.model import Frames
from pipelines.gates.clip import ClipGate, correlation, refusals
from storyforge.domain.film_record import ClipFigures, Gate
from storyforge.errors import QualityRefused
from storyforge.settings import GATE_NAMES, GateSettings
from tests.pipelines import gate_clips

FPS = 24


def figures_of(frames: Frames, cuts: tuple[int, ...] = ()) -> ClipFigures:
    gate = ClipGate(GateSettings(), FPS)
    for chunk in np.split(frames, cuts):
        gate.look(chunk)
    return gate.figures()


def refused(frames: Frames, settings: GateSettings | None = None) -> set[Gate]:
    found = refusals(figures_of(frames), settings or GateSettings())
    return {refusal.gate for refusal in found}


@pytest.mark.parametrize(
    "clip",
    [
        gate_clips.moving_picture,
        lambda: gate_clips.moving_picture(light=0.1),
        lambda: gate_clips.moving_picture(speed=5),
        gate_clips.night_with_stars,
        gate_clips.fade_to_black,
        lambda: gate_clips.fade_to_black()[::-1],
        gate_clips.still_scene_with_a_candle,
        gate_clips.shaken_leaves,
        # shown slower than it was filmed: every picture four times
        lambda: gate_clips.moving_picture()[:6].repeat(4, axis=0),
    ],
)
def test_a_sound_clip_passes(clip: Callable[[], Frames]) -> None:
    assert refused(clip()) == set()


@pytest.mark.parametrize(
    ("clip", "gate"),
    [
        (gate_clips.black, Gate.BLACK),
        (lambda: gate_clips.black(noise=1.5), Gate.BLACK),
        (lambda: gate_clips.black(noise=1.0, level=16), Gate.BLACK),
        (gate_clips.frozen, Gate.FROZEN),
        (gate_clips.white_noise, Gate.NOISE),
        (gate_clips.undenoised, Gate.NOISE),
        (lambda: gate_clips.undenoised(patch=16), Gate.NOISE),
        (lambda: gate_clips.undenoised(patch=32, held=8), Gate.NOISE),
    ],
)
def test_a_faulty_clip_is_refused_with_its_figure(clip: Callable[[], Frames], gate: Gate) -> None:
    found = {one.gate: one.detail for one in refusals(figures_of(clip()), GateSettings())}
    assert gate in found
    assert "would pass" in found[gate]
    assert any(letter.isdigit() for letter in found[gate])


def test_frames_that_are_no_numbers_are_refused_at_once() -> None:
    frames = np.zeros((2, 8, 8, 3), np.float32)
    frames[1, 3, 3, 1] = np.nan
    with pytest.raises(QualityRefused, match="no numbers"):
        ClipGate(GateSettings(), FPS).look(frames)  # type: ignore[arg-type]  # a faulty model's


def test_a_gate_that_is_off_refuses_nothing() -> None:
    assert refused(gate_clips.white_noise(), GateSettings(off="noise")) == set()
    assert refused(gate_clips.black(), GateSettings(off=" frozen, black")) == set()
    assert GateSettings(off="noise,black").names_off == ("black", "noise")


def test_an_unknown_gate_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match=f"nosie.*{', '.join(GATE_NAMES)}"):
        GateSettings(off="nosie")


@settings(max_examples=25)  # each makes pictures
@given(cuts=st.lists(st.integers(0, gate_clips.FRAMES), max_size=6))
def test_figures_do_not_depend_on_how_the_frames_come(cuts: list[int]) -> None:
    frames = gate_clips.moving_picture()
    assert figures_of(frames, tuple(sorted(cuts))) == figures_of(frames)


@settings(max_examples=25)  # each makes pictures
@given(count=st.integers(1, gate_clips.FRAMES), level=st.integers(0, 255))
def test_figures_are_numbers_in_their_range_for_any_flat_or_short_clip(
    count: int, level: int
) -> None:
    for frames in (gate_clips.white_noise()[:count], np.full((count, 9, 5, 3), level, np.uint8)):
        found = figures_of(frames)
        assert found.frames == count
        assert 0 <= found.structure <= 1
        assert 0 <= found.black_share <= 1
        assert -1.001 <= found.steadiness <= 1.001
        assert 0 <= found.motion <= 255


@settings(max_examples=25)  # each makes pictures
@given(gain=st.floats(0.2, 1.0), shift=st.integers(0, 50))
def test_correlation_does_not_see_light_or_contrast(gain: float, shift: int) -> None:
    picture = gate_clips.moving_picture()[0, ..., 0]
    other = (picture * gain * 0.7 + shift).astype(np.uint8)
    assert correlation(picture, other) == pytest.approx(1.0, abs=0.02)
