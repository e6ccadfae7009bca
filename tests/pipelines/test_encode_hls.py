"""Frames become a segment that every player accepts, or nothing is left behind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import av
import numpy as np
import pytest

from inference.video.model import Frames
from pipelines.encoding.hls import encode_hls
from pipelines.encoding.line import CHANNEL_FRAMES
from storyforge.domain.segment import EncodedSegment
from storyforge.playlists import scene_master, scene_rates, scene_rung_playlist
from tests.pipelines.hls_checks import (
    PROFILE,
    clip,
    decoded,
    ffmpeg_complaints,
    packets,
    peak_bps,
    strict_faults,
)

FRAMES = 60  # two whole parts and a tail of one second


def encode(chunks: Iterator[Frames], into: Path, **changes: object) -> EncodedSegment:
    wanted = {"profile": PROFILE, "preset": "ultrafast", "on_frames": lambda _: None, **changes}
    return encode_hls(chunks, into=into, **wanted)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoded")


@pytest.fixture(scope="module")
def segment(folder: Path) -> EncodedSegment:
    return encode(clip(FRAMES), folder, preset="veryfast")


def test_parts_last_two_seconds_and_the_tail_the_rest(segment: EncodedSegment) -> None:
    assert (segment.frames, segment.seconds) == (60, 5.0)
    for media in segment.rungs:
        name = media.rung.name
        assert [part.uri for part in media.parts] == [f"{name}_{n:04d}.ts" for n in (1, 2, 3)]
        assert [part.seconds for part in media.parts] == [2.0, 2.0, 1.0]


def test_every_part_holds_the_frames_it_claims_and_starts_with_a_key_frame(
    segment: EncodedSegment, folder: Path
) -> None:
    for media in segment.rungs:
        for part in media.parts:
            inside = packets(folder / part.uri)
            assert len(inside) == part.seconds * PROFILE.fps
            assert [packet.is_keyframe for packet in inside] == [True] + [False] * (len(inside) - 1)
            assert (folder / part.uri).stat().st_size == part.bytes


def test_rungs_are_aligned_frame_by_frame(segment: EncodedSegment, folder: Path) -> None:
    times = [
        [frame.pts for frame in decoded(folder / f"{media.rung.name}.m3u8")]
        for media in segment.rungs
    ]
    assert len(times[0]) == FRAMES
    assert times[0] == times[1]
    assert {after - before for before, after in pairwise(times[0])} == {7500}


def test_ffmpeg_decodes_every_rung_without_a_warning(segment: EncodedSegment, folder: Path) -> None:
    for name in ("master", *(media.rung.name for media in segment.rungs)):
        assert ffmpeg_complaints(folder / f"{name}.m3u8") == ""


def test_a_strict_parser_finds_nothing_in_any_playlist(
    segment: EncodedSegment, folder: Path, tmp_path: Path
) -> None:
    entries = [(UUID(int=number), segment.rungs[0]) for number in range(3)]
    texts = {
        f"{state}.m3u8": scene_rung_playlist(
            entries,
            PROFILE,
            ended=state == "ended",
            prefix=lambda segment_id: f"../{segment_id}/",
        )
        for state in ("open", "ended")
    }
    rates = scene_rates([segment.rungs] * 3, PROFILE)
    texts["scene.m3u8"] = scene_master(PROFILE, rates, lambda rung: f"{rung.name}/index.m3u8")
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert strict_faults(*folder.glob("*.m3u8"), *tmp_path.glob("*.m3u8")) == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("TARGETDURATION:2", "TARGETDURATION:1"),
        ("#EXT-X-TARGETDURATION:2\n", ""),
        ("#EXTM3U\n", ""),
    ],
)
def test_the_strict_parser_does_find_faults(
    segment: EncodedSegment, folder: Path, tmp_path: Path, good: str, bad: str
) -> None:
    text = (folder / "108p.m3u8").read_text()
    assert good in text
    (tmp_path / "bad.m3u8").write_text(text.replace(good, bad))
    assert len(strict_faults(tmp_path / "bad.m3u8")) == 1


def test_rates_are_the_measured_ones(segment: EncodedSegment, folder: Path) -> None:
    master = (folder / "master.m3u8").read_text()
    for media in segment.rungs:
        sizes = [(folder / part.uri).stat().st_size for part in media.parts]
        assert media.average_bandwidth == pytest.approx(sum(sizes) * 8 / 5, abs=1)
        assert media.bandwidth == pytest.approx(peak_bps(media.parts, 2), abs=1)
        assert media.bandwidth >= media.average_bandwidth
        assert f"BANDWIDTH={media.bandwidth},AVERAGE-BANDWIDTH={media.average_bandwidth}," in master
    assert "RESOLUTION=192x108,FRAME-RATE=12.000,CLOSED-CAPTIONS=NONE\n108p.m3u8\n" in master


def test_streams_are_what_the_playlist_says(segment: EncodedSegment, folder: Path) -> None:
    for media in segment.rungs:
        with av.open(str(folder / media.parts[0].uri)) as container:
            video = container.streams.video[0].codec_context
            sound = container.streams.audio[0].codec_context
            assert (video.width, video.height) == (media.rung.width, media.rung.height)
            assert (video.name, video.profile, video.pix_fmt) == ("h264", "High", "yuv420p")
            assert (video.color_range, video.colorspace) == (1, 1)
            assert (video.color_primaries, video.color_trc) == (1, 1)
            assert (sound.name, sound.profile, sound.rate) == ("aac", "LC", 48_000)
            assert sound.layout.name == "stereo"
            sets = bytes(video.extradata or b"")
        # avc1.PPCCLL, the three bytes after the SPS's type: High is 64, no constraints, the level
        at = sets.index(b"\x00\x00\x01\x67") + 4
        assert media.codecs == f"avc1.{sets[at : at + 3].hex()},mp4a.40.2"
        assert media.codecs.startswith("avc1.6400")


def test_the_silence_is_as_long_as_the_film(segment: EncodedSegment, folder: Path) -> None:
    sound = packets(folder / "108p.m3u8", "audio")
    picture = packets(folder / "108p.m3u8")
    start = min(packet.pts for packet in picture)
    ends = sound[-1].pts + 1024 * 90_000 / 48_000
    assert 0 <= (ends - start) / 90_000 - 5.0 < 2 * 1024 / 48_000


def test_colours_come_back(tmp_path: Path) -> None:
    red, bars = np.zeros((3, 108, 192, 3), np.uint8), (235, 30, 20)
    red[...] = bars
    encode(iter([red]), tmp_path)
    for name in ("108p", "54p"):
        frame = decoded(tmp_path / f"{name}_0001.ts")[1]
        back = frame.to_ndarray(format="rgb24", src_colorspace="ITU709")
        assert np.abs(back.astype(int) - bars).max() <= 4


def test_files_are_listed_in_publishing_order_with_their_hashes(
    segment: EncodedSegment, folder: Path
) -> None:
    names = [file.path for file in segment.files]
    assert names == [
        *(f"{rung}_{n:04d}.ts" for rung in ("108p", "54p") for n in (1, 2, 3)),
        *("poster.jpg", "thumbnail.jpg", "sprites.jpg", "sprites.vtt"),
        *("108p.m3u8", "54p.m3u8", "master.m3u8"),
    ]
    assert sorted(names) == sorted(path.name for path in folder.iterdir())
    for file in segment.files:
        content = (folder / file.path).read_bytes()
        assert file.bytes == len(content)
        assert file.sha256 == hashlib.sha256(content).hexdigest()
    types = {Path(file.path).suffix: file.content_type for file in segment.files}
    assert types == {
        ".ts": "video/mp2t",
        ".m3u8": "application/vnd.apple.mpegurl",
        ".jpg": "image/jpeg",
        ".vtt": "text/vtt",
    }


def test_one_frame_is_a_film(tmp_path: Path) -> None:
    segment = encode(clip(1), tmp_path)
    assert segment.rungs[0].parts[0].seconds == pytest.approx(1 / 12)
    assert segment.rungs[0].bandwidth == segment.rungs[0].average_bandwidth > 0
    assert ffmpeg_complaints(tmp_path / "master.m3u8") == ""


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    into = tmp_path / "100% of %04d \N{SNOWMAN} #?"
    encode(clip(2), into)
    assert (into / "108p_0001.ts").is_file()


@pytest.mark.parametrize("size", [(64, 108), (192, 60), (384, 216), (100, 301)])
def test_frames_of_another_size_are_fitted_with_bars(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    white = np.full((2, height, width, 3), 255, np.uint8)
    encode(iter([white]), tmp_path)
    luma = decoded(tmp_path / "108p_0001.ts")[0].to_ndarray(format="gray")
    assert luma.shape == (108, 192)
    scale = min(192 / width, 108 / height)
    lit = (luma > 128).mean()
    assert lit == pytest.approx(width * scale * height * scale / (192 * 108), abs=0.03)
    assert luma[54, 96] > 230


def test_the_producer_is_held_back_and_overlaps_the_encoders(tmp_path: Path) -> None:
    made, encoded = 0, 0
    # picture channel, converter, and per rung its channel and the frame in work; the chunk in hand
    most_ahead = CHANNEL_FRAMES + 1 + len(PROFILE.rungs) * (CHANNEL_FRAMES + 1) + 1
    ahead = []

    def chunks() -> Iterator[Frames]:
        nonlocal made
        for chunk in clip(80, chunk=1):
            made += 1
            ahead.append(made - encoded)
            yield chunk

    def watch(frames: int) -> None:
        nonlocal encoded
        assert frames >= encoded
        encoded = frames

    encode(chunks(), tmp_path, on_frames=watch)
    assert max(ahead) <= most_ahead + 1
    assert encoded == made == 80
