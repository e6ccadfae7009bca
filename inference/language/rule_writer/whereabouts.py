"""Say where and when a take plays: place and light, from its words."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from inference.language.rule_writer.cast import Finder, character_finder, place_finder
from inference.language.rule_writer.folding import Folded, fold, fold_map, is_unspaced
from inference.language.rule_writer.lexicon import Lexicon, lexicon
from inference.language.rule_writer.name_evidence import is_finite_verb
from inference.language.rule_writer.sentences import quote_spans
from inference.language.rule_writer.strangers import StrangerFinder
from storyforge.domain.bible import SceneBible
from storyforge.domain.script import Light

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_MARK = re.compile(r"[,;:.!?\u2014\u060c\u00ab\u201c\"]")
_LOOK_BACK_WORDS = 4
_LOCATIVE = 2.0
_KNOWN = 1.0
_OPENING = 1.0  # "The forest was silent."
_FIGURATIVE = -2.0
_SPOKEN = -2.5
_BESIDE = 0.5
_GENITIVES = ("\u7684", "\u306e")
_LEAST_SCORE = 1.0


_DEFINITE = frozenset({"the", "der", "die", "das", "le", "la", "les", "el", "los", "las", "il"})


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

    def __init__(self, text: str, language: str, bible: SceneBible, before: str) -> None:
        self._language = language
        self._known: Finder = place_finder(bible.places)
        self._people: Finder = character_finder(bible.characters)
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
        strangers = [  # a name that belongs to a known place is nobody's
            one
            for one in self._strangers.find(text)
            if not any(low < one.end and one.start < high for _, low, high, _ in known)
        ]
        named = [(one.name, one.start, one.end, False) for one in strangers if one.place]
        people = [(one.start, one.end) for one in strangers if not one.place]
        people += [(one.start, one.end) for one in self._people.find(folded)]
        generic = [
            (self._listed(hit.word), hit.start, hit.end, False)
            for hit in _generic().find(folded, self._language)
        ]
        found: list[PlaceMention] = []
        for who, start, end, is_known in (*known, *named, *generic):
            if any(one.start < end and start < one.end for one in found):
                continue
            if any(low < end and start < high for low, high in people):
                continue  # Ensign Park is nowhere
            spoken = any(low <= start < high for low, high in quotes)
            score = self._score(folded, start, end) + (_KNOWN if is_known else 0.0)
            score += _SPOKEN if spoken else 0.0
            score -= _BESIDE if fold(who) in _listed_words("edges", self._language) else 0.0
            found.append(PlaceMention(who, start, end, score, is_known))
        return self._weighed(sorted(found, key=lambda one: one.start), text)

    def _weighed(self, found: list[PlaceMention], text: str) -> list[PlaceMention]:
        """A place that only tells where another one lies counts less ("a hut by the sea")."""
        weighed: list[PlaceMention] = []
        for number, one in enumerate(found):
            between = fold(text[found[number - 1].end : one.start]) if number else ","
            if between in _GENITIVES:  # the first one only says whose the second is
                weighed[-1] = replace(weighed[-1], score=weighed[-1].score - _BESIDE)
                weighed.append(one)
                continue
            words = _WORD.findall(between)
            beside = not _MARK.search(between) and len(words) <= _LOOK_BACK_WORDS
            if beside and not any(is_finite_verb(word, self._language) for word in words):
                weighed.append(replace(one, score=one.score - _BESIDE))
            else:
                weighed.append(one)
        return weighed

    def _listed(self, word: str) -> str:
        return word.capitalize() if self._language == "de" else word

    def _score(self, folded: Folded, start: int, end: int) -> float:
        before = folded.text[: folded.position(start)]
        if is_unspaced(folded.original[start]):
            return self._unspaced_score(folded.original, start, end)
        clause = _MARK.split(before)[-1]
        words = _WORD.findall(clause)
        if _place_words("looking").find(fold_map(clause), self._language):
            return _FIGURATIVE
        for word in reversed(words[-_LOOK_BACK_WORDS:]):
            if word in _listed_words("locative", self._language):
                return _LOCATIVE
            if word in _listed_words("figurative", self._language):
                return _FIGURATIVE
            if is_finite_verb(word, self._language):
                break
        opening = len(words) == 1 and words[0] in _DEFINITE
        return _OPENING if opening or (not words and not before.strip()) else 0.0

    def _unspaced_score(self, text: str, start: int, end: int) -> float:
        near = _place_words("near_unspaced").words("near_unspaced", self._language)
        before, after = text[max(0, start - 3) : start], text[end : end + 2]
        beside = any(after.startswith(word) for word in near)
        if self._language == "zh":
            beside = beside or any(word in before for word in near)
        return _LOCATIVE if beside or not near else 0.0


class LightReader:
    """Reads the time of day, take by take, and carries the last one on.

    before: None when the story has told no time yet; then the first one that this text tells
    already holds at its beginning.
    """

    def __init__(self, text: str, language: str, before: Light | None) -> None:
        self._language = language
        first = self._told(text)[:1] if before is None else []
        self._current = before or next(iter(first), Light.DAY)

    def light(self, text: str) -> Light:
        """The last time of day that the take tells, else the one before."""
        told = self._told(text)
        self._current = told[-1] if told else self._current
        return self._current

    def _told(self, text: str) -> list[Light]:
        quotes = quote_spans(text)
        return [
            Light(hit.concept)
            for hit in lexicon("light").find(fold_map(text), self._language)
            if not any(start <= hit.start < end for start, end in quotes)
        ]


def light_before(bible: SceneBible) -> Light | None:
    """The time of day at which the story stands: that of its last event; None if untold."""
    for event in reversed(bible.timeline):
        hits = lexicon("light").find(fold_map(event.when), "")
        if hits:
            return Light(hits[-1].concept)
        if event.when:
            break
    return None


def is_indoors(name: str) -> bool | None:
    """Whether a place's name tells of a room; None when it tells nothing."""
    hits = _generic().find(fold_map(name), "")
    return hits[-1].concept == "indoors" if hits else None


@lru_cache(maxsize=1)
def _generic() -> Lexicon:
    return lexicon("places").only(("outdoors", "indoors"))


@lru_cache(maxsize=64)
def _listed_words(concept: str, language: str) -> frozenset[str]:
    return lexicon("places").words(concept, language)


@lru_cache(maxsize=8)
def _place_words(concept: str) -> Lexicon:
    return lexicon("places").only((concept,))
