"""Find people in places that no longer exist, or that nobody can enter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from inference.language.rule_writer.cast import Mention
from inference.language.rule_writer.folding import fold_map
from inference.language.rule_writer.lexicon import Hit, Lexicon, lexicon, paired
from inference.language.rule_writer.whereabouts import PlaceReader
from pipelines.continuity.reading import (
    WORDS,
    Line,
    Story,
    issue,
    negated,
    place_facts,
    told_before,
)
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity

_REACH_CHARS = 40
_INSIDE = 2.0  # a place with a locative word before it, see whereabouts.py
# English: "through the doors of the saloon", "in every window of Caer Wen", "over Twig Bridge".
_INTO = re.compile(
    r"\b(?:in|inside|into|at|onto|on|through|across|over|within|under|along|entered|enter|enters|reached|"
    r"crossed|crosses|cross|(?:doors?|windows?|halls?|rooms?|roof|stairs|walls?|kitchen|deck|end|floor|gates?|"
    r"corner|middle|heart|bar|tables?|steps) of)(?: (?:the|its|their|his|her|old|great|\w+'s))*\s*$",
    re.IGNORECASE,
)
_BUSY = re.compile(
    r"\s+(?:was|were|is|are) (?:\w+ly )?(?:packed|crowded|full|busy|bustling|open|loud|lively|jammed|"
    r"brightly lit|lit up|heaving|crammed|humming|alive with)\b"
)


@dataclass(frozen=True)
class _Shut:
    """Why a place cannot be used: `gone` for good, or only closed."""

    evidence: Evidence
    gone: bool


def gone_places(story: Story) -> Iterator[ContinuityIssue]:
    """Places that the bible, its timeline or an earlier sentence ended or closed, in use again."""
    shut = _shut_before(story)
    if not story.bible.places:
        return
    reader = PlaceReader(story.text, story.language, story.bible, "")
    told: set[str] = set()
    for line in story.lines:
        now = _destroyed_in(line, story)
        allowed = bool(_gone_words(line, story)) or _said(line, "again", "remains")
        for mention in reader.mentions(line.text):
            reason = shut.get(mention.who)
            if reason is None or mention.who in told:
                continue
            span = (mention.start, mention.end)
            if mention.score < _INSIDE and not _used(line, span, story):
                continue
            if line.past or line.unreal or allowed or line.spoken(mention.start):
                continue
            if not reason.gone and _said(line, "opened"):
                continue
            told.add(mention.who)
            yield _in_use(story.place_name(mention.who), line.location(*span), reason)
        if _said(line, "again", "opened"):
            for one in line.places:
                shut.pop(one.who, None)
        here = Evidence(source=f"shots/{line.shot}", text=line.text)
        shut.update(dict.fromkeys(now, _Shut(here, gone=True)))


def _in_use(name: str, location: str, reason: _Shut) -> ContinuityIssue:
    gone = reason.gone
    return issue(
        IssueType.SETTING_MISMATCH,
        Severity.ERROR if gone else Severity.WARNING,
        f'{name} is {"gone" if gone else "closed"} ("{reason.evidence.text}") and is used here.',
        location,
        "Choose another place, tell it as a memory, or say that it was "
        + ("rebuilt." if gone else "opened."),
        (reason.evidence,),
    )


def _used(line: Line, span: tuple[int, int], story: Story) -> bool:
    if story.language != "en":
        return False
    start, end = span
    return bool(_INTO.search(line.text[:start]) or _BUSY.match(line.text[end:]))


def _shut_before(story: Story) -> dict[str, _Shut]:
    shut: dict[str, _Shut] = {}
    for place in story.bible.places:
        for fact in place_facts(place):
            folded = fold_map(fact.text)
            if _destroyed().find(folded, "") and not _words("again").find(folded, ""):
                shut[place.id] = _Shut(fact, gone=True)
            elif _words("closed").find(folded, "en"):
                shut.setdefault(place.id, _Shut(fact, gone=False))
    for told in told_before(story):
        folded = fold_map(told.text)
        for mention in story.places.find(folded):
            if _said_near(mention, _destroyed().find(folded, "")):
                shut.setdefault(mention.who, _Shut(told, gone=True))
            elif _said_near(mention, _words("closed").find(folded, "en")):
                shut.setdefault(mention.who, _Shut(told, gone=False))
            elif _words("again").find(folded, "") or _words("opened").find(folded, "en"):
                shut.pop(mention.who, None)
    return shut


def _said_near(mention: Mention, hits: list[Hit]) -> bool:
    """Whether one of these words stands right behind a place ("was destroyed") or before it."""
    return any(
        0 <= hit.start - mention.end <= _REACH_CHARS // 4
        or 0 <= mention.start - hit.end <= _REACH_CHARS // 8
        for hit in hits
    )


def _destroyed_in(line: Line, story: Story) -> list[str]:
    if line.past or line.unreal:
        return []
    return [
        mention.who
        for mention in line.places
        for start, end in _gone_words(line, story)
        if 0 <= start - mention.end <= _REACH_CHARS // 2
        and not negated(line, start, end, story.language)
    ]


def _gone_words(line: Line, story: Story) -> list[tuple[int, int]]:
    return [(hit.start, hit.end) for hit in _destroyed().find(line.folded, story.language)]


def _said(line: Line, *concepts: str) -> bool:
    return any(_words(one).find(line.folded, "") for one in concepts)


def _destroyed() -> Lexicon:
    return paired("settings", WORDS, ("fact", "against"))["destroyed"][0]


@lru_cache(maxsize=4)
def _words(concept: str) -> Lexicon:
    return lexicon("places_gone", WORDS).only((concept,))
