"""Find things that the story's time does not have yet; English only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from inference.language.rule_writer.folding import fold, fold_map
from inference.language.rule_writer.lexicon import Lexicon, lexicon
from pipelines.continuity.reading import WORDS, Line, Story, issue, negated
from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity

_YEAR = re.compile(r"(?<![\d.,:])(1[0-9]\d{2}|20\d{2}|21\d{2})(?![\d:])")
_CENTURY = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)[- ]century\b")
_VICTORIAN = re.compile(r"\b(victorian|regency|edwardian|georgian|elizabethan|renaissance)\b")
_ERAS = {
    "victorian": 1865,
    "regency": 1815,
    "edwardian": 1905,
    "georgian": 1780,
    "elizabethan": 1590,
    "renaissance": 1500,
}
_MEDIEVAL = 1400
_SLACK_YEARS = 5
_THIS_CENTURY = 21


def anachronisms(story: Story) -> Iterator[ContinuityIssue]:
    """The first such thing of each shot."""
    era = _era(story.bible) if story.language == "en" else None
    if era is None:
        return
    year, evidence = era
    known = fold(" ".join(_texts(story.bible)))
    told: set[int] = set()
    for line in story.lines:
        if line.past or line.unreal or line.shot in told:
            continue
        for hit in _things().find(line.folded, "en"):
            said = line.text[hit.start : hit.end]
            if int(hit.concept[1:]) <= year + _SLACK_YEARS or fold(said) in known:
                continue
            if line.spoken(hit.start) or negated(line, hit.start, hit.end, "en"):
                continue
            told.add(line.shot)
            yield _too_early(line, (hit.start, hit.end), evidence)
            break


def _too_early(line: Line, span: tuple[int, int], evidence: Evidence) -> ContinuityIssue:
    said = line.text[slice(*span)]
    return issue(
        IssueType.SETTING_MISMATCH,
        Severity.WARNING,
        f'"{said}" is not of the story\'s time ("{evidence.text}").',
        line.location(*span),
        "Use something of that time, or tell in the bible why it is there.",
        (evidence,),
    )


def _era(bible: SceneBible) -> tuple[int, Evidence] | None:
    """The latest year of the story, or that of a world like the Middle Ages; None if untold."""
    dated: list[tuple[int, Evidence]] = []
    for source, text in _sources(bible):
        evidence = Evidence(source=source, text=text)
        dated += [(int(year), evidence) for year in _YEAR.findall(text)]
        centuries = [int(number) for number in _CENTURY.findall(fold(text))]
        dated += [(one * 100 - 50, evidence) for one in centuries if one < _THIS_CENTURY]
        dated += [(_ERAS[era], evidence) for era in _VICTORIAN.findall(fold(text))]
    if dated:
        return max(dated, key=lambda one: one[0])
    if any(_words("modern").find(fold_map(text), "en") for text in _texts(bible)):
        return None
    for source, text in _sources(bible):
        if _words("medieval").find(fold_map(text), "en"):
            return _MEDIEVAL, Evidence(source=source, text=text)
    return None


def _sources(bible: SceneBible) -> Iterator[tuple[str, str]]:
    yield "synopsis", bible.synopsis
    yield "title", bible.title
    yield "style/tone", bible.style.tone
    for number, rule in enumerate(bible.rules):
        yield f"rules/{number}", rule
    for number, event in enumerate(bible.timeline):
        yield f"timeline/{number}", f"{event.when}: {event.description}"
    for one in bible.characters:
        for number, trait in enumerate(one.traits):
            yield f"characters/{one.id}/traits/{number}", trait


def _texts(bible: SceneBible) -> list[str]:
    places = [text for place in bible.places for text in (place.name, *place.facts)]
    people = [text for one in bible.characters for text in (one.name, one.appearance)]
    return [*(text for _, text in _sources(bible)), *places, *people]


@lru_cache(maxsize=1)
def _things() -> Lexicon:
    table = lexicon("inventions", WORDS).table
    return lexicon("inventions", WORDS).only(tuple(row for row in table if row.startswith("y")))


@lru_cache(maxsize=2)
def _words(concept: str) -> Lexicon:
    return lexicon("inventions", WORDS).only((concept,))
