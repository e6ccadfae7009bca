"""Find unknown names in scripts that have no capitals, by the words around them."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib import resources

UNSPACED = frozenset({"zh", "ja", "ko", "ar", "hi", "th", "he"})
"""Languages whose scripts have no capitals."""


def unspaced_names(sentence: str, language: str) -> list[tuple[str, int, int]]:
    """(name, start, end) of every name that `words/unspaced.toml` can see, in order."""
    patterns, never = _patterns(language)
    found: list[tuple[str, int, int]] = []
    for pattern in patterns:
        for match in pattern.finditer(sentence):
            start, end = match.span(1)
            taken = any(low < end and start < high for _, low, high in found)
            if not taken and match.group(1) not in never:
                found.append((match.group(1), start, end))
    return sorted(found, key=lambda one: one[1])


@lru_cache(maxsize=16)
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], ...], frozenset[str]]:
    source = resources.files(__package__).joinpath("words", "unspaced.toml")
    rows = tomllib.loads(source.read_text(encoding="utf-8"))
    patterns = tuple(re.compile(one) for one in rows["patterns"].get(language, ()))
    return patterns, frozenset(rows["never"].get(language, ()))
