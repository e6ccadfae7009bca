"""Segments become one film that opens anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from inference.video.model import Frames
from pipelines.encoding.contact_sheet import STRIP_PIXELS, contact_sheet
from pipelines.encoding.hls import encode_hls
from pipelines.encoding.mp4 import concat_mp4, encode_preview
from storyforge.errors import DiskFull, EncodeFailed
from tests.pipelines.hls_checks import PROFILE, clip, decoded, ffmpeg_complaints, packets

LENGTHS = (30, 24, 1, 50)
# With and without B-frames: a scene's preset may change between its segments.
PRESETS = ("ultrafast", "veryfast", "ultrafast", "veryfast")


@pytest.fixture(scope="module")
def segments(tmp_path_factory: pytest.TempPathFactory) -> list[list[Path]]:
    made = []
    for length, preset in zip(LENGTHS, PRESETS, strict=True):
        into = tmp_path_factory.mktemp("segment")
        encode_hls(clip(length), PROFILE, into, preset=preset, on_frames=lambda _: None)
        made.append(sorted(into.glob("108p_*.ts")))
    return made


@pytest.fixture
def film(segments: list[list[Path]], tmp_path: Path) -> Path:
    assert concat_mp4(segments, tmp_path / "film.mp4", fps=12) == sum(LENGTHS)
    return tmp_path / "film.mp4"


def test_every_frame_is_there_at_its_time(film: Path) -> None:
    times = [Fraction(frame.pts) * frame.time_base for frame in decoded(film)]
    assert times == [Fraction(number, 12) for number in range(sum(LENGTHS))]


def test_the_picture_after_a_join_is_the_next_segments_first(film: Path) -> None:
    frames = [frame.to_ndarray(format="gray").astype(int) for frame in decoded(film)]
    for start in (30, 54, 55):
        assert np.abs(frames[start] - frames[0]).mean() < 4
    for end in (29, 53):
        assert np.abs(frames[end] - frames[0]).mean() > 8


def test_sound_runs_on_over_the_joins(film: Path) -> None:
    times = [packet.pts for packet in packets(film, "audio")]
    steps = {after - before for before, after in pairwise(times)}
    assert steps == {1024}
    assert 0 <= times[-1] + 1024 - sum(LENGTHS) * 4000 < 3 * 1024


def test_it_opens_anywhere(film: Path) -> None:
    assert ffmpeg_complaints(film) == ""
    data = film.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_bytes_and_files_give_the_same_film(
    segments: list[list[Path]], film: Path, tmp_path: Path
) -> None:
    def fetched() -> Iterator[Iterator[bytes]]:
        for parts in segments:
            yield (part.read_bytes() for part in parts)

    concat_mp4(fetched(), tmp_path / "other.mp4", fps=12)
    assert (tmp_path / "other.mp4").read_bytes() == film.read_bytes()


@pytest.mark.parametrize("source", [[], [[b"not a film"]], [[b""]]])
def test_nothing_is_left_of_a_film_that_failed(source: list[list[bytes]], tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"the one before")
    with pytest.raises(EncodeFailed):
        concat_mp4(source, tmp_path / "film.mp4", fps=12)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
    assert (tmp_path / "film.mp4").read_bytes() == b"the one before"


def test_a_failing_store_is_told_as_it_is(segments: list[list[Path]], tmp_path: Path) -> None:
    def fetched() -> Iterator[list[Path]]:
        yield segments[0]
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        concat_mp4(fetched(), tmp_path / "film.mp4", fps=12)
    assert list(tmp_path.iterdir()) == []


def test_a_preview_holds_its_frames_and_starts_at_once(tmp_path: Path) -> None:
    out = tmp_path / "preview.mp4"
    assert encode_preview(clip(40, 97, 55), 12, out) == 40
    frames = decoded(out)
    assert len(frames) == 40
    assert (frames[0].width, frames[0].height) == (96, 54)
    assert ffmpeg_complaints(out) == ""
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert [path.name for path in tmp_path.iterdir()] == ["preview.mp4"]


def test_a_preview_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncodeFailed):
        encode_preview(iter([]), 12, tmp_path / "preview.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_preview_passes_on_what_its_frames_raise(tmp_path: Path) -> None:
    def frames() -> Iterator[Frames]:
        yield from clip(3)
        raise OSError("the artist left")

    with pytest.raises(OSError, match="the artist left"):
        encode_preview(frames(), 12, tmp_path / "preview.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_contact_sheet_shows_the_film_from_start_to_end(film: Path, tmp_path: Path) -> None:
    assert contact_sheet(film, tmp_path / "sheet.png", frames=6, columns=3, tile_width=96) == 6
    sheet = np.asarray(cv2.imread(str(tmp_path / "sheet.png")))
    assert sheet.shape == (2 * (54 + STRIP_PIXELS) + 3 * 6, 3 * 96 + 4 * 6, 3)
    step = 60 + STRIP_PIXELS
    tiles = [
        sheet[6 + row * step : 60 + row * step, 6 + column * 102 : 102 + column * 102].astype(int)
        for row in range(2)
        for column in range(3)
    ]
    for before, after in pairwise(tiles):
        assert np.abs(before - after).mean() > 3


def test_a_short_film_gives_a_short_sheet(tmp_path: Path) -> None:
    encode_preview(clip(3), 12, tmp_path / "short.mp4")
    assert contact_sheet(tmp_path / "short.mp4", tmp_path / "sheet.jpg", frames=12) == 3


def test_a_sheet_of_no_film_is_refused(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"nothing")
    with pytest.raises(EncodeFailed):
        contact_sheet(tmp_path / "film.mp4", tmp_path / "sheet.jpg")


def test_a_full_disk_is_named(film: Path, tmp_path: Path) -> None:
    (tmp_path / "sheet.jpg").symlink_to("/dev/full")
    with pytest.raises(DiskFull):
        contact_sheet(film, tmp_path / "sheet.jpg")
