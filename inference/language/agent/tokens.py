"""How many tokens a text has, and how to make it fit: an estimate that rather says too much."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

# Measured on byte-pair vocabularies of 100k and more, English prose has 4 to 5 letters a token,
# German and French 3 to 4, Cyrillic 2 to 3, Chinese and Japanese 0.7 to 1.5 tokens a character.
_LETTER, _OTHER_ASCII, _ALPHABETIC, _WIDE = 0.3, 0.7, 0.6, 1.4
_FIRST_WIDE = 0x2E80
_SENTENCE_END = re.compile(
    r"[.!?\u2026\u3002\uff01\uff1f\u061f\u0964]+[\"'\u201d\u00bb\u300d)]*\s*"
)


def estimated_tokens(text: str) -> int:
    """About how many tokens, rather too many."""
    total = 0.0
    for char in text:
        if char.isascii():
            total += _LETTER if char.isalpha() or char == " " else _OTHER_ASCII
        else:
            total += _WIDE if ord(char) >= _FIRST_WIDE else _ALPHABETIC
    return math.ceil(total)


def fitting(lines: Sequence[str], room: int) -> tuple[str, ...]:
    """As many lines from the front as have room; a line that does not fit ends it."""
    kept: list[str] = []
    for line in lines:
        room -= estimated_tokens(line) + 1
        if room < 0:
            break
        kept.append(line)
    return tuple(kept)


def newest_fitting(lines: Sequence[str], room: int) -> tuple[str, ...]:
    """As many lines from the end as have room, in their order."""
    return fitting(lines[::-1], room)[::-1]


def cut_to(text: str, room: int) -> str:
    """The beginning of a text that has room, up to the end of a sentence where there is one."""
    if estimated_tokens(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if estimated_tokens(text[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    cut = text[:low]
    ends = [match.end() for match in _SENTENCE_END.finditer(cut)]
    return cut[: ends[-1]].rstrip() if ends and ends[-1] > low // 2 else cut.rstrip()
