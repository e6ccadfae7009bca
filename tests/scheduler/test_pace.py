"""What a profile says to a film worker: fusing, memory, and what its row tells."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from inference.video.diffusion.memory_keeper import MemoryKeeper, usable_savings
from inference.video.diffusion.model import DiffusionVideoModel
from inference.video.diffusion.options import ModelOptions
from inference.video.memory_ladder import FULL, MemoryPlan, Saving
from inference.video.memory_needs import KnownPeak, WeightBytes
from inference.video.storyboard.model import StoryboardModel
from models_cache.catalogue.read import read_catalogue
from models_cache.catalogue.records import VideoEntry
from scheduler.pace import KnownPeaks, Pace, profile_of
from storyforge.domain.film_shape import film_shape
from storyforge.domain.profile import (
    ClipFigures,
    ClipShape,
    ClipStages,
    DeviceProfile,
    FusedTiming,
    ModelFigures,
    StageFigures,
)
from storyforge.profile_files import profile_path, save_profile
from storyforge.settings import VideoSettings
from tests.tiny_models.fixtures import TinyModel

GB = 10**9


@pytest.fixture
def model(tiny_model: TinyModel) -> DiffusionVideoModel:
    return DiffusionVideoModel(tiny_model("wan.wan22_ti2v"), ModelOptions(steps=2))


def figures(name: str, frames: int, *fused: tuple[int, float]) -> ModelFigures:
    text, denoise, decode, encode = (StageFigures(seconds=one) for one in (0.1, 4.0, 1.0, 1.0))
    clip = ClipFigures(
        shape=ClipShape(model=name, width=64, height=64, frames=frames, steps=2, precision="fp32"),
        fps=24,
        stages=ClipStages(text=text, denoise=denoise, decode=decode, encode=encode),
        peak_bytes=9 * GB,
        fused=tuple(FusedTiming(clips=clips, seconds_per_clip=each) for clips, each in fused),
    )
    return ModelFigures(name=name, weights_bytes=4 * GB, clips=(clip,))


def profile(*models: ModelFigures) -> DeviceProfile:
    return DeviceProfile(
        device="cpu",
        torch="2",
        diffusers="0",
        made_at=datetime(2026, 11, 25, tzinfo=UTC),
        models=models,
    )


def key(*frames: int) -> str:
    return film_shape("m", 64, 64, 24, frames).key


def test_shots_are_fused_as_far_as_this_card_was_seen_to_gain_by_it(
    model: DiffusionVideoModel,
) -> None:
    pays = Pace("tiny", model, profile(figures("tiny", 9, (1, 4.0), (2, 3.0), (4, 3.5))))
    assert pays.fused(key(9, 9)) == 2
    assert pays.fused(key(9, 41)) == 1, "the longer shot was never measured"
    assert pays.fused("of another release") == 1
    assert Pace("tiny", model, profile(figures("tiny", 9, (1, 4.0), (2, 4.0)))).fused(key(9)) == 1
    assert Pace("tiny", model).fused(key(9)) == 1
    assert Pace("", StoryboardModel()).fused(key(9)) == 1


def test_the_row_tells_what_films_and_only_its_own_figures(model: DiffusionVideoModel) -> None:
    pace = Pace("tiny", model, profile(figures("tiny", 9), figures("other", 9)))
    info = pace.info(VideoSettings(width=128, height=64, fps=24))
    assert info["film"] == {
        "model": "tiny",
        "width": 128,
        "height": 64,
        "fps": 24,
        "steps": 2,
        "precision": "fp32",
    }
    told = DeviceProfile.model_validate(info["profile"])
    assert [one.name for one in told.models] == ["tiny"]
    assert Pace("", StoryboardModel()).info(VideoSettings()) == {}


def test_the_profile_is_asked_first_the_catalogue_second_and_else_nobody_knows() -> None:
    entry = read_catalogue().find("wan2.1-t2v-1.3b")
    assert isinstance(entry, VideoEntry)
    name, measured = entry.name, figures(entry.name, 81)
    in_bf16 = measured.clips[0].shape.model_copy(update={"precision": "bf16"})
    clips = (measured.clips[0].model_copy(update={"shape": in_bf16}),)
    known = profile(measured.model_copy(update={"clips": clips}))
    assert KnownPeaks(name, known, entry)(64, 64, 81) == KnownPeak(9 * GB)
    catalogued = KnownPeaks(name, None, entry)(832, 480, 81)
    assert catalogued == KnownPeak(8_190_000_000, MemoryPlan((Saving.TEXT_ON_CPU,)), 1.0)
    half = KnownPeaks(name, None, entry)(416, 480, 81)
    assert half is not None
    assert half.scale == 0.5
    assert KnownPeaks("mine", None, None)(832, 480, 81) is None


@pytest.mark.parametrize(
    ("known", "room_gb", "savings"),
    [
        (KnownPeak(20 * GB), 21, ()),
        (KnownPeak(20 * GB), 19, ("text_on_cpu",)),
        (KnownPeak(14 * GB, MemoryPlan((Saving.TEXT_ON_CPU,))), 19, ("text_on_cpu",)),
        (KnownPeak(20 * GB), 9, ("text_on_cpu", "offload_models")),
        (None, 16, ()),
        (None, 14, ("text_on_cpu",)),
    ],
)
def test_a_job_is_admitted_on_the_largest_plan_that_fits(
    known: KnownPeak | None, room_gb: int, savings: tuple[str, ...]
) -> None:
    """Weights of 15 GB, and 5 GB of work where somebody measured it."""
    weights = WeightBytes((4 * GB,), GB // 10, text=10 * GB, vae=GB)
    usable = usable_savings(streams_anyway=True, tiles=True, may_shrink=True)
    keeper = MemoryKeeper(lambda: weights, FULL, usable)
    keeper.admit(known, room_gb * GB)
    assert keeper.plan.savings == savings


def test_a_damaged_profile_stops_no_worker(tmp_path: Path) -> None:
    assert profile_of(tmp_path, "GPU-1") is None
    save_profile(tmp_path, profile(figures("tiny", 9)))
    assert profile_of(tmp_path, "cpu") is not None
    profile_path(tmp_path, "cpu").write_text("{")
    assert profile_of(tmp_path, "cpu") is None
