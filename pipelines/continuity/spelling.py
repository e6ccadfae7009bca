"""How alike two spellings are: edit distance, Jaro-Winkler, and a rough sound key."""

from __future__ import annotations

import re
from functools import lru_cache

_SOUNDS = (
    ("sch", "s"),
    ("sh", "s"),
    ("kh", "k"),
    ("tz", "s"),
    ("ee", "i"),
    ("ie", "i"),
    ("ey", "i"),
    ("oo", "u"),
    ("ou", "u"),
    ("ae", "e"),
    ("ph", "f"),
    ("th", "t"),
    ("ck", "k"),
    ("gh", "g"),
    ("ch", "k"),
    ("qu", "k"),
    ("x", "ks"),
    ("c", "k"),
    ("q", "k"),
    ("y", "i"),
    ("j", "i"),
    ("w", "v"),
    ("z", "s"),
    ("h", ""),
)
_PREFIX_WEIGHT = 0.1  # Winkler's constant
_PREFIX_CHARS = 4


@lru_cache(maxsize=16_384)
def edit_distance(left: str, right: str) -> int:
    """Optimal string alignment: insert, delete, replace, or swap two neighbours."""
    rows = [list(range(len(right) + 1))]
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


@lru_cache(maxsize=16_384)
def jaro_winkler(left: str, right: str) -> float:
    """Likeness from 0 to 1 that favours a common beginning (Winkler, 1990)."""
    jaro = _jaro(left, right)
    prefix = 0
    for a, b in zip(left[:_PREFIX_CHARS], right, strict=False):
        if a != b:
            break
        prefix += 1
    return jaro + prefix * _PREFIX_WEIGHT * (1 - jaro)


@lru_cache(maxsize=4096)
def sound_key(word: str) -> str:
    """A folded word without the spelling choices that do not change how it sounds."""
    for letters, sound in _SOUNDS:
        word = word.replace(letters, sound)
    return re.sub(r"(.)\1+", r"\1", word)


@lru_cache(maxsize=4096)
def consonants(word: str) -> str:
    """The sound key without its vowels: "kerr" and "carr" are both "kr"."""
    return re.sub(r"[aeiou]", "", sound_key(word))


def _jaro(left: str, right: str) -> float:
    if left == right:
        return 1.0
    if not left or not right:
        return 0.0
    reach = max(len(left), len(right)) // 2 - 1
    taken = [False] * len(right)
    matched: list[str] = []
    for i, a in enumerate(left):
        for j in range(max(0, i - reach), min(len(right), i + reach + 1)):
            if not taken[j] and right[j] == a:
                taken[j] = True
                matched.append(a)
                break
    if not matched:
        return 0.0
    other = [b for b, used in zip(right, taken, strict=True) if used]
    swapped = sum(a != b for a, b in zip(matched, other, strict=True)) / 2
    count = len(matched)
    return (count / len(left) + count / len(right) + (count - swapped) / count) / 3
