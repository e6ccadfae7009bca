"""Word lists by concept and language, read from `words/*.toml` and searched in folded text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TypeAlias

from inference.language.rule_writer.folding import Folded, fold, is_unspaced

_NOWHERE = re.compile(r"(?!)")
# Vowel signs of Indian scripts are no \w in Python, but belong to the word.
_EDGE = r"\w\u0900-\u0dff"
_Entry: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Hit:
    """One word found: its concept, its range in the original text, its listed form."""

    concept: str
    start: int
    end: int
    word: str = ""


class Lexicon:
    """Concepts with their words, e.g. {"night": {"en": "night, midnight", "de": "nacht*"}}.

    A trailing * matches any ending; `lake|lakes` lists the forms of one word, the first being
    its listed form. Words are matched whole, but inside scripts that write no spaces they match
    anywhere. The longest word at a place wins.
    """

    def __init__(self, table: Mapping[str, Mapping[str, str]]) -> None:
        self._table = table
        self._words: dict[tuple[str, str], frozenset[str]] = {}
        self._only: dict[tuple[str, ...], Lexicon] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], Mapping[str, _Entry]]] = {}

    @property
    def table(self) -> Mapping[str, Mapping[str, str]]:
        """The rows as the file has them."""
        return self._table

    def only(self, concepts: tuple[str, ...]) -> Lexicon:
        """The same word lists with these concepts alone."""
        if concepts not in self._only:
            self._only[concepts] = Lexicon({one: self._table[one] for one in concepts})
        return self._only[concepts]

    def words(self, concept: str, language: str) -> frozenset[str]:
        """The folded words of a concept in one language ("" = in all of them)."""
        key = (concept, language)
        if key not in self._words:
            self._words[key] = frozenset(word for word, _ in self._listed(concept, language))
        return self._words[key]

    def find(self, folded: Folded, language: str) -> list[Hit]:
        """All hits in order of place; words of the concept `none` are swallowed."""
        pattern, concepts = self._pattern(language)
        hits: list[Hit] = []
        for match in pattern.finditer(folded.text):
            concept, word = _entry(match.group(0), concepts)
            if concept and concept != "none":
                hits.append(Hit(concept, *folded.span(*match.span()), word))
        return hits

    def _listed(self, concept: str, language: str) -> list[_Entry]:
        """(folded form, listed form) of every word."""
        rows = self._table.get(concept, {})
        lists = [rows[language]] if language in rows else [] if language else list(rows.values())
        if "all" in rows and language:
            lists.append(rows["all"])
        words = [word.strip().split("|") for row in lists for word in row.split(",")]
        return [(fold(form), forms[0]) for forms in words for form in forms if form]

    def _pattern(self, language: str) -> tuple[re.Pattern[str], Mapping[str, _Entry]]:
        if language not in self._patterns:
            concepts: dict[str, _Entry] = {}
            for concept in self._table:
                for folded, word in self._listed(concept, language):
                    concepts.setdefault(folded, (concept, word))
            self._patterns[language] = (_compile(concepts), concepts)
        return self._patterns[language]


@lru_cache(maxsize=64)
def lexicon(name: str, package: str = __package__) -> Lexicon:
    """Read `words/<name>.toml` of a package."""
    source = resources.files(package).joinpath("words", f"{name}.toml")
    return Lexicon(tomllib.loads(source.read_text(encoding="utf-8")))


@lru_cache(maxsize=64)
def paired(name: str, package: str, keys: tuple[str, str]) -> Mapping[str, tuple[Lexicon, Lexicon]]:
    """Rows of two word lists each, e.g. `[mute.fact]` and `[mute.against]`, by row name."""
    source = resources.files(package).joinpath("words", f"{name}.toml")
    rows = tomllib.loads(source.read_text(encoding="utf-8"))
    return {
        row: (Lexicon({row: lists[keys[0]]}), Lexicon({row: lists[keys[1]]}))
        for row, lists in rows.items()
    }


def _compile(concepts: Mapping[str, _Entry]) -> re.Pattern[str]:
    if not concepts:
        return _NOWHERE
    spaced: list[str] = []
    unspaced: list[str] = []
    for word in sorted(concepts, key=lambda one: (-len(one), one)):
        (unspaced if is_unspaced(word[0]) else spaced).append(_source(word))
    parts = [rf"(?<![{_EDGE}])(?:{'|'.join(spaced)})(?![{_EDGE}])"] if spaced else []
    return re.compile("|".join(parts + unspaced))


@lru_cache(maxsize=4096)
def _word(word: str) -> re.Pattern[str]:
    return re.compile(_source(word))


def _source(word: str) -> str:
    return re.escape(word).replace(r"\*", r"\w*").replace(r"\ ", r"\s+")


def _entry(found: str, concepts: Mapping[str, _Entry]) -> _Entry:
    """Which listed word matched."""
    if found in concepts:
        return concepts[found]
    for length in range(len(found), 0, -1):
        entry = concepts.get(f"{found[:length]}*")
        if entry is not None:
            return entry[0], found
    return next(
        (entry for word, entry in concepts.items() if _word(word).fullmatch(found)), ("", "")
    )
