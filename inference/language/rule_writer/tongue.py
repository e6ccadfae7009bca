"""Tell which language a text is written in, by its script and its commonest words."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from inference.language.rule_writer.lexicon import lexicon

LATIN = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr")
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("zh", re.compile(r"[\u3400-\u9fff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
)
_UKRAINIAN = re.compile(r"[\u0454\u0456\u0457\u0491]")
_LATIN_LETTER = re.compile(r"[A-Za-z\u00c0-\u024f]")
_KANA_SHARE = 0.1  # real Japanese is about half kana; Chinese may quote a word of it
_ENOUGH_CHARS = 4000
_MOST_LETTERS = 4  # letters hint, words tell


@lru_cache(maxsize=256)
def language_of(text: str) -> str:
    """ISO 639-1 code, or "" when nothing tells (then every word list is used)."""
    sample = text[:_ENOUGH_CHARS]
    counts = {code: len(pattern.findall(sample)) for code, pattern in _SCRIPTS}
    if counts["ja"] < _KANA_SHARE * (counts["ja"] + counts["zh"]):
        counts["ja"] = 0
    elif counts["ja"]:
        counts["ja"] += counts["zh"]
    best = max(counts, key=lambda code: counts[code])
    # A Han character says about as much as two Latin letters.
    if counts[best] * 2 > len(_LATIN_LETTER.findall(sample)):
        return "uk" if best == "ru" and _UKRAINIAN.search(sample) else best
    return _latin_language(sample)


def _latin_language(sample: str) -> str:
    # With their diacritics: French "\u00e0" is not English "a".
    lowered = sample.lower()
    words = Counter(re.findall(r"[^\W\d_]+", lowered))
    scores = {
        code: sum(words[word] for word in _listed("stopwords", code))
        + min(_MOST_LETTERS, sum(lowered.count(letter) for letter in _listed("letters", code))) / 2
        for code in LATIN
    }
    best = max(LATIN, key=lambda code: scores[code])
    return best if scores[best] >= 1 else ""


@lru_cache(maxsize=64)
def _listed(row: str, code: str) -> tuple[str, ...]:
    listed = lexicon("sentences").table[row].get(code, "")
    return tuple(dict.fromkeys(one.strip() for one in listed.split(",") if one.strip()))
