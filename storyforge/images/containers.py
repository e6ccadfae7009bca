"""Reads what a picture file says of itself, without decoding a pixel of it.

A file that goes on behind its end, or that is an archive or a document as well, is refused: what
one program takes for a picture another one may run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from storyforge.errors import InvalidInput, UnsupportedMediaType

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8\xff"
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15 hold the size
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_SCAN_START, _END = 0xDA, 0xD9
_SCAN_ENDS = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_PICTURES_IN_ONE = 8  # phones put depth maps and the like behind a JPEG, as further JPEGs
_ZIP_END, _ZIP_END_BYTES, _ZIP_COMMENT = b"PK\x05\x06", 22, 65_535
_PDF_WITHIN = 1024
# What people do send, so that the refusal can name it.
_OTHERS: Mapping[bytes, str] = {
    b"GIF8": "a GIF",
    b"BM": "a BMP",
    b"II*\x00": "a TIFF",
    b"MM\x00*": "a TIFF",
    b"%PDF": "a PDF",
    b"SIMPLE": "a FITS",
    b"\x1f\x8b": "compressed by gzip",
    b"PK\x03\x04": "a ZIP",
}


@dataclass(frozen=True)
class PictureHeader:
    """What a file says that it holds. kind: Pillow's name of the format. Sizes in pixels."""

    kind: str
    media_type: str
    width: int
    height: int


class _Cut(Exception):
    """The file ends before its picture does."""


def read_header(data: bytes) -> PictureHeader:
    """The format and size of one whole still picture.

    Raises UnsupportedMediaType for what is no PNG, JPEG or WebP, InvalidInput for one that is cut
    off, moves, goes on behind its end or is something else as well.
    """
    try:
        if data.startswith(_PNG_MAGIC):
            header, end = _png(data)
        elif data.startswith(_JPEG_MAGIC):
            header, end = _jpeg(data)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            header, end = _webp(data)
        else:
            raise UnsupportedMediaType(f"This is {_name(data)}; send a PNG, JPEG or WebP picture.")
    except (_Cut, IndexError) as exc:
        raise InvalidInput("The picture is cut off or damaged; send it again whole.") from exc
    behind = len(data.rstrip(b"\0")) - end
    if behind > 0:
        raise InvalidInput(
            f"The file goes on for {behind} bytes behind the end of its picture; save the picture "
            "anew and send that."
        )
    if _is_archive(data) or b"%PDF-" in data[:_PDF_WITHIN]:
        raise InvalidInput(
            "The file is an archive or a document as well as a picture; save the picture anew and "
            "send that."
        )
    return header


def _png(data: bytes) -> tuple[PictureHeader, int]:
    width = height = 0
    at = len(_PNG_MAGIC)
    while True:
        length, name = _number(data, at, 4), data[at + 4 : at + 8]
        body = at + 8
        at = body + length + 4
        if at > len(data):
            raise _Cut
        if not width and (name != b"IHDR" or length != 13):  # noqa: PLR2004  its only length
            raise _Cut
        if name == b"IHDR":
            width, height = _number(data, body, 4), _number(data, body + 4, 4)
        elif name == b"acTL":
            raise _moving()
        elif name == b"IEND":
            return PictureHeader("PNG", "image/png", width, height), at
        if not width:
            raise _Cut


def _jpeg(data: bytes) -> tuple[PictureHeader, int]:
    (width, height), end = _one_jpeg(data, 0)
    for _ in range(_PICTURES_IN_ONE):
        if data[end : end + 3] != _JPEG_MAGIC:
            break
        _, end = _one_jpeg(data, end)
    return PictureHeader("JPEG", "image/jpeg", width, height), end


def _one_jpeg(data: bytes, start: int) -> tuple[tuple[int, int], int]:
    """((width, height), position behind the end) of the JPEG that starts there."""
    size = (0, 0)
    at = start + 2
    while True:
        if data[at] != 0xFF:  # noqa: PLR2004  every marker begins so
            raise _Cut
        while data[at] == 0xFF:  # noqa: PLR2004  any number of them may fill
            at += 1
        marker = data[at]
        at += 1
        if marker == _END:
            if not all(size):
                raise _Cut
            return size, at
        if marker in _ALONE:
            continue
        if marker in _SIZES and not all(size):
            size = (_number(data, at + 5, 2), _number(data, at + 3, 2))
        at += max(2, _number(data, at, 2))
        if marker == _SCAN_START:
            ends = _SCAN_ENDS.search(data, at)
            if ends is None:
                raise _Cut
            at = ends.start()


def _webp(data: bytes) -> tuple[PictureHeader, int]:
    end = 8 + int.from_bytes(data[4:8], "little")
    end += end % 2
    if end > len(data):
        raise _Cut
    form = data[12:16]
    if form == b"VP8X":
        if data[20] & 0x02:
            raise _moving()
        width = 1 + int.from_bytes(data[24:27], "little")
        height = 1 + int.from_bytes(data[27:30], "little")
    elif form == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif form == b"VP8 ":
        width = int.from_bytes(data[26:28], "little") & 0x3FFF
        height = int.from_bytes(data[28:30], "little") & 0x3FFF
    else:
        raise _Cut
    if not width or not height:
        raise _Cut
    return PictureHeader("WEBP", "image/webp", width, height), end


def _number(data: bytes, at: int, size: int) -> int:
    found = data[at : at + size]
    if len(found) < size:
        raise _Cut
    return int.from_bytes(found, "big")


def _moving() -> InvalidInput:
    return InvalidInput("The picture moves; send a still one.")


def _is_archive(data: bytes) -> bool:
    """Whether a ZIP reader, which begins at the end, would open it."""
    first = max(0, len(data) - _ZIP_END_BYTES - _ZIP_COMMENT)
    at = data.find(_ZIP_END, first)
    while at >= 0:
        one_disk = data[at + 4 : at + 8] == bytes(4)
        comment = int.from_bytes(data[at + 20 : at + 22], "little")
        if one_disk and at + _ZIP_END_BYTES + comment <= len(data):
            return True
        at = data.find(_ZIP_END, at + 1)
    return False


def _name(data: bytes) -> str:
    for magic, name in _OTHERS.items():
        if data.startswith(magic):
            return name
    beginning = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if beginning.startswith((b"<?xml", b"<svg", b"<!doctype svg")):
        return "an SVG or another XML"
    if data[4:8] == b"ftyp":
        return "a HEIC, AVIF or another film container"
    return "nothing that is known here as a picture"
