"""Say of whom a word in a sentence is said."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inference.language.rule_writer.cast import Mention, is_genitive
from inference.language.rule_writer.people import pronoun_concepts
from pipelines.continuity.reading import Line, Story

_CLAUSE = re.compile(
    r"[.;:!?\u3002\uff01\uff1f\uff1b]"
    r"|,?\s(?:who|whom|while|when|where|because|as|der|die|w\u00e4hrend|als|qui|que|quand|que)\s"
)
_REACH_CHARS = 60
_AFTER_CHARS = 18


def subject_of(line: Line, story: Story, start: int, end: int) -> str:
    """The id of the character who does or is what stands at `start`; "" when unclear."""
    before = [one for one in line.mentions if one.end <= start]
    if before:
        nearest = before[-1]
        between = line.text[nearest.end : start]
        near = len(between) <= _REACH_CHARS and not _CLAUSE.search(between)
        if near and not is_genitive(between):
            return _of_list(before, between)
        return ""
    after = [one for one in line.mentions if one.start >= end]
    tail = line.text[end : after[0].start] if after else ""
    if after and len(tail.strip()) == 0 and not line.spoken(after[0].start):
        return after[0].who  # said Mira
    return _by_pronoun(line, story, start)


def owner_of(line: Line, story: Story, start: int) -> str:
    """The id of the character whose eyes (hair, ...) stand at `start`; "" when unclear."""
    before = [one for one in line.mentions if one.end <= start]
    if before:
        between = line.text[before[-1].end : start]
        return (
            before[-1].who if len(between) <= _REACH_CHARS and not _CLAUSE.search(between) else ""
        )
    return _by_pronoun(line, story, start)


def _of_list(before: Sequence[Mention], between: str) -> str:
    nearest = before[-1]
    # "Tom watched Mira run": whoever stands right before the word, else the sentence's subject.
    if len(before) > 1 and len(between.strip()) > _AFTER_CHARS:
        return before[0].who
    return nearest.who


def _by_pronoun(line: Line, story: Story, start: int) -> str:
    if not pronoun_concepts(line.text[:start], story.language):
        return ""
    people = [who for who in story.shot(line).characters if story.character(who) is not None]
    return people[0] if len(people) == 1 else ""
