"""The contact sheet: frames of a film at even distances, side by side in one picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from av import VideoFrame

from pipelines.encoding.foreign import border
from pipelines.encoding.pictures import Picture, resize
from storyforge.errors import EncodeFailed

GAP_PIXELS = 6
STRIP_PIXELS = 18  # under each frame, for its time
_PAPER = 18  # the grey between the frames
_LABEL_COLOUR = (190, 190, 190)


def contact_sheet(
    film: Path, out: Path, *, frames: int = 12, columns: int = 4, tile_width: int = 320
) -> int:
    """Write `frames` pictures of `film` (MP4, TS or a playlist) to `out`, `.jpg` or `.png`.

    Each has its time below it. A short film gives fewer pictures; returns how many.
    Raises EncodeFailed when the film cannot be decoded, DiskFull.
    """
    with border():
        taken = _pictures(film, frames, tile_width)
        if not taken:
            raise EncodeFailed(f"The film {film.name} shows no frame.")
        tiles = [_labelled(picture, seconds) for seconds, picture in taken]
        sheet = _sheet(tiles, min(columns, len(tiles)))
        _, data = cv2.imencode(out.suffix, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
        out.write_bytes(bytes(data))
    return len(tiles)


def _pictures(film: Path, wanted: int, tile_width: int) -> list[tuple[float, Picture]]:
    """What is shown in the middle of each of `wanted` equal stretches of time, none twice."""
    taken: list[tuple[float, Picture]] = []
    with av.open(str(film), "r") as container:
        stream = container.streams.video[0]
        start_s = (container.start_time or 0) / av.time_base
        length_s = (container.duration or 0) / av.time_base
        last_s = -1.0
        for number in range(wanted):
            at_s = start_s + (number + 0.5) * length_s / wanted
            container.seek(int(at_s * av.time_base))
            shown = _shown_at(container.decode(stream), at_s)
            if shown is not None and shown.time > last_s:
                last_s = shown.time
                height = round(tile_width * shown.height / shown.width)
                whole = np.asarray(shown.to_ndarray(format="rgb24"), np.uint8)
                taken.append((last_s - start_s, resize(whole, (tile_width, height))))
    return taken


def _shown_at(frames: Iterator[VideoFrame], at_s: float) -> VideoFrame | None:
    """The last frame that begins at or before `at_s`, or the first there is."""
    shown: VideoFrame | None = None
    for frame in frames:
        if shown is not None and frame.time > at_s:
            break
        shown = frame
    return shown


def _labelled(picture: Picture, seconds: float) -> Picture:
    """The picture over a strip with its time, so that nothing in it is covered."""
    label = f"{int(seconds) // 60}:{seconds % 60:04.1f}"
    tile = np.full((picture.shape[0] + STRIP_PIXELS, *picture.shape[1:]), _PAPER, np.uint8)
    tile[: picture.shape[0]] = picture
    at = (2, tile.shape[0] - 5)
    cv2.putText(tile, label, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, _LABEL_COLOUR, 1, cv2.LINE_AA)
    return tile


def _sheet(tiles: list[Picture], columns: int) -> Picture:
    rows = -(-len(tiles) // columns)
    height, width = tiles[0].shape[:2]
    step_y, step_x = height + GAP_PIXELS, width + GAP_PIXELS
    size = (rows * step_y + GAP_PIXELS, columns * step_x + GAP_PIXELS, 3)
    sheet = np.full(size, _PAPER, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        top, left = GAP_PIXELS + row * step_y, GAP_PIXELS + column * step_x
        sheet[top : top + height, left : left + width] = tile
    return sheet
