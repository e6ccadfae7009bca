"""Two profiles side by side: what got better, what got worse, what cannot be compared."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from storyforge.cli.bench.compare import compared, only_in_one, show_comparison
from storyforge.domain.profile import (
    BackToBack,
    ClipFigures,
    ClipShape,
    ClipStages,
    DeviceProfile,
    ModelFigures,
    NaiveFigures,
    StageFigures,
)


def profile(
    denoise_s: float,
    *,
    busy: float = 0.9,
    ratio: float = 2.0,
    frames: int = 81,
    torch: str = "2.13",
) -> DeviceProfile:
    text, decode, encode = (StageFigures(seconds=one) for one in (1.0, 2.0, 3.0))
    denoise = StageFigures(seconds=denoise_s, tflop_per_s=400 / denoise_s)
    clip = ClipFigures(
        shape=ClipShape(model="wan", width=832, height=480, frames=frames, steps=50),
        fps=16,
        stages=ClipStages(text=text, denoise=denoise, decode=decode, encode=encode),
        back_to_back=BackToBack(
            jobs=2, seconds=100, gap_s=0.1, busy_share=busy, video_seconds_per_hour=300
        ),
        naive=NaiveFigures(how="pipe", seconds=100, ratio=ratio),
    )
    return DeviceProfile(
        device="A card",
        torch=torch,
        diffusers="0.42.1",
        made_at=datetime(2026, 11, 25, tzinfo=UTC),
        models=(ModelFigures(name="wan", clips=(clip,)),),
    )


def test_less_time_is_better_and_so_are_more_flops_and_a_busier_device() -> None:
    changes = {
        one.figure: one
        for one in compared(profile(50, busy=0.8), profile(40, busy=0.96, ratio=1.5))
    }
    assert changes["denoise, s"].gain == pytest.approx(1.25)
    assert changes["denoise, TFLOP/s"].gain == pytest.approx(1.25)
    assert changes["busy share"].gain == pytest.approx(1.2)
    assert changes["against plain diffusers, x"].gain == pytest.approx(0.75)
    verdicts = {name: one.verdict for name, one in changes.items()}
    assert verdicts["denoise, s"] == verdicts["busy share"] == "better"
    assert verdicts["against plain diffusers, x"] == "worse"
    assert verdicts["decode, s"] == "same"
    assert "energy a clip, kJ" not in changes  # neither knows it


def test_noise_is_no_change() -> None:
    changes = {one.figure: one for one in compared(profile(50), profile(51))}
    assert changes["denoise, s"].verdict == "same"


def test_clips_of_one_profile_alone_are_named() -> None:
    first, second = profile(50), profile(50, frames=41)
    assert compared(first, second) == []
    assert only_in_one(first, second) == [
        "wan, 832x480, 81 frames, 50 steps, bf16: only in the first profile",
        "wan, 832x480, 41 frames, 50 steps, bf16: only in the second profile",
    ]


def test_the_table_names_both_set_ups_and_every_gain() -> None:
    printed = StringIO()
    show_comparison(profile(50), profile(40, torch="2.14"), Console(file=printed, width=120))
    text = printed.getvalue()
    for said in ("torch 2.13", "torch 2.14", "832x480", "1.25x", "better"):
        assert said in text
