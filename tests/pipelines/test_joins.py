"""Joins: which kind, how much drift, and what is done about it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.video.model import Frames
from pipelines.encoding.pictures import Picture
from pipelines.gates.correction import apply, faded, matching_tables, shifting_tables
from pipelines.gates.joins import Scenery, decide, drift, join_kinds
from pipelines.gates.screening import ClipRefused, Screening
from storyforge.domain.film_record import Drift, Gate, JoinAction, JoinKind, PictureSource
from storyforge.domain.script import Light
from storyforge.settings import GateSettings
from tests.pipelines import gate_clips

FPS = 24
SETTINGS = GateSettings()
NONE, LAST, STYLE = PictureSource.NONE, PictureSource.LAST_FRAME, PictureSource.STYLE_FRAME
WOOD = Scenery("wood", Light.DAY)


def coloured(seed: int = 0) -> Frames:
    clip = gate_clips.moving_picture(seed).astype(np.float32)
    return np.clip(clip * (1.0, 0.9, 0.7), 0, 255).astype(np.uint8)


def tinted(frames: Frames, shift: tuple[float, float, float], gain: float = 1.0) -> Frames:
    return np.clip(frames.astype(np.float32) * gain + shift, 0, 255).astype(np.uint8)


def screened(
    clip: Frames, kind: JoinKind, last: Picture | None, style: Picture | None = None
) -> tuple[Frames, Screening]:
    screening = Screening(SETTINGS, FPS, last=last, style=style)
    return np.concatenate(
        list(screening.clip(np.split(clip, [at for at in (5, 13) if at < len(clip)]), kind))
    ), screening


@pytest.mark.parametrize(
    ("shots", "before", "starts", "kinds"),
    [
        ([WOOD, WOOD], None, [NONE, NONE], "opening same_scene"),
        ([WOOD, WOOD], WOOD, [NONE, NONE], "same_scene same_scene"),
        ([WOOD, WOOD], WOOD, [LAST, STYLE], "continued from_style"),
        ([Scenery("sea", Light.DAY), WOOD], WOOD, [LAST, NONE], "cut cut"),
        ([Scenery("wood", Light.NIGHT)], WOOD, [LAST], "cut"),
        # an untold place is where the story was; an untold light (older segments) any
        ([Scenery("", Light.DAY), WOOD], WOOD, [NONE, NONE], "same_scene same_scene"),
        ([Scenery("", Light.DAY), Scenery("sea", Light.DAY)], WOOD, [NONE] * 2, "same_scene cut"),
        ([WOOD], Scenery("wood", None), [NONE], "same_scene"),
    ],
)
def test_the_script_says_how_shots_join(
    shots: list[Scenery], before: Scenery | None, starts: list[PictureSource], kinds: str
) -> None:
    assert " ".join(join_kinds(shots, before, starts)) == kinds


def test_the_colours_of_a_drawing_are_left_alone() -> None:
    assert join_kinds([WOOD, WOOD], WOOD, [NONE, NONE], drifts=False) == (JoinKind.DRAWN,) * 2
    clip = tinted(coloured(), (10, 0, -8))
    shown, screening = screened(clip, JoinKind.DRAWN, coloured()[0])
    assert np.array_equal(shown, clip)
    assert screening.passed[0].join.action is JoinAction.MEASURED


def test_a_picture_does_not_drift_from_itself() -> None:
    picture = coloured()[0]
    assert drift(picture, picture) == Drift(colour=0, contrast=0, sharpness=0)


def test_drift_sees_colour_contrast_and_blur_apart() -> None:
    import cv2  # noqa: PLC0415 - only here

    picture = coloured()[0]
    warm = drift(tinted(picture, (12, 0, -12)), picture)
    flat = drift(tinted(picture, (64, 64, 64), gain=0.45), picture)
    soft = drift(np.asarray(cv2.GaussianBlur(picture, (0, 0), 2.5), np.uint8), picture)
    assert warm.colour > 5
    assert abs(warm.contrast) < 0.2
    assert flat.contrast < -0.8
    assert soft.sharpness < -2
    assert soft.colour < 1


@given(
    colour=st.floats(0, 60),
    contrast=st.floats(-4, 4),
    sharpness=st.floats(-8, 8),
    kind=st.sampled_from(list(JoinKind)),
)
def test_only_what_is_large_is_refused_and_a_cut_never(
    colour: float, contrast: float, sharpness: float, kind: JoinKind
) -> None:
    found = Drift(colour=colour, contrast=contrast, sharpness=sharpness)
    action = decide(kind, found, SETTINGS)
    large = colour > 20 or abs(contrast) > 1.5 or abs(sharpness) > 3.5
    if kind in {JoinKind.CUT, JoinKind.OPENING, JoinKind.DRAWN}:
        assert action is JoinAction.MEASURED
    else:
        assert (action is JoinAction.REFUSED) == large
    assert decide(kind, found, GateSettings(off="join")) is JoinAction.MEASURED


@settings(max_examples=25)  # each makes pictures
@given(
    shift=st.tuples(*[st.floats(-15, 15)] * 3), gain=st.floats(0.85, 1.1), seed=st.integers(0, 20)
)
def test_a_matching_correction_takes_a_drift_back(
    shift: tuple[float, float, float], gain: float, seed: int
) -> None:
    wanted = coloured(seed)[0]
    moved = tinted(wanted, shift, gain)
    before = drift(moved, wanted).colour
    after = drift(apply(moved, matching_tables(moved, wanted)), wanted).colour
    assert after <= max(0.8, before)
    assert before < 4 or after < before / 4


@settings(max_examples=25)  # each makes pictures
@given(seed=st.integers(0, 50), other=st.integers(0, 50))
def test_a_shifting_correction_gives_a_view_the_mean_colour_of_another(
    seed: int, other: int
) -> None:
    wanted, view = coloured(seed)[0], tinted(coloured(other)[20], (6, -4, 3))
    mended = apply(view, shifting_tables(view, wanted))
    for at in range(3):
        assert mended[..., at].mean() == pytest.approx(wanted[..., at].mean(), abs=2)
        gain = mended[..., at].std() / view[..., at].std()
        assert 0.88 <= gain <= 1.12, "whatever is in the picture, its contrast hardly changes"


def test_a_correction_fades_out() -> None:
    tables = shifting_tables(coloured()[0], tinted(coloured()[0], (10, 10, 10)))
    steps = [float(np.abs(one - np.arange(256)[:, None]).mean()) for one in faded(tables, 12)]
    assert steps[0] == pytest.approx(10, abs=0.5)
    assert all(late < early for early, late in pairwise(steps))
    assert steps[-1] < 0.5


@pytest.mark.parametrize("kind", [JoinKind.CONTINUED, JoinKind.SAME_SCENE])
def test_a_small_drift_is_corrected_over_half_a_second_and_no_longer(kind: JoinKind) -> None:
    last = coloured()[0]
    clip = tinted(coloured(), (10, 0, -8))
    shown, screening = screened(clip, kind, last)
    [passed] = screening.passed
    assert passed.join.action is JoinAction.CORRECTED
    assert passed.join.corrected_frames == FPS // 2
    assert passed.join.to_last is not None
    assert passed.join.left is not None
    assert passed.join.to_last.colour > 5
    assert drift(shown[0], last) == passed.join.left
    assert passed.join.left.colour < 1.5
    assert np.array_equal(shown[FPS // 2 :], clip[FPS // 2 :])
    assert np.array_equal(clip, tinted(coloured(), (10, 0, -8))), "the model's own frames stay"
    assert np.array_equal(screening.last, shown[-1])


def test_a_clip_that_ends_within_its_correction_is_followed_as_it_was_shown() -> None:
    last = coloured()[0]
    shown, screening = screened(tinted(coloured()[:6], (10, 0, -8)), JoinKind.CONTINUED, last)
    assert np.array_equal(screening.last, shown[-1])
    assert not np.array_equal(shown[-1], tinted(coloured()[:6], (10, 0, -8))[-1])


def test_a_change_of_scene_is_measured_and_not_painted_over() -> None:
    clip = tinted(coloured(), (10, 0, -8))
    shown, screening = screened(clip, JoinKind.CUT, coloured()[0])
    assert np.array_equal(shown, clip)
    assert screening.passed[0].join.action is JoinAction.MEASURED
    assert screening.passed[0].join.to_last is not None


def test_a_large_drift_is_refused_with_its_numbers_and_shows_nothing() -> None:
    clip = gate_clips.moving_picture(light=0.3)
    screening = Screening(SETTINGS, FPS, last=gate_clips.moving_picture()[0])
    with pytest.raises(ClipRefused) as caught:
        list(screening.clip([clip], JoinKind.CONTINUED))
    [found] = caught.value.refusals
    assert found.gate is Gate.JOIN
    assert "colour" in found.detail
    assert caught.value.figures is not None
    assert screening.passed == []


def test_a_fade_through_black_is_no_drift() -> None:
    faded_out = gate_clips.fade_to_black()
    shown, screening = screened(faded_out, JoinKind.SAME_SCENE, gate_clips.moving_picture()[0])
    assert np.array_equal(shown[-1], faded_out[-1])
    list(screening.clip([gate_clips.moving_picture()], JoinKind.SAME_SCENE))
    assert screening.passed[1].join.action is JoinAction.MEASURED


def test_a_shot_that_starts_from_the_style_frame_is_held_against_that() -> None:
    style, last = coloured()[0], tinted(coloured(), (90, 60, -40))[0]
    shown, screening = screened(tinted(coloured(), (9, 0, -8)), JoinKind.FROM_STYLE, last, style)
    join = screening.passed[0].join
    assert join.action is JoinAction.CORRECTED
    assert join.to_last is not None
    assert join.to_last.colour > SETTINGS.colour_max, "the cut from the last frame is no fault"
    assert drift(shown[0], style).colour < 1.5


def test_a_faulty_clip_leaves_the_last_frame_as_it_was() -> None:
    last = coloured()[0]
    screening = Screening(SETTINGS, FPS, last=last)
    with pytest.raises(ClipRefused):
        list(screening.clip([gate_clips.frozen()], JoinKind.CUT))
    assert screening.last is last
