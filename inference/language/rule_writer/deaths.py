"""Find unmistakable deaths: who dies where in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from inference.language.rule_writer.cast import Mention, character_finder, is_genitive
from inference.language.rule_writer.folding import fold_map
from inference.language.rule_writer.lexicon import Lexicon, lexicon
from inference.language.rule_writer.sentences import quote_spans, sentences
from storyforge.domain.bible import Character

_SUBJECT_GAP_CHARS = 28  # between the name and its verb: "Tom, old and tired, died"
_TIGHT_GAP_CHARS = 4
_CLAUSE = re.compile(r"[.;:!?\u3002\uff01\uff1f\uff0c]|,\s*(?:and|und|et|y|e)\b")
_OTHERS = re.compile(r"\w+'s?\s|\bof\b|\bvon\b|\bdes?\b|\bdel\b")


@dataclass(frozen=True)
class Death:
    """One death: the character's id and the sentence that tells it."""

    who: str
    sentence: str


def deaths(text: str, language: str, characters: tuple[Character, ...]) -> list[Death]:
    """Every death that the text states as plain fact, in order."""
    finder = character_finder(characters)
    found: list[Death] = []
    for sentence in sentences(text, language):
        folded = fold_map(sentence.text)
        mentions = finder.find(folded)
        hits = _death_words().find(folded, language) if mentions else []
        doubts = [hit.start for hit in _unsure().find(folded, language)]
        quotes = quote_spans(sentence.text)
        for hit in hits:
            spoken = any(start <= hit.start < end for start, end in quotes)
            if spoken or any(doubt < hit.end for doubt in doubts):
                continue
            victim = (
                _victim_after(sentence.text, mentions, hit.end)
                if hit.concept == "slew"
                else _subject_before(sentence.text, mentions, hit.start)
            )
            found.extend([Death(victim, sentence.text)] if victim else [])
    return found


def _subject_before(text: str, mentions: list[Mention], at: int) -> str:
    before = [one for one in mentions if one.end <= at]
    if not before:
        return ""
    between = text[before[-1].end : at]
    if len(between) > _SUBJECT_GAP_CHARS or _CLAUSE.search(between) or is_genitive(between):
        return ""
    return before[-1].who


def _victim_after(text: str, mentions: list[Mention], at: int) -> str:
    after = [one for one in mentions if one.start >= at]
    if not after or len(text[at : after[0].start].strip()) > _TIGHT_GAP_CHARS:
        return ""
    return "" if is_genitive(text[after[0].end :]) else after[0].who


@lru_cache(maxsize=1)
def _death_words() -> Lexicon:
    return lexicon("deaths").only(("died", "slew"))


@lru_cache(maxsize=1)
def _unsure() -> Lexicon:
    return lexicon("deaths").only(("unsure",))
