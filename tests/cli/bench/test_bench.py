"""`storyforge bench` on the CPU: the same path as on a card, with tiny models."""

from __future__ import annotations

from pathlib import Path

import pytest

from storyforge.cli.bench.command import BenchWish, run
from storyforge.domain.estimates import estimate_seconds
from storyforge.domain.profile import ClipFigures, DeviceProfile
from storyforge.errors import InvalidInput
from storyforge.profile_files import find_profile, merged, read_profile
from storyforge.settings import Settings
from tests.cli.bench.conftest import Benched


@pytest.fixture(scope="module")
def profile(benched: Benched) -> DeviceProfile:
    return read_profile(benched.out / "profile.json")


def clips(profile: DeviceProfile) -> list[ClipFigures]:
    return [clip for model in profile.models for clip in model.clips]


def test_every_stage_of_every_clip_was_measured(profile: DeviceProfile) -> None:
    assert [one.name for one in profile.models] == ["tiny-wan", "tiny-ltx"]
    for clip in clips(profile):
        stages = clip.stages
        for stage in (stages.text, stages.denoise, stages.decode):
            assert stage.seconds > 0
            assert stage.flops
            assert stage.tflop_per_s == pytest.approx(stage.flops / stage.seconds / 1e12)
            assert stage.share_of_peak is not None
            assert 0 < stage.share_of_peak < 1
        assert stages.encode.seconds > 0
        assert clip.first_frames_s is not None
        assert 0 < clip.first_frames_s <= stages.decode.seconds
        assert 0 < (clip.attention_share or 0) < 1


def test_jobs_fused_passes_other_precisions_and_plain_diffusers_were_measured(
    profile: DeviceProfile,
) -> None:
    for clip in clips(profile):
        run = clip.back_to_back
        assert run is not None
        assert (run.jobs, clip.naive is None) == (2, False)
        assert 0 < run.busy_share <= 1
        seconds = 2 * clip.clip_seconds / run.seconds * 3600
        assert run.video_seconds_per_hour == pytest.approx(seconds)
        assert clip.naive is not None
        assert clip.naive.ratio == pytest.approx(clip.naive.seconds / (run.seconds / 2))
        assert [one.clips for one in clip.fused] == [1, 2]
        assert [one.precision for one in clip.vae_alternatives] == ["bf16"]


def test_what_random_weights_mean_is_said(benched: Benched, profile: DeviceProfile) -> None:
    assert all(one.random_weights for one in profile.models)
    assert any("Random weights: tiny-wan, tiny-ltx" in note for note in profile.notes)
    assert "random weights" in benched.printed


def test_the_table_shows_each_clip_with_its_stages(benched: Benched) -> None:
    for said in ("tiny-wan, 128x96, 17 frames", "tiny-ltx", "denoise", "plain diffusers", "busy"):
        assert said in benched.printed


def test_the_node_finds_the_profile_and_estimates_with_it(
    benched: Benched, profile: DeviceProfile
) -> None:
    kept = find_profile(benched.data_dir / "profiles", "cpu")
    assert kept == profile
    shape = clips(profile)[0].shape
    found = estimate_seconds(kept, shape.model_copy(update={"steps": 20}))
    assert found.seconds is not None
    assert found.seconds > (estimate_seconds(kept, shape).seconds or 0)


def test_another_model_s_figures_are_added_and_the_same_model_s_replaced(
    profile: DeviceProfile,
) -> None:
    wan, ltx = profile.models
    older = profile.model_copy(update={"models": (wan,)})
    newer = profile.model_copy(update={"models": (ltx,)})
    assert merged(older, newer).models == (ltx, wan)
    assert merged(profile, newer).models == (ltx, wan)
    assert merged(None, newer) == newer
    other_torch = older.model_copy(update={"torch": "3.0"})
    assert merged(other_torch, newer).models == (ltx,)


def test_a_wrong_size_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    from rich.console import Console  # noqa: PLC0415 - as the command does

    wish = BenchWish(models=("tiny-wan",), sizes=("130x96x17",), device="cpu", out=tmp_path / "out")
    settings = Settings(node={"data_dir": tmp_path})  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="128x96x17 would do"):
        run(settings, wish, Console(quiet=True))
    assert not (tmp_path / "out").exists()
