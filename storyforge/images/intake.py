"""Takes pictures in: size and header first, then a decode in a child that may only fail itself."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from storyforge.errors import InvalidInput, TooLarge, Unavailable, UnsupportedMediaType
from storyforge.images.containers import PictureHeader, read_header

MEDIA_TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})
SIDE_MAX = 1536  # px of the longer side that is kept: no video model of ours reads more
_SIDE_MIN = 16
_SIDES_RATIO_MAX = 20
_MEMORY_BYTES = 2 * 1024**3  # of address space: 64 million RGBA pixels twice, and the program
_CPU_S = 20
_TIMEOUT_S = 30.0
_AT_ONCE = 2  # each may take _MEMORY_BYTES
_TURN_S = 20.0
_PROGRAM = Path(__file__).with_name("decode_child.py")
_REFUSED = 2  # its exit status


@dataclass(frozen=True)
class Picture:
    """A picture that is safe to hand on: PNG, sRGB, no metadata. Sizes in pixels."""

    png: bytes
    width: int
    height: int


class PictureIntake:
    """Looks at pictures and decodes few of them at once."""

    def __init__(self, *, pixels_max: int) -> None:
        self._pixels_max = pixels_max
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    def take(self, data: bytes, media_type: str) -> Picture:
        """Decode one picture to a plain PNG.

        Raises UnsupportedMediaType, TooLarge and InvalidInput, and Unavailable when too many
        come at once.
        """
        header = read_header(data)
        self._check(header, media_type)
        if not self._turns.acquire(timeout=_TURN_S):
            raise Unavailable("Too many pictures come at once; send it again.", retry_after_s=10)
        try:
            png = _decoded(data, header, self._pixels_max)
        finally:
            self._turns.release()
        made = read_header(png)
        return Picture(png, made.width, made.height)

    def _check(self, header: PictureHeader, media_type: str) -> None:
        if header.media_type != media_type:
            raise UnsupportedMediaType(
                f"The picture came as {media_type}, but is {header.media_type}; send it as that."
            )
        width, height = header.width, header.height
        if width * height > self._pixels_max:
            raise TooLarge(
                f"The picture has {width}x{height} pixels; at most {self._pixels_max} in all are "
                "possible. Make it smaller."
            )
        if min(width, height) < _SIDE_MIN:
            raise InvalidInput(
                f"The picture has {width}x{height} pixels; each side needs at least {_SIDE_MIN}."
            )
        if max(width, height) > _SIDES_RATIO_MAX * min(width, height):
            raise InvalidInput(
                f"The picture has {width}x{height} pixels; no side may be more than "
                f"{_SIDES_RATIO_MAX} times the other."
            )


def _decoded(data: bytes, header: PictureHeader, pixels_max: int) -> bytes:
    limits = (pixels_max, SIDE_MAX, _MEMORY_BYTES, _CPU_S)
    try:
        # isolated (-I) and without environment: no path, setting or secret of ours reaches it
        done = subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-I", str(_PROGRAM), header.kind, *map(str, limits)],
            input=data,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
            cwd="/",
            env={},
        )
    except subprocess.TimeoutExpired as exc:
        raise _beyond_limits() from exc
    if done.returncode == _REFUSED:
        raise InvalidInput(done.stderr.decode("ascii", "replace"))
    if done.returncode != 0:
        raise _beyond_limits()
    return done.stdout


def _beyond_limits() -> InvalidInput:
    return InvalidInput(
        "The picture needs more time or memory to decode than one may have; save it anew as a "
        "plain PNG or JPEG."
    )
