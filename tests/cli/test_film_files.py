"""Reading our own playlists back, and what a film may be asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from storyforge.cli.film import FilmWish, make_film, reading_seconds
from storyforge.cli.film_files import split_segments, top_rung
from storyforge.errors import Broken, InvalidInput
from storyforge.settings import LimitSettings, Settings

MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=9,AVERAGE-BANDWIDTH=8,CODECS="avc1",RESOLUTION=640x360,FRAME-RATE=24.000
p1/360p.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=9,AVERAGE-BANDWIDTH=8,CODECS="avc1",RESOLUTION=1280x720,FRAME-RATE=24.000
p1/720p.m3u8
"""
RUNG = """#EXTM3U
#EXT-X-VERSION:6
#EXTINF:2.000000,
../../a/1.ts
#EXTINF:1.000000,
../../a/2.ts
#EXT-X-DISCONTINUITY
#EXTINF:2.000000,
../../b/1.ts
"""


def test_the_tallest_rung_is_taken_wherever_it_stands() -> None:
    rung = top_rung(MASTER)
    assert (rung.uri, rung.height, rung.fps) == ("p1/720p.m3u8", 720, 24)


def test_a_master_without_rungs_is_a_clear_failure() -> None:
    with pytest.raises(Broken, match="no rung"):
        top_rung("#EXTM3U\n")


def test_parts_are_kept_by_segment() -> None:
    assert split_segments(RUNG) == [["../../a/1.ts", "../../a/2.ts"], ["../../b/1.ts"]]


def test_a_film_lasts_as_long_as_its_text_takes_to_read() -> None:
    limits = LimitSettings()
    assert reading_seconds("Hello.", limits) == 4.0
    assert reading_seconds("word " * 48, limits) == 20.0
    assert reading_seconds("森" * 50, limits) == 10.0
    assert reading_seconds("word " * 5000, limits) == limits.max_segment_s


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("  \n", "film.mp4", "empty"),
        ("x" * 9000, "film.mp4", "9000 characters"),
        ("A fox.", "film.avi", "no .mp4"),
        ("A fox.", "there.mp4", "--force"),
        ("A fox.", "folder.mp4", "is a folder"),
    ],
)
def test_a_film_that_cannot_be_written_is_refused_before_any_work(
    text: str, name: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "there.mp4").write_text("mine")
    (tmp_path / "folder.mp4").mkdir()
    wish = FilmWish(text, tmp_path / name, None, "storybook", "", force=False)
    with pytest.raises(InvalidInput, match=said):
        make_film(Settings(), wish, Console())
    assert (tmp_path / "there.mp4").read_text() == "mine"
