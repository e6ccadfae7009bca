"""Stills taken while frames stream by: poster, thumbnail, and the sprite sheet for seeking."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import cv2
import numpy as np

from pipelines.encoding.pictures import Picture, resize

THUMBNAIL, SPRITES, SPRITES_INDEX = "thumbnail.jpg", "sprites.jpg", "sprites.vtt"
POSTER = "poster.jpg"  # the best of the first seconds, there before the film is
THUMBNAIL_WIDTH = 640
TILE_SIDE = 160  # the longer side of a sprite tile: 160x90 for 16:9
MAX_TILES = 100
SHEET_COLUMNS = 10
LOOKS_PER_SECOND = 2
JPEG_QUALITY = 86
_LOOK_WIDTH = 320  # sharpness is judged at this width, whatever the film's size
# A picture whose mean is outside this range (of 0-255) is a fade or a flash, not a thumbnail.
_DARK, _BRIGHT = 24.0, 235.0


@dataclass(frozen=True)
class _Look:
    score: float
    picture: Picture


class Stills:
    """Looks at some of the frames passing by; memory does not grow with the film's length."""

    def __init__(self, fps: int) -> None:
        self._fps = fps
        self._best: _Look | None = None
        self._latest: _Look | None = None  # may still turn out to be the last frame
        self._latest_number = -1
        self._has_poster = False
        self._tiles: list[Picture] = []
        self._tile_frames = fps
        self._frames = 0

    def offer(self, picture: Picture) -> None:
        """Show the next frame, RGB; it is copied where something of it is kept."""
        number = self._frames
        self._frames += 1
        if self._latest is not None and number > self._latest_number:
            self._promote()
        look_frames = max(1, self._fps // LOOKS_PER_SECOND)
        if number == 0 or number % look_frames == look_frames // 2:
            self._latest, self._latest_number = _look(picture, first=number == 0), number
        if number % self._tile_frames == 0:
            self._add_tile(picture)

    def write(self, into: Path) -> tuple[str, ...]:
        """Write what is not written yet; gives all names. Raises OSError."""
        if not self._has_poster:
            self.write_poster(into)
        (into / THUMBNAIL).write_bytes(_jpeg(self._best_so_far()))
        (into / SPRITES).write_bytes(_jpeg(_sheet(self._tiles)))
        (into / SPRITES_INDEX).write_text(self._index(), encoding="utf-8")
        return POSTER, THUMBNAIL, SPRITES, SPRITES_INDEX

    def write_poster(self, into: Path) -> str:
        """Write the best picture so far, for those who watch before the end; gives its name."""
        (into / POSTER).write_bytes(_jpeg(self._best_so_far()))
        self._has_poster = True
        return POSTER

    def _best_so_far(self) -> Picture:
        if self._best is None:
            self._promote()  # a film of one frame: better than none
        assert self._best is not None, "no frame was offered"
        return self._best.picture

    def _promote(self) -> None:
        latest, self._latest = self._latest, None
        if latest and (self._best is None or latest.score > self._best.score):
            self._best = latest

    def _add_tile(self, picture: Picture) -> None:
        if len(self._tiles) == MAX_TILES:
            self._tiles = self._tiles[::2]
            self._tile_frames *= 2
            if (self._frames - 1) % self._tile_frames:
                return
        self._tiles.append(_shrunk(picture, TILE_SIDE / max(picture.shape[:2])))

    def _index(self) -> str:
        """WebVTT: which tile of the sheet shows which stretch of time."""
        height, width = self._tiles[0].shape[:2]
        columns = min(SHEET_COLUMNS, len(self._tiles))
        cues = ["WEBVTT\n"]
        for number in range(len(self._tiles)):
            start = number * self._tile_frames
            end = min(start + self._tile_frames, self._frames)
            row, column = divmod(number, columns)
            place = f"{column * width},{row * height},{width},{height}"
            times = f"{_timestamp(start / self._fps)} --> {_timestamp(end / self._fps)}"
            cues.append(f"{times}\n{SPRITES}#xywh={place}\n")
        return "\n".join(cues)


def sharpness(picture: Picture) -> float:
    """How much there is to see: log variance of the Laplacian, times contrast; 0 for flat ones."""
    grey = cv2.cvtColor(_shrunk(picture, _LOOK_WIDTH / picture.shape[1]), cv2.COLOR_RGB2GRAY)
    edges = float(cv2.Laplacian(grey, cv2.CV_16S).var())
    mean, deviation = float(grey.mean()), float(grey.std())
    exposure = 1.0 if _DARK <= mean <= _BRIGHT else 0.1
    return float(np.log1p(edges)) * (0.25 + min(1.0, deviation / 64)) * exposure


def _look(picture: Picture, *, first: bool) -> _Look:
    # The first frame counts only when there is no other: films open on black or on a cut.
    score = -1.0 if first else sharpness(picture)
    return _Look(score, _shrunk(picture, THUMBNAIL_WIDTH / picture.shape[1]))


def _shrunk(picture: Picture, scale: float) -> Picture:
    if scale >= 1:
        return picture.copy()
    height, width = picture.shape[:2]
    return resize(picture, (max(1, round(width * scale)), max(1, round(height * scale))))


def _sheet(tiles: list[Picture]) -> Picture:
    columns = min(SHEET_COLUMNS, len(tiles))
    blank = np.zeros_like(tiles[0])
    padded = [*tiles, *[blank] * (ceil(len(tiles) / columns) * columns - len(tiles))]
    rows = [np.hstack(padded[at : at + columns]) for at in range(0, len(padded), columns)]
    return np.vstack(rows)


def _jpeg(picture: Picture) -> bytes:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(data)


def _timestamp(seconds: float) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{milliseconds:03d}"
