"""Find breaks in the order of time: the dead act, days run backwards, years fall back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from inference.language.rule_writer.deaths import deaths
from inference.language.rule_writer.folding import fold_map
from inference.language.rule_writer.lexicon import Hit, Lexicon, lexicon
from pipelines.continuity.agency import acts
from pipelines.continuity.reading import WORDS, Line, Story, cues, issue
from storyforge.domain.continuity import ContinuityIssue, IssueType, Severity

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PARTS = ("dawn", "day", "dusk", "night")
_YEAR = re.compile(r"(?<![\d.,:])(1[0-9]\d{2}|2[0-9]\d{2})(?![\d:])")
_YEAR_LEAD_CHARS = 24


def timeline_errors(story: Story) -> list[ContinuityIssue]:
    """Everything about time, in the order of the script."""
    return [*_dead_who_act(story), *_steps_back(story), *_years_back(story)]


def dead_before(story: Story) -> dict[str, str]:
    """Ids of the characters that were dead before this script, with the reason."""
    dead: dict[str, str] = {}
    for one in story.bible.characters:
        status = fold_map(one.status)
        if cues("dead", status, "") and not cues("negation", status, ""):
            dead[one.id] = f'status "{one.status}"'
    if not story.bible.characters:
        return dead
    for event in story.bible.timeline:
        for death in deaths(event.description, "", story.bible.characters):
            dead.setdefault(death.who, f'event "{event.description}"')
    return dead


def _dead_who_act(story: Story) -> Iterator[ContinuityIssue]:
    dead = dead_before(story)
    told: set[tuple[str, int]] = set()
    for line in story.lines:
        meant = line.past or line.unreal or cues("revival", line.folded, story.language)
        for mention in line.mentions:
            reason = dead.get(mention.who)
            key = (mention.who, line.shot)
            if reason is None or meant or key in told or not acts(line, mention, story):
                continue
            told.add(key)
            name = line.text[mention.start : mention.end]
            yield issue(
                IssueType.TIMELINE_ERROR,
                Severity.ERROR,
                f"{name} is dead ({reason}) and acts here.",
                line.location(mention.start, mention.end),
                f"Let someone else act, or tell it as a memory of {name}.",
            )
        if not (line.past or line.unreal):
            for death in deaths(line.text, story.language, story.bible.characters):
                dead.setdefault(death.who, f"dies in shot {line.shot + 1}")


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


def _years_back(story: Story) -> Iterator[ContinuityIssue]:
    latest = max(
        (
            int(year)
            for event in story.bible.timeline
            for year in _YEAR.findall(f"{event.when} {event.description}")
        ),
        default=0,
    )
    for line in story.lines:
        for match in _YEAR.finditer(line.text):
            year = int(match.group(0))
            lead = line.text[max(0, match.start() - _YEAR_LEAD_CHARS) : match.start()]
            origin = _words("origin").find(fold_map(lead), story.language)
            if line.past or line.unreal or line.spoken(match.start()) or origin:
                continue
            if year < latest and not _pluperfect(line, story.language):
                yield issue(
                    IssueType.TIMELINE_ERROR,
                    Severity.WARNING,
                    f"The story has reached {latest}; here it is {year}.",
                    line.location(match.start(), match.end()),
                    f"Tell {year} as a flashback, or change the year.",
                )
            latest = max(latest, year)


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
