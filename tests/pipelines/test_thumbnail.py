from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.encoding.pictures import Picture
from pipelines.encoding.thumbnail import MAX_TILES, Stills, sharpness

SIZE = (90, 160)


def flat(value: int, size: tuple[int, int] = SIZE) -> Picture:
    return np.full((*size, 3), value, np.uint8)


def sharp(marker: tuple[int, int, int] = (200, 120, 40)) -> Picture:
    picture = flat(60)
    picture[::8, :, :] = 220
    picture[20:70, 30:130] = marker
    return picture


def blurred() -> Picture:
    return np.asarray(cv2.GaussianBlur(sharp(), (31, 31), 0), np.uint8)


def written(pictures: list[Picture], into: Path, fps: int = 4) -> dict[str, np.ndarray]:
    stills = Stills(fps)
    for picture in pictures:
        stills.offer(picture)
    names = stills.write(into)
    assert names == ("poster.jpg", "thumbnail.jpg", "sprites.jpg", "sprites.vtt")
    return {name: np.asarray(cv2.imread(str(into / name)))[..., ::-1] for name in names[:3]}


def test_sharpness_orders_pictures_as_an_eye_would() -> None:
    dark = (sharp() // 20).astype(np.uint8)
    assert sharpness(sharp()) > sharpness(blurred()) > sharpness(flat(128)) == 0
    assert sharpness(sharp()) > sharpness(dark)


@pytest.mark.parametrize("place", range(1, 11))
def test_the_sharp_picture_wins_if_it_stays_half_a_second(tmp_path: Path, place: int) -> None:
    pictures = [blurred() for _ in range(12)]
    pictures[place] = pictures[max(1, place - 1)] = sharp((10, 240, 30))
    red, green, blue = written(pictures, tmp_path)["thumbnail.jpg"][45, 80]
    assert (green > 200, red < 60, blue < 80) == (True, True, True)


def test_neither_the_first_nor_the_last_frame_is_the_thumbnail(tmp_path: Path) -> None:
    pictures = [sharp((250, 0, 0)), *[blurred() for _ in range(8)], sharp((250, 0, 0))]
    assert len(pictures) % 4 == 2  # so that the last one is looked at
    red, green, _ = written(pictures, tmp_path)["thumbnail.jpg"][45, 80]
    assert not (red > 220 and green < 40)


def test_a_single_frame_is_its_own_thumbnail(tmp_path: Path) -> None:
    images = written([sharp()], tmp_path)
    assert images["thumbnail.jpg"].shape == (90, 160, 3)
    assert images["sprites.jpg"].shape == (90, 160, 3)


def test_a_wide_film_gets_a_thumbnail_of_640_pixels(tmp_path: Path) -> None:
    assert written([flat(90, (720, 1280))] * 3, tmp_path)["thumbnail.jpg"].shape == (360, 640, 3)


def test_the_sheet_has_a_tile_per_second_and_an_index_into_it(tmp_path: Path) -> None:
    pictures = [flat(20 * (number // 4)) for number in range(46)]
    sheet = written(pictures, tmp_path)["sprites.jpg"]
    index = (tmp_path / "sprites.vtt").read_text()
    assert index.startswith("WEBVTT\n\n")
    cues = re.findall(r"(\S+) --> (\S+)\nsprites.jpg#xywh=(\d+),(\d+),(\d+),(\d+)\n", index)
    assert len(cues) == 12
    assert cues[0][:2] == ("00:00:00.000", "00:00:01.000")
    assert cues[-1][:2] == ("00:00:11.000", "00:00:11.500")
    for second, (_, _, *place) in enumerate(cues):
        x, y, width, height = map(int, place)
        tile = sheet[y : y + height, x : x + width]
        assert tile.shape == (90, 160, 3)
        assert abs(int(tile[45, 80, 0]) - 20 * second) <= 3


def test_a_long_film_keeps_a_bounded_number_of_tiles(tmp_path: Path) -> None:
    fps, seconds = 1, 437
    pictures = [flat(number % 200, (18, 32)) for number in range(seconds)]
    sheet = written(pictures, tmp_path, fps)["sprites.jpg"]
    cues = re.findall(
        r"^(\S+) --> .*\n.*xywh=(\d+),(\d+),", (tmp_path / "sprites.vtt").read_text(), re.MULTILINE
    )
    assert MAX_TILES // 2 < len(cues) <= MAX_TILES
    for number, (start, x, y) in enumerate(cues):
        hours, minutes, rest = start.split(":")
        second = int(hours) * 3600 + int(minutes) * 60 + float(rest)
        assert second == number * 8
        assert abs(int(sheet[int(y) + 9, int(x) + 16, 0]) - second % 200) <= 3


def test_a_portrait_film_gets_portrait_tiles(tmp_path: Path) -> None:
    sheet = written([flat(90, (320, 180))] * 9, tmp_path)["sprites.jpg"]
    assert sheet.shape == (160, 270, 3)
