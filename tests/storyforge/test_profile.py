"""A card's profile: what it says of clips to come, and which files are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storyforge.domain.estimates import best_fused, estimate_seconds, peak_bytes, weights_bytes
from storyforge.domain.profile import (
    ClipFigures,
    ClipShape,
    ClipStages,
    DeviceProfile,
    FusedTiming,
    ModelFigures,
    StageFigures,
)
from storyforge.errors import SetupProblem
from storyforge.profile_files import find_profile, profile_path, read_profile, save_profile

GB = 10**9
SHAPE = ClipShape(model="wan", width=832, height=480, frames=81, steps=50)


def clip(shape: ClipShape = SHAPE, *fused: FusedTiming, share: float = 0.5) -> ClipFigures:
    text, denoise, decode, encode = (StageFigures(seconds=one) for one in (1.0, 40.0, 2.0, 3.0))
    return ClipFigures(
        shape=shape,
        fps=16,
        stages=ClipStages(text=text, denoise=denoise, decode=decode, encode=encode),
        peak_bytes=20 * GB,
        attention_share=share,
        fused=fused,
    )


def profile(*clips: ClipFigures, total_bytes: int | None = 80 * GB) -> DeviceProfile:
    model = ModelFigures(name="wan", weights_bytes=12 * GB, frame_step=4, clips=clips or (clip(),))
    return DeviceProfile(
        device="A card",
        uuid="GPU-1234",
        total_bytes=total_bytes,
        torch="2.13.0",
        diffusers="0.42.1",
        made_at=datetime(2026, 11, 25, tzinfo=UTC),
        models=(model,),
    )


def other(**changes: object) -> ClipShape:
    return SHAPE.model_copy(update=changes)


def test_a_measured_shape_takes_what_it_took() -> None:
    found = estimate_seconds(profile(), SHAPE)
    assert (found.seconds, found.encode_seconds, found.basis) == (43.0, 3.0, "measured")


def test_half_the_steps_are_half_the_denoising_and_all_of_the_rest() -> None:
    found = estimate_seconds(profile(), other(steps=25))
    assert found.seconds == pytest.approx(1.0 + 20.0 + 2.0)
    assert found.basis == "scaled"
    assert SHAPE.words in found.reason


def test_any_number_of_steps_is_scaled_and_the_nearest_number_is_taken() -> None:
    few = clip(other(steps=4))
    assert estimate_seconds(profile(), other(steps=1)).seconds == pytest.approx(1.0 + 0.8 + 2.0)
    assert "4 steps" in estimate_seconds(profile(clip(), few), other(steps=5)).reason
    assert estimate_seconds(profile(few, clip()), SHAPE).basis == "measured"


def test_attention_grows_with_the_square_of_the_tokens_and_the_rest_with_the_tokens() -> None:
    doubled = other(width=832 * 2)
    for share, work in ((0.0, 2.0), (0.5, 3.0), (1.0, 4.0)):
        found = estimate_seconds(profile(clip(share=share)), doubled)
        assert found.seconds == pytest.approx(1.0 + 40.0 * work + 2.0 * 2)
        assert found.encode_seconds == pytest.approx(6.0)


def test_frames_count_as_latent_frames_in_the_denoising() -> None:
    """81 frames are 21 latent ones; 41 are 11."""
    found = estimate_seconds(profile(clip(share=0.0)), other(frames=41))
    assert found.seconds == pytest.approx(1.0 + 40.0 * 11 / 21 + 2.0 * 41 / 81)


def test_the_nearest_of_several_shapes_is_scaled() -> None:
    small = clip(other(width=416, height=240))
    near = other(width=448, height=240)
    assert "416x240" in estimate_seconds(profile(clip(), small), near).reason


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (other(model="ltx"), "ltx was not measured"),
        (other(precision="fp32"), "not measured in fp32"),
        (other(width=4 * 832, height=2 * 480), "8 times away"),
        (other(width=96, height=64, frames=5), "measure this one"),
    ],
)
def test_what_is_too_far_away_is_unknown_and_says_why(shape: ClipShape, said: str) -> None:
    found = estimate_seconds(profile(), shape)
    assert (found.seconds, found.basis) == (None, "unknown")
    assert said in found.reason


def test_without_a_profile_nothing_is_known_and_nothing_is_fused() -> None:
    assert "storyforge bench" in estimate_seconds(None, SHAPE).reason
    assert peak_bytes(None, SHAPE) is None
    assert weights_bytes(None, "wan") is None
    assert best_fused(None, SHAPE) == 1


def test_memory_is_as_measured_whatever_the_steps() -> None:
    assert peak_bytes(profile(), SHAPE) == 20 * GB
    assert peak_bytes(profile(), other(steps=4)) == 20 * GB


def test_only_the_working_memory_scales() -> None:
    assert peak_bytes(profile(), other(width=2 * 832)) == pytest.approx((12 + 8 * 2) * GB * 1.1)
    assert peak_bytes(profile(), other(model="ltx")) is None


ALONE = FusedTiming(clips=1, seconds_per_clip=40.0, peak_bytes=20 * GB)


@pytest.mark.parametrize(
    ("two", "best"),
    [
        (FusedTiming(clips=2, seconds_per_clip=20.0, peak_bytes=28 * GB), 2),
        (FusedTiming(clips=2, seconds_per_clip=39.5, peak_bytes=28 * GB), 1),  # noise
        (FusedTiming(clips=2, seconds_per_clip=50.0), 1),
        (FusedTiming(clips=2, seconds_per_clip=20.0, peak_bytes=90 * GB), 1),  # does not fit
    ],
)
def test_fusing_must_pay_and_fit(two: FusedTiming, best: int) -> None:
    measured = profile(clip(SHAPE, ALONE, two))
    assert best_fused(measured, SHAPE) == best
    assert best_fused(measured, other(steps=10)) == best
    assert best_fused(measured, SHAPE, free_bytes=21 * GB) == (best if not two.peak_bytes else 1)


def test_a_shape_that_was_not_fused_is_not_fused() -> None:
    two = FusedTiming(clips=2, seconds_per_clip=20.0)
    assert best_fused(profile(clip(SHAPE, ALONE, two)), other(frames=41)) == 1
    assert best_fused(profile(clip(SHAPE, two)), SHAPE) == 1  # nothing to compare it with


def test_a_profile_is_kept_and_found_by_its_card(tmp_path: Path) -> None:
    path = save_profile(tmp_path / "profiles", profile())
    assert path.parent == tmp_path / "profiles"
    assert find_profile(tmp_path / "profiles", "GPU-1234") == profile()
    assert find_profile(tmp_path / "profiles", "GPU-5678") is None
    assert [one.name for one in path.parent.iterdir()] == ["profile-GPU-1234.json"]


def test_a_card_s_name_is_no_way_out_of_the_folder(tmp_path: Path) -> None:
    assert profile_path(tmp_path, "../../etc/A card").parent == tmp_path


def damaged(change: str) -> str:
    data = profile().to_json()
    if change == "version":
        data["version"] = 99
    elif change == "seconds":
        data["models"][0]["clips"][0]["stages"]["denoise"]["seconds"] = -1
    elif change == "no clips":
        data["models"][0]["clips"] = []
    else:
        return json.dumps(data)[: len(json.dumps(data)) // 2]
    return json.dumps(data)


@pytest.mark.parametrize("change", ["version", "seconds", "no clips", "cut off"])
def test_a_damaged_profile_is_refused_with_the_place(change: str, tmp_path: Path) -> None:
    path = profile_path(tmp_path, "GPU-1234")
    path.write_text(damaged(change))
    with pytest.raises(SetupProblem, match=r"profile-GPU-1234.json is damaged at .*storyforge"):
        find_profile(tmp_path, "GPU-1234")


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupProblem, match=r"no profile a\.json"):
        read_profile(tmp_path / "a.json")
