"""The naive film is a real film, so that what we compare with is no straw man."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from inference.bench.ffmpeg_ladder import Ladder, LadderRung
from storyforge.errors import EncodeFailed
from tests.tiny_models.fixtures import TinyModel

LADDER = Ladder(
    rungs=(LadderRung(64, 64, 200_000), LadderRung(32, 32, 200_000)),
    gop_seconds=2,
    gop_frames=32,
    crf=21,
    preset="veryfast",
)


@pytest.fixture
def naive(engines: None) -> Any:
    from inference.bench import naive_film  # noqa: PLC0415 - only where torch is installed

    return naive_film


@pytest.fixture(scope="module")
def pipeline(tiny_model: TinyModel) -> Any:
    import diffusers  # noqa: PLC0415 - only where it is installed

    loaded = diffusers.DiffusionPipeline.from_pretrained(str(tiny_model("wan.wan22_ti2v")))
    loaded.set_progress_bar_config(disable=True)
    return loaded


@pytest.fixture
def wish(naive: Any) -> Any:
    return naive.NaiveRequest(
        "a hill", "", 64, 64, frames=9, fps=16, steps=1, guidance=5.0, tokens=16
    )


def pictures(playlist: Path) -> Iterator[np.ndarray[Any, Any]]:
    with av.open(str(playlist)) as film:
        for frame in film.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


@pytest.mark.parametrize("with_ffmpeg", [True, False])
def test_every_rung_holds_the_whole_clip(
    with_ffmpeg: bool,
    naive: Any,
    wish: Any,
    pipeline: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not with_ffmpeg:
        monkeypatch.setattr(naive.shutil, "which", lambda _: None)
    red = np.broadcast_to(np.float32([1.0, 0.0, 0.0]), (9, 64, 64, 3))
    times = naive.naive_film(pipeline, wish, LADDER, tmp_path, drawn=red)
    assert times.seconds == times.pipe_s + times.export_s + times.hls_s
    assert min(times.pipe_s, times.export_s, times.hls_s) > 0
    for number, rung in enumerate(LADDER.rungs):
        shown = list(pictures(tmp_path / f"r{number}.m3u8"))
        assert len(shown) == 9
        assert shown[0].shape == (rung.height, rung.width, 3)
        assert shown[4].mean(axis=(0, 1)) == pytest.approx([255, 0, 0], abs=20)


def test_what_the_pipeline_gave_is_filmed_when_nothing_was_drawn(
    naive: Any, wish: Any, pipeline: Any, tmp_path: Path
) -> None:
    naive.naive_film(pipeline, wish, LADDER, tmp_path)
    assert next(pictures(tmp_path / "r0.m3u8")).std() > 0


def test_a_refusal_of_ffmpeg_is_told_in_its_words(
    naive: Any, wish: Any, pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        naive.subprocess,
        "run",
        lambda command, **_: subprocess.CompletedProcess(command, 1, "", "no such encoder"),
    )
    with pytest.raises(EncodeFailed, match="no such encoder"):
        naive.naive_film(pipeline, wish, LADDER, tmp_path)
