"""Read what facts say of things: their colour, material, side and number; English only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from inference.language.rule_writer.folding import fold
from inference.language.rule_writer.lexicon import lexicon
from pipelines.continuity.denied import singular
from pipelines.continuity.reading import WORDS, Line
from pipelines.continuity.undone_events import number_of
from storyforge.domain.continuity import Evidence

_WORD = re.compile(r"[^\W\d_]+(?:[-'\u2019][^\W\d_]+)*|\d+|[.,;:!?\u2014\u201c\u201d\"]")
# A noun phrase ends at one of these.
_ENDS = frozenset(
    [
        "in",
        "on",
        "at",
        "of",
        "for",
        "from",
        "to",
        "with",
        "without",
        "and",
        "or",
        "but",
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
        "had",
        "which",
        "that",
        "who",
        "over",
        "under",
        "by",
        "near",
        "since",
        "until",
        "where",
        "when",
        "as",
        "than",
        "into",
        "above",
        "below",
        "behind",
        "before",
        "after",
        "beside",
        "so",
        "stands",
        "lies",
        "hangs",
        "leads",
        "faces",
        "covered",
        "stood",
        "rose",
        "hung",
        "threw",
        "shone",
    ]
)
_PAINTED = frozenset({"painted", "made", "built", "carved", "hewn", "cut", "woven", "cast"})
_COPULA = frozenset({"is", "are", "was", "were"})
_BETWEEN = frozenset(
    {
        "very",
        "bright",
        "dark",
        "pale",
        "deep",
        "still",
        "all",
        "great",
        "old",
        "little",
        "high",
        "heavy",
        "long",
    }
)
_MOST_BETWEEN = 3
_NO_HEADS = frozenset(
    {
        "light",
        "eye",
        "eyes",
        "way",
        "time",
        "day",
        "night",
        "year",
        "hour",
        "minute",
        "sky",
        "face",
        "people",
        "men",
        "women",
        "step",
        "person",
        "week",
        "month",
    }
)

SELF = ""
"""The thing that a fact is about, where it names none: "built of grey stone"."""


@dataclass(frozen=True)
class Feature:
    """One thing's quality: `kind` is colour, material, compass, side, shape or number."""

    thing: str
    kind: str
    value: str
    start: int
    end: int


def features_in(text: str, themselves: frozenset[str] = frozenset()) -> list[Feature]:
    """All features of a text; a head word among `themselves` is SELF."""
    tokens = [(fold(match.group(0)), *match.span()) for match in _WORD.finditer(text)]
    found: list[Feature] = []
    for index, (word, start, end) in enumerate(tokens):
        kinds = _kinds(word)
        number = number_of(word)
        if number is not None and not kinds:
            kinds = [("number", str(number))]
        if not kinds:
            continue
        head = _head_after(tokens, index) or _head_before(tokens, index)
        if head is None:
            continue
        noun, at = head
        thing = SELF if noun in themselves or at < 0 else singular(noun)
        if thing in _NO_HEADS:
            continue
        stop = tokens[at][2] if at > index else end
        low = tokens[at][1] if 0 <= at < index else start
        found += [Feature(thing, kind, value, low, stop) for kind, value in kinds]
    return found


@dataclass(frozen=True)
class Features:
    """What facts say of the things of one place or person: (thing, kind) -> values, fact."""

    known: dict[tuple[str, str], tuple[frozenset[str], Evidence]]

    @staticmethod
    def of(facts: Iterable[Evidence], themselves: frozenset[str]) -> Features:
        """Collect them."""
        known: dict[tuple[str, str], tuple[frozenset[str], Evidence]] = {}
        for fact in facts:
            for one in features_in(fact.text, themselves):
                values, evidence = known.get((one.thing, one.kind), (frozenset[str](), fact))
                known[one.thing, one.kind] = (values | {one.value}, evidence)
        return Features(known)

    def contradicted(
        self, line: Line, themselves: frozenset[str]
    ) -> Iterator[tuple[int, int, Evidence]]:
        """(start, end, fact) wherever a sentence says otherwise of the same thing."""
        for one in features_in(line.text, themselves):
            values, fact = self.known.get((one.thing, one.kind), (frozenset[str](), None))
            if fact is None or one.value in values:
                continue
            if one.thing == SELF and one.kind not in ("material", "number"):
                continue  # towers are black at night and red at dusk
            more = one.kind != "number" or all(int(one.value) > int(known) for known in values)
            if more and not line.spoken(one.start):
                yield one.start, one.end, fact


def _head_after(tokens: list[tuple[str, int, int]], index: int) -> tuple[str, int] | None:
    """The last noun of the phrase that a quality opens: "red velvet curtains" -> curtains."""
    at = -1
    for place in range(index + 1, min(len(tokens), index + 2 + _MOST_BETWEEN)):
        word = tokens[place][0]
        if word in _ENDS or not word[0].isalpha() or _is_verb(word, at > 0):
            break
        if not word.endswith("ly"):
            at = place
    return (re.sub(r"['\u2019]s$", "", tokens[at][0]), at) if at > 0 else None


def _head_before(tokens: list[tuple[str, int, int]], index: int) -> tuple[str, int] | None:
    """The noun that a quality is said of: "the door is red", "walls of grey stone"; or SELF."""
    place = index - 1
    while place >= 0 and (tokens[place][0] in _BETWEEN or _kinds(tokens[place][0])):
        place -= 1
    if place < 0:
        return ("", -1)
    word = tokens[place][0]
    if word in ("of", "from", "in") and place >= 1:
        before = tokens[place - 1][0]
        if before in _PAINTED:
            return _subject(tokens, place - 1)
        return (before, place - 1) if before[0].isalpha() and before not in _ENDS else None
    if word in _PAINTED or word in _COPULA:
        return _subject(tokens, place)
    return ("", -1) if word in (",", ";", ".") and index == len(tokens) - 1 else None


def _subject(tokens: list[tuple[str, int, int]], place: int) -> tuple[str, int] | None:
    while place >= 0 and (tokens[place][0] in _COPULA or tokens[place][0] in _PAINTED):
        place -= 1
    if place < 0 or not tokens[place][0][0].isalpha():
        return ("", -1)
    return (tokens[place][0], place)


def _is_verb(word: str, after_noun: bool) -> bool:
    past = word.endswith("ed") and word not in ("red", "tarred", "bed")
    listed = word in lexicon("names").words("verbs", "en")
    return after_noun and (past or listed or (word.endswith("ing") and word not in _BUILDINGS))


_BUILDINGS = frozenset({"building", "ceiling", "ring", "wing", "string", "king", "railing"})


@lru_cache(maxsize=4096)
def _kinds(word: str) -> list[tuple[str, str]]:
    """(kind, value) of a quality; a compound tells by its last part ("white-blond")."""
    found: list[tuple[str, str]] = []
    for part in {word, word.rsplit("-", 1)[-1]}:
        found.extend(
            ("colour", concept)
            for concept in lexicon("appearance", WORDS).table
            if not concept.startswith("noun_") and part in _words("appearance", concept)
        )
        for concept in lexicon("features", WORDS).table:
            if part in _words("features", concept):
                kind, _, value = concept.partition("_")
                found.append((kind, value))
    return list(dict.fromkeys(found))


def _words(table: str, concept: str) -> frozenset[str]:
    return lexicon(table, WORDS).words(concept, "en")
