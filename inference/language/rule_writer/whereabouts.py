"""Say where and when a take plays: place and light, from its words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from inference.language.rule_writer.cast import Finder, place_finder
from inference.language.rule_writer.folding import Folded, fold, fold_map, is_unspaced
from inference.language.rule_writer.lexicon import Lexicon, lexicon
from inference.language.rule_writer.sentences import quote_spans
from inference.language.rule_writer.strangers import StrangerFinder
from storyforge.domain.bible import Place, SceneBible
from storyforge.domain.script import Light

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_LOOK_BACK_WORDS = 4
_LOCATIVE = 2.0
_KNOWN = 1.0
_OPENING = 1.0  # "The forest was silent."
_FIGURATIVE = -2.0
_SPOKEN = -2.5
_LEAST_SCORE = 1.0


@dataclass(frozen=True)
class PlaceMention:
    """One place found: id or bare name, its range in the text, how surely we are there."""

    who: str
    start: int
    end: int
    score: float
    known: bool


class PlaceReader:
    """Reads the places of one text, take by take, and carries the last one on."""

    def __init__(self, text: str, language: str, places: tuple[Place, ...], before: str) -> None:
        self._language = language
        self._known: Finder = place_finder(places)
        self._strangers = StrangerFinder(text, language)
        self._current = before

    def place(self, text: str) -> str:
        """Id of a known place, or the bare name of another; "" when nothing tells."""
        mentions = self.mentions(text)
        if mentions:
            best = max(mentions, key=lambda one: (one.score, one.start))
            if best.score >= (_LEAST_SCORE if self._current else 0.0):
                self._current = best.who
        return self._current

    def mentions(self, text: str) -> list[PlaceMention]:
        """Every place in the text with its score, in order."""
        folded = fold_map(text)
        quotes = quote_spans(text)
        known = [(one.who, one.start, one.end, True) for one in self._known.find(folded)]
        named = [
            (one.name, one.start, one.end, False) for one in self._strangers.find(text) if one.place
        ]
        generic = [
            (text[hit.start : hit.end], hit.start, hit.end, False)
            for hit in _generic().find(folded, self._language)
        ]
        found: list[PlaceMention] = []
        for who, start, end, is_known in (*known, *named, *generic):
            if any(one.start < end and start < one.end for one in found):
                continue
            spoken = any(low <= start < high for low, high in quotes)
            score = self._score(folded, start) + (_KNOWN if is_known else 0.0)
            score += _SPOKEN if spoken else 0.0
            found.append(PlaceMention(who, start, end, score, is_known))
        return sorted(found, key=lambda one: one.start)

    def _score(self, folded: Folded, start: int) -> float:
        before = folded.text[: folded.position(start)]
        if before and is_unspaced(before[-1]):
            return _LOCATIVE
        words = _WORD.findall(before)[-_LOOK_BACK_WORDS:]
        opening = len(_WORD.findall(before)) <= 1
        for word in reversed(words):
            if word in _locatives(self._language):
                return _LOCATIVE
            if word in _figuratives(self._language):
                return _FIGURATIVE
        return _OPENING if opening else 0.0


class LightReader:
    """Reads the time of day, take by take, and carries the last one on."""

    def __init__(self, language: str, before: Light) -> None:
        self._language = language
        self._current = before

    def light(self, text: str) -> Light:
        """The last time of day that the take tells, else the one before."""
        hits = lexicon("light").find(fold_map(text), self._language)
        if hits:
            self._current = Light(hits[-1].concept)
        return self._current


def light_before(bible: SceneBible) -> Light:
    """The time of day at which the story stands: that of its last event, else day."""
    for event in reversed(bible.timeline):
        hits = lexicon("light").find(fold_map(event.when), "")
        if hits:
            return Light(hits[-1].concept)
        if event.when:
            break
    return Light.DAY


def is_indoors(name: str) -> bool | None:
    """Whether a place's name tells of a room; None when it tells nothing."""
    hits = _generic().find(fold_map(name), "")
    return hits[-1].concept == "indoors" if hits else None


@lru_cache(maxsize=1)
def _generic() -> Lexicon:
    return lexicon("places").only(("outdoors", "indoors"))


@lru_cache(maxsize=32)
def _locatives(language: str) -> frozenset[str]:
    return frozenset(fold(word) for word in lexicon("places").words("locative", language))


@lru_cache(maxsize=32)
def _figuratives(language: str) -> frozenset[str]:
    return frozenset(fold(word) for word in lexicon("places").words("figurative", language))
