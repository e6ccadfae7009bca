"""Which encoder is used and why, what it is told, and libx264 when the device's own fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.devices.nvenc import NvencResult
from inference.video.device_frames import DeviceFrames, pixels_of
from inference.video.model import Frames, ShotRequest
from pipelines.encoding.encoders import (
    LIBX264,
    NVENC,
    X264,
    EncoderChoice,
    HardwareFailed,
    choose_encoder,
    nvenc_options,
    x264_options,
)
from pipelines.encoding.hls import encode_hls
from storyforge.database.engine import Database
from storyforge.domain.job import JobState
from storyforge.domain.segment import EncodedSegment
from storyforge.errors import SetupProblem
from tests.builders import accept, new_scene
from tests.chaos.evidence import gather
from tests.pipelines.hls_checks import PROFILE, clip, decoded
from tests.scheduler.rig import FakeCamera, Rig

FRAMES = 60
# libx264 in the place of a device's encoder: everything but the chip.
ON_DEVICE = EncoderChoice(LIBX264, "a test", on_device=True)
WORKS = NvencResult(ok=True, reason="8 frames encoded")
FAILS = NvencResult(ok=False, reason="No capable devices found.")


def encode(
    chunks: Iterator[Frames], into: Path, encoder: EncoderChoice = ON_DEVICE
) -> EncodedSegment:
    return encode_hls(
        chunks, PROFILE, into, preset="ultrafast", encoder=encoder, on_frames=lambda _: None
    )


def on_device(chunks: Iterator[Frames]) -> Iterator[Frames]:
    torch = pytest.importorskip("torch")
    for chunk in chunks:
        yield DeviceFrames.of(chunk, torch.from_numpy(chunk.copy()))


def test_nvenc_is_used_where_it_really_encoded() -> None:
    assert choose_encoder("auto", lambda: WORKS).codec == NVENC
    assert choose_encoder("nvenc", lambda: WORKS).codec == NVENC
    for probe in (lambda: FAILS, None):
        choice = choose_encoder("auto", probe)
        assert (choice.codec, choice.on_device) == (LIBX264, False)
    assert "No capable devices found" in choose_encoder("auto", lambda: FAILS).reason


def test_libx264_is_used_unprobed_where_it_was_asked_for() -> None:
    assert choose_encoder("x264", lambda: pytest.fail("probed")).codec == LIBX264


@pytest.mark.parametrize("probe", [None, lambda: FAILS])
def test_a_wish_that_cannot_be_met_says_why_and_what_next(probe: Any) -> None:
    with pytest.raises(SetupProblem, match=r"STORYFORGE_VIDEO_ENCODER is nvenc.*auto"):
        choose_encoder("nvenc", probe)


def test_both_encoders_keep_the_parts_and_the_rate_of_the_scene() -> None:
    rung = PROFILE.rungs[0]
    nvenc, x264 = nvenc_options(rung, PROFILE), x264_options(rung, PROFILE, "veryfast", 2)
    for option in ("g", "maxrate", "bufsize", "profile", "flags"):
        assert nvenc[option] == x264[option]
    assert nvenc["g"] == "24"
    assert (nvenc["forced-idr"], nvenc["no-scenecut"], x264["sc_threshold"]) == ("1", "1", "0")
    assert int(nvenc["bf"]) <= 2


def test_pictures_on_the_device_become_the_same_film(tmp_path: Path) -> None:
    segment = encode(on_device(clip(FRAMES)), tmp_path / "device")
    encode(clip(FRAMES), tmp_path / "host", X264)
    assert (segment.frames, segment.encoder_reason) == (FRAMES, "a test")
    for media in segment.rungs:
        assert [part.seconds for part in media.parts] == [2.0, 2.0, 1.0]
        for part in media.parts:
            made, wanted = (
                decoded(tmp_path / "device" / part.uri),
                decoded(tmp_path / "host" / part.uri),
            )
            for one, other in zip(made, wanted, strict=True):
                seen = one.to_ndarray(format="rgb24").astype(int)
                assert np.abs(seen - other.to_ndarray(format="rgb24")).mean() < 3.0


def test_a_film_may_lie_here_and_there(tmp_path: Path) -> None:
    def chunks() -> Iterator[Frames]:
        for number, chunk in enumerate(on_device(clip(FRAMES))):
            yield np.array(chunk) if number % 3 == 0 else chunk

    assert encode(chunks(), tmp_path).frames == FRAMES


def test_what_is_made_of_a_chunk_is_on_the_host_alone() -> None:
    chunk = next(on_device(clip(5)))
    assert pixels_of(chunk) is not None
    for made in (chunk[1:], chunk + 0, np.concatenate([chunk, chunk])):
        assert pixels_of(made) is None


class Spoilt:
    """Pixels that the device has lost."""

    def __getitem__(self, _number: int) -> Spoilt:
        return self

    def permute(self, *_order: int) -> None:
        raise RuntimeError("CUDA error: unknown error")


def test_a_device_that_fails_in_the_middle_is_told_from_the_disk(tmp_path: Path) -> None:
    def chunks() -> Iterator[Frames]:
        yield from on_device(clip(40))
        yield DeviceFrames.of(next(clip(5)), Spoilt())  # type: ignore[arg-type]

    with pytest.raises(HardwareFailed, match="RuntimeError"):
        encode(chunks(), tmp_path)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_whose_device_cannot_encode_is_encoded_by_libx264(
    database: Database, tmp_path: Path
) -> None:
    nvenc = choose_encoder("auto", lambda: WORKS)  # which is not true here: there is no chip
    rig = Rig(database, tmp_path, encoder=nvenc)
    job_id = accept(database, new_scene(database).id).job.id
    rig.drain()
    assert rig.job(job_id).state is JobState.DONE
    evidence = gather(database)
    media = EncodedSegment.model_validate(evidence.made_by(job_id)[0].media)
    assert media.encoder == LIBX264
    assert "h264_nvenc failed while encoding this film" in media.encoder_reason
    assert rig.camera.rendered == [0, 1], "nothing was rendered again"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_goes_on_when_the_device_fails_between_two_frames(
    database: Database, tmp_path: Path
) -> None:
    failures = iter([True])

    def shown(request: ShotRequest, frames: Frames) -> Frames:
        if request.index == 1 and next(failures, False):
            return DeviceFrames.of(frames, Spoilt())  # type: ignore[arg-type]
        return frames

    rig = Rig(database, tmp_path, camera=FakeCamera(shown=shown), encoder=ON_DEVICE)
    job_id = accept(database, new_scene(database).id).job.id
    rig.drain()
    media = EncodedSegment.model_validate(gather(database).made_by(job_id)[0].media)
    assert (media.encoder, media.frames) == (LIBX264, 8)
    assert "handed over" in media.encoder_reason
