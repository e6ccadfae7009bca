"""Colours of eyes, hair, doors and the like, and where a sentence gives another one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from inference.language.rule_writer.folding import fold_map
from inference.language.rule_writer.lexicon import Hit, Lexicon, lexicon
from pipelines.continuity.reading import WORDS, Line
from storyforge.domain.continuity import Evidence

_NEAR_CHARS = 10  # between colour and noun: "blue eyes", "yeux très bleus", "his eyes were blue"
_ONLY_BETWEEN = re.compile(
    r"[\s,-]*(?:(?:and|und|et|y|very|sehr|tr\u00e8s|muy|were|was|are|is|waren|war|sind|\u00e9taient|"
    r"eran|long|short|curly|langes?|kurzes?|longs?)[\s,-]*)*"
)

Attributes = dict[str, tuple[frozenset[str], Evidence]]
"""Noun concept -> (colours, the fact)."""


def attributes_of(facts: Iterable[Evidence]) -> Attributes:
    """The colours that these facts give to eyes, hair, fur, doors and walls."""
    found: Attributes = {}
    for fact in facts:
        for noun, colour, start, end in _pairs(fact.text, ""):
            colours, words = found.get(
                noun, (frozenset(), Evidence(source=fact.source, text=fact.text[start:end]))
            )
            found[noun] = (colours | {colour}, words)
    return found


def contradicted(
    line: Line, known: Attributes, language: str
) -> Iterator[tuple[int, int, str, str, Evidence]]:
    """(start, end, noun, told, known words) wherever the sentence gives another colour."""
    if not known:
        return
    for noun, colour, start, end in _pairs(line.text, language):
        if noun not in known:
            continue
        colours, words = known[noun]
        if colour not in colours:
            yield start, end, noun, line.text[start:end], words


def _pairs(text: str, language: str) -> list[tuple[str, str, int, int]]:
    hits = _words().find(fold_map(text), language)
    pairs: list[tuple[str, str, int, int]] = []
    for left, right in pairwise(hits):
        pair = _pair(text, left, right)
        if pair is not None:
            pairs.append(pair)
    return pairs


def _pair(text: str, left: Hit, right: Hit) -> tuple[str, str, int, int] | None:
    between = text[left.end : right.start]
    if len(between) > _NEAR_CHARS or not _ONLY_BETWEEN.fullmatch(between):
        return None
    nouns = [hit for hit in (left, right) if hit.concept.startswith("noun_")]
    colours = [hit for hit in (left, right) if not hit.concept.startswith("noun_")]
    if len(nouns) != 1 or len(colours) != 1:
        return None
    return nouns[0].concept, colours[0].concept, left.start, right.end


@lru_cache(maxsize=1)
def _words() -> Lexicon:
    return lexicon("appearance", WORDS)
