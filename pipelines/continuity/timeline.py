"""Find breaks in the order of time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from inference.language.rule_writer.lexicon import Hit, Lexicon, lexicon
from pipelines.continuity.calendar import dates_back
from pipelines.continuity.reading import WORDS, Line, Story, issue
from pipelines.continuity.seasons import wrong_seasons
from pipelines.continuity.the_dead import dead_who_act, sleepers_who_act
from pipelines.continuity.undone_events import first_meetings, lost_things, wrong_ages
from storyforge.domain.continuity import ContinuityIssue, IssueType, Severity

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PARTS = ("dawn", "day", "dusk", "night")


def timeline_errors(story: Story) -> list[ContinuityIssue]:
    """Everything about time, in the order of the script."""
    return [
        *dead_who_act(story),
        *sleepers_who_act(story),
        *_steps_back(story),
        *dates_back(story),
        *lost_things(story),
        *first_meetings(story),
        *wrong_ages(story),
        *wrong_seasons(story, IssueType.TIMELINE_ERROR),
    ]


def _steps_back(story: Story) -> Iterator[ContinuityIssue]:
    latest_day = -1
    latest_part = -1
    for line in story.lines:
        if line.past or line.unreal:
            continue
        folded = line.folded
        for hit in _words("backward").find(folded, story.language):
            if not line.spoken(hit.start) and not _pluperfect(line, story.language):
                yield _backward(line, hit)
        forward = bool(_words("forward").find(folded, story.language))
        days = [h for h in _weekdays().find(folded, story.language) if not line.spoken(h.start)]
        for hit in days:
            day = _DAYS.index(hit.concept)
            if day < latest_day and not forward:
                yield _backward(line, hit)
            latest_day = day
        same = _words("same_day").find(folded, story.language)
        parts = [
            h for h in lexicon("light").find(folded, story.language) if not line.spoken(h.start)
        ]
        for hit in parts:
            part = _PARTS.index(hit.concept)
            if same and part < latest_part:
                yield _backward(line, same[0])
            latest_part = part


def _backward(line: Line, hit: Hit) -> ContinuityIssue:
    said = line.text[hit.start : hit.end]
    return issue(
        IssueType.TIMELINE_ERROR,
        Severity.WARNING,
        f'"{said}" goes back in time within the segment, and no flashback is told.',
        line.location(hit.start, hit.end),
        "Mark it as a memory, or move it forward.",
    )


def _pluperfect(line: Line, language: str) -> bool:
    pattern = _PLUPERFECT.get(language)
    return pattern is not None and pattern.search(line.folded.text) is not None


_PLUPERFECT = {
    "en": re.compile(
        r"\b(?:had|'d)\s+(?:\w+ly\s+|never\s+|already\s+|not\s+)?\w+(?:ed|en|wn|ne|nt|ught|d|t|ung|un|um|ome)\b"
    ),
    "de": re.compile(r"\b(?:hatten?|waren?)\b.*\bge\w+(?:t|en)\b"),
    "fr": re.compile(r"\b(?:avait|avaient|etait|etaient)\s+\w+(?:e|i|u|is|it|es)\b"),
    "es": re.compile(r"\bhabian?\s+\w+(?:ado|ido|to|cho)\b"),
    "it": re.compile(r"\baveva(?:no)?\s+\w+(?:ato|ito|uto|so|to)\b"),
}


@lru_cache(maxsize=8)
def _words(concept: str) -> Lexicon:
    return lexicon("timeline", WORDS).only((concept,))


@lru_cache(maxsize=1)
def _weekdays() -> Lexicon:
    return lexicon("timeline", WORDS).only(_DAYS)
