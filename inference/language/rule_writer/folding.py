"""Fold text for matching (case and diacritics) and keep the way back to the original."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

_COMBINING = ((0x0300, 0x036F), (0x0591, 0x05C7), (0x064B, 0x0652))
_APOSTROPHES = frozenset({0x2018, 0x2019, 0x02BC, 0xFF07, 0x00B4, 0x0060})
# CJK and Hangul write words without spaces (or glue particles on), so they match anywhere.
_UNSPACED = (
    (0x0E00, 0x0E7F),
    (0x3040, 0x30FF),
    (0x3400, 0x9FFF),
    (0xAC00, 0xD7AF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


@dataclass(frozen=True)
class Folded:
    """Folded text; `starts[i]` is where folded character i comes from in the original."""

    text: str
    original: str
    starts: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The range of the original that a range of the folded text comes from."""
        if end <= start:
            at = self.starts[start] if start < len(self.starts) else len(self.original)
            return at, at
        last = self.starts[end - 1]
        stop = self.starts[end] if end < len(self.starts) else len(self.original)
        return self.starts[start], max(stop, last + 1)

    def position(self, original_index: int) -> int:
        """The folded index of an original index."""
        return max(0, bisect_right(self.starts, original_index) - 1)


def is_unspaced(char: str) -> bool:
    """Whether a character belongs to a script that puts no spaces between words."""
    code = ord(char)
    return any(low <= code <= high for low, high in _UNSPACED)


def fold(text: str) -> str:
    """Lower case, without diacritics, with straight apostrophes."""
    if text.isascii():
        return text.replace("`", "'").lower()
    return "".join(_fold_char(char) for char in text)


def fold_map(text: str) -> Folded:
    """`fold`, with the way back."""
    if text.isascii():
        return Folded(fold(text), text, tuple(range(len(text))))
    pieces: list[str] = []
    starts: list[int] = []
    for index, char in enumerate(text):
        piece = _fold_char(char)
        pieces.append(piece)
        starts.extend([index] * len(piece))
    return Folded("".join(pieces), text, tuple(starts))


@lru_cache(maxsize=16_384)
def _fold_char(char: str) -> str:
    if ord(char) in _APOSTROPHES:
        return "'"
    kept = [
        part
        for part in unicodedata.normalize("NFD", char.casefold())
        if not any(low <= ord(part) <= high for low, high in _COMBINING)
    ]
    return unicodedata.normalize("NFC", "".join(kept))
