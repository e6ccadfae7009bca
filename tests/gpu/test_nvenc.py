"""NVENC on a real device: a film of frames that never leave it, that every player accepts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.devices.nvenc import probe_nvenc
from inference.video.device_frames import DeviceFrames
from pipelines.encoding.encoders import NVENC, EncoderChoice, choose_encoder
from pipelines.encoding.hls import encode_hls
from storyforge.domain.segment import HlsProfile, Rung
from tests.pipelines.hls_checks import clip, decoded, ffmpeg_complaints

pytestmark = pytest.mark.gpu
PROFILE = HlsProfile(
    fps=12,
    rungs=(Rung(name="480p", width=854, height=480), Rung(name="240p", width=426, height=240)),
    gop_seconds=2,
    target_duration=2,
)
FRAMES = 60


@pytest.fixture(scope="module")
def nvenc() -> EncoderChoice:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU")
    choice = choose_encoder("auto", lambda: probe_nvenc(0))
    if choice.codec != NVENC:
        pytest.skip(choice.reason)
    return choice


@pytest.mark.parametrize("place", ["device", "host", "both"])
def test_a_film_from_the_device_has_exact_parts_and_the_right_colours(
    place: str, nvenc: EncoderChoice, tmp_path: Path
) -> None:
    import torch  # noqa: PLC0415  only where there is one

    pictures = list(clip(FRAMES, 854, 480))
    chunks = [
        DeviceFrames.of(chunk, torch.from_numpy(chunk).cuda())
        if place == "device" or (place == "both" and number % 2)
        else chunk
        for number, chunk in enumerate(pictures)
    ]
    segment = encode_hls(
        chunks, PROFILE, tmp_path, preset="veryfast", encoder=nvenc, on_frames=lambda _: None
    )
    for media in segment.rungs:
        assert [part.seconds for part in media.parts] == [2.0, 2.0, 1.0]
        for part in media.parts:
            assert ffmpeg_complaints(tmp_path / part.uri) == ""
    first = decoded(tmp_path / "480p_0001.ts")[0].to_ndarray(format="rgb24").astype(int)
    assert np.abs(first - pictures[0][0]).mean() < 6
