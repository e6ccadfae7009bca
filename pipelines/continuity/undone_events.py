"""Find what the timeline has ended and the script takes up: lost things, first meetings, ages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inference.language.rule_writer.folding import fold, fold_map
from inference.language.rule_writer.lexicon import lexicon
from pipelines.continuity.reading import (
    WORDS,
    Line,
    Story,
    character_facts,
    issue,
    negated,
    told_before,
)
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity

_ENDED = (
    r"burn(?:ed|t)|destroyed|smashed|shattered|melted|sank|sunk|swallowed|eaten|ate|wrecked|crushed|"
    r"blown up|blew up|dissolved|devoured|incinerated|torn to pieces|thrown into the sea|"
    r"reduced to ashes|lost at sea|lost overboard"
)
_THING_WAS = re.compile(
    rf"\b(?:the|her|his|their|its|\w+'s) ((?:[\w-]+ ){{0,2}}[\w-]+) (?:was|were|had been|got) "
    rf"(?:\w+ly )?(?:{_ENDED})\b",
    re.IGNORECASE,
)
_SOMEBODY_DID = re.compile(
    rf"\b(?:{_ENDED}|threw away) (?:the|her|his|their|its) ((?:[\w-]+ ){{0,2}}[\w-]+)",
    re.IGNORECASE,
)
_NO_THING = frozenset({"down", "out", "in", "at", "by", "of", "to", "with", "ground", "fire"})
_REMAINS = re.compile(
    r"\b(?:ash(?:es)?|shards?|pieces|fragments?|remains|ruins?|wreck(?:age)?|broken|burn(?:ed|t)|lost|"
    r"destroyed|smashed|shattered|mend\w*|repair\w*|rebuil\w*|restor\w*|replac\w*|new|another|second|"
    r"cop(?:y|ies)|found|recover\w*|where|without|like|gone|instead|salvage\w*|used to|had been)\b",
    re.IGNORECASE,
)
_FIRST_MEETING = re.compile(
    r"never (?:met|seen|laid eyes on|set eyes on|heard of|spoken to)|for the first time|"
    r"met for the first|had not met|hadn't met|did not know (?:who|him|her)|perfect stranger|"
    r"total stranger|complete stranger|introduced (?:himself|herself) to|who are you"
)
_BIRTHDAY = re.compile(r"(?:'s|s') ([\w-]+) birthday")
_YEARS_OLD = re.compile(r"\b([\w-]+)[ -]years?[ -]old\b|\baged ([\w-]+)\b")
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70}
_TENTHS = {f"{ten[:-1]}ieth": value for ten, value in _TENS.items()}
_MORE_TENS = {"eighty": 80, "ninety": 90, "eightieth": 80, "ninetieth": 90, "hundredth": 100}
_TWO = 2  # people who meet
_YEARS_ON = 2  # a story may have gone on for so long since the bible was written


def lost_things(story: Story) -> Iterator[ContinuityIssue]:
    """Things that an event ended and that are in use again."""
    lost: dict[str, Evidence] = {}
    for told in told_before(story):
        for match in (*_THING_WAS.finditer(told.text), *_SOMEBODY_DID.finditer(told.text)):
            head = fold(match.group(1).split()[-1])
            place = story.places.find(fold_map(match.group(1)))
            if head not in _NO_THING and not place and not story.people.find(fold_map(head)):
                lost[head] = told
    told_of: set[str] = set()
    for line in story.lines:
        if line.past or line.unreal or _REMAINS.search(line.text):
            continue
        for head, evidence in lost.items():
            found = re.search(
                rf"\b(?:the|her|his|their) (?:[\w-]+ ){{0,2}}?{re.escape(head)}\b", line.folded.text
            )
            if found is None or head in told_of:
                continue
            span = line.folded.span(*found.span())
            if line.spoken(span[0]) or negated(line, *span, story.language):
                continue
            told_of.add(head)
            yield _undone(
                line,
                span,
                f'"{line.text[slice(*span)]}" is no more ("{evidence.text}") and is used here.',
                "Use another thing, or tell how it came back.",
                evidence,
            )


def first_meetings(story: Story) -> Iterator[ContinuityIssue]:
    """Two people who meet for the first time, although they have met."""
    if story.language != "en":
        return
    together = [
        (told, {one.who for one in story.people.find(fold_map(told.text))})
        for told in told_before(story)
    ]
    for line in story.lines:
        match = _FIRST_MEETING.search(line.folded.text)
        here = {one.who for one in line.mentions}
        if match is None or len(here) < _TWO or line.past or line.unreal:
            continue
        span = line.folded.span(*match.span())
        if line.spoken(span[0]):
            continue
        for told, people in together:
            if len(here & people) >= _TWO and "met" in told.text.split():
                yield _undone(
                    line,
                    span,
                    f'They have met before ("{told.text}").',
                    "Let them know each other.",
                    told,
                )
                break


def wrong_ages(story: Story) -> Iterator[ContinuityIssue]:
    """A birthday or an age that is far from the bible's."""
    for one in story.bible.characters:
        for fact in character_facts(one):
            known = _YEARS_OLD.search(fact.text)
            age = number_of(known.group(1) or known.group(2)) if known else None
            if age is None:
                continue
            for line in story.lines:
                if line.past or line.unreal:
                    continue
                for start, end, told in _ages(line, one.id):
                    if not 0 <= told - age <= _YEARS_ON and not line.spoken(start):
                        yield _undone(
                            line,
                            (start, end),
                            f'The bible says of {one.name}: "{fact.text}".',
                            f'Keep to "{fact.text}", or change the bible.',
                            fact,
                        )


def _ages(line: Line, who: str) -> Iterator[tuple[int, int, int]]:
    for mention in line.mentions:
        if mention.who != who:
            continue
        tail = line.text[mention.end :]
        match = _BIRTHDAY.match(tail.replace("\u2019", "'")) or re.match(
            r",? (?:was |is )?(?:now )?([\w-]+)[ -]years?[ -]old\b", tail
        )
        age = number_of(match.group(1)) if match else None
        if match is not None and age is not None:
            yield mention.end + match.start(1), mention.end + match.end(), age


def number_of(word: str) -> int | None:
    """A number in figures or English words, cardinal or ordinal; None for another word."""
    word = fold(word)
    digits = re.fullmatch(r"(\d{1,3})(?:st|nd|rd|th)?", word)
    if digits:
        return int(digits.group(1))
    for concept in ("numbers", "ordinals"):
        words = lexicon("calendar", WORDS).table[concept]["en"].split(", ")
        if word in words:
            return words.index(word) + 1
    tens = {**_TENS, **_TENTHS, **_MORE_TENS}
    if word in tens:
        return tens[word]
    ten, _, one = word.partition("-")
    rest = number_of(one) if one else None
    return tens[ten] + rest if ten in tens and rest is not None else None


def _undone(
    line: Line, span: tuple[int, int], description: str, suggestion: str, evidence: Evidence
) -> ContinuityIssue:
    return issue(
        IssueType.TIMELINE_ERROR,
        Severity.WARNING,
        description,
        line.location(*span),
        suggestion,
        (evidence,),
    )
