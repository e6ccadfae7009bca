"""Find dates before the date that the story has reached: years, days, months, counted days."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from inference.language.rule_writer.folding import fold_map
from inference.language.rule_writer.lexicon import Lexicon, lexicon
from pipelines.continuity.reading import WORDS, Line, Story, issue
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_YEAR = re.compile(r"(?<![\d.,:])(1[0-9]\d{2}|2[0-9]\d{2})(?![\d:])|\byear (\d{1,4})\b")
_YEAR_LEAD_CHARS = 24
_YEAR_MONTHS = 12
_FAR_MONTHS = 6  # half a year back may as well be half a year on
_FAR_DAYS = 180
_WRAPPED_DAYS = 5  # from Sunday to Friday one rather looks back than on
_WEEK = 7
_MONTH_DAYS = 31


@dataclass(frozen=True)
class Moment:
    """A date in words: kind is `year`, `date` (month and day), `month`, `weekday` or `day`.

    value: the year; day of the year in months of 31 days; month or weekday from 0; counted days.
    unit: what is counted, "day" or "sol".
    """

    kind: str
    value: int
    start: int
    end: int
    unit: str = ""


@dataclass(frozen=True)
class _Now:
    """Where the story stands: the latest date of a kind, with the event that tells it."""

    moment: Moment
    evidence: Evidence


def dates_back(story: Story) -> Iterator[ContinuityIssue]:
    """Every date in plain narration that lies before the story's now."""
    now = _reached(story)
    for line in story.lines:
        if line.past or line.unreal:
            continue
        moments = [
            one for one in moments_in(line.text, story.language) if not line.spoken(one.start)
        ]
        years = [one.value for one in moments if one.kind == "year"]
        for one in moments:
            stands = now.get(f"{one.kind}{one.unit}")
            if stands is None or not _is_before(one, stands.moment, line):
                continue
            later_year = "year" in now and any(y > now["year"].moment.value for y in years)
            if one.kind == "year" or not later_year:
                yield _back(line, one, stands.evidence)
                break
        for one in moments:
            if one.kind in ("year", "day") and not _of_things(one, line):
                known = now.get(f"{one.kind}{one.unit}")
                if known is None or one.value > known.moment.value:
                    here = Evidence(source=f"shots/{line.shot}", text=line.text)
                    now[f"{one.kind}{one.unit}"] = _Now(one, here)


def moments_in(text: str, language: str) -> list[Moment]:
    """All dates of a text, in order of place; dates of days and months are read in English."""
    found = [
        Moment("year", int(match.group(1) or match.group(2)), *match.span())
        for match in _YEAR.finditer(text)
    ]
    found += [
        Moment("weekday", _DAYS.index(hit.concept), hit.start, hit.end)
        for hit in _weekdays().find(fold_map(text), language)
    ]
    if language in ("en", ""):
        found += [*_dates(text), *_counted(text)]
    return sorted(found, key=lambda one: one.start)


def _reached(story: Story) -> dict[str, _Now]:
    """The latest date of each kind that the timeline tells."""
    now: dict[str, _Now] = {}
    events = sorted(enumerate(story.bible.timeline), key=lambda one: one[1].order)
    for number, event in events:
        for text in (event.when, event.description):
            evidence = Evidence(
                source=f"timeline/{number}", text=f"{event.when}: {event.description}"
            )
            moments = moments_in(text, "en" if story.language == "en" else "")
            if text == event.when and any(one.kind == "month" for one in moments):
                now.pop("date", None)  # a month without a day is all that is known now
            for one in moments:
                key = f"{one.kind}{one.unit}"
                known = now.get(key)
                if one.kind != "year" or known is None or one.value >= known.moment.value:
                    now[key] = _Now(one, evidence)
    return now


def _is_before(one: Moment, now: Moment, line: Line) -> bool:
    if _of_things(one, line) or _pluperfect(line):
        return False
    if one.kind in ("year", "day"):
        return one.value < now.value
    if _words("passes").find(line.folded, "en"):
        return False
    if one.kind == "date":
        return 0 < now.value - one.value <= _FAR_DAYS
    if one.kind == "month":
        return 0 < (now.value - one.value) % _YEAR_MONTHS < _FAR_MONTHS
    ahead = (one.value - now.value) % _WEEK
    return one.value < now.value and ahead >= _WRAPPED_DAYS


def _of_things(one: Moment, line: Line) -> bool:
    """Whether the date is a thing's, not the story's: built in 1890, wine of 1847."""
    lead = line.text[max(0, one.start - _YEAR_LEAD_CHARS) : one.start]
    if _SEASON_OF.search(lead):
        return False  # "in the spring of 1849" is the story's own time
    return one.kind == "year" and bool(_origin().find(fold_map(lead), ""))


_SEASON_OF = re.compile(
    r"(?:spring|summer|autumn|fall|winter|year|end|beginning|close|night|morning|day|month|days) of $",
    re.IGNORECASE,
)


def _back(line: Line, one: Moment, evidence: Evidence) -> ContinuityIssue:
    said = line.text[one.start : one.end]
    return issue(
        IssueType.TIMELINE_ERROR,
        Severity.WARNING,
        f'The story has reached "{evidence.text}"; here it is {said}.',
        line.location(one.start, one.end),
        f"Tell {said} as a flashback, or change the date.",
        (evidence,),
    )


def _dates(text: str) -> Iterator[Moment]:
    months, day, counted = (
        _alternatives("months"),
        r"(\d{1,2})(?:st|nd|rd|th)?",
        _alternatives("ordinals"),
    )
    patterns: tuple[tuple[str, Callable[[re.Match[str]], tuple[str, str]]], ...] = (
        (rf"\b(?:{day}|(?:the )?({counted}))(?: of)? ({months})\b", lambda m: (m[1] or m[2], m[3])),
        (rf"\b({months}) (?:the )?(?:{day}|({counted}))\b", lambda m: (m[2] or m[3], m[1])),
    )
    taken: list[tuple[int, int]] = []
    for pattern, parts in patterns:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            number, month = parts(match)
            value = int(number) if number.isdigit() else _index("ordinals", number) + 1
            if any(low < match.end() and match.start() < high for low, high in taken):
                continue
            taken.append(match.span())
            yield Moment("date", _index("months", month) * _MONTH_DAYS + value, *match.span())
    for match in re.finditer(rf"\b({months})\b", text, re.IGNORECASE):
        name = match.group(1)
        inside = any(low <= match.start() < high for low, high in taken)
        sure = name not in _DOUBTFUL or _IN_MONTH.search(text[: match.start()])
        if name[0].isupper() and (inside or sure):
            yield Moment("month", _index("months", name), *match.span())


# Verbs and names first, months only where the words before tell.
_DOUBTFUL = frozenset({"May", "March", "April", "June"})
_IN_MONTH = re.compile(
    r"\b(?:[Ii]n|of|[Ee]arly|[Ll]ate|[Bb]y|[Tt]his|[Tt]hat|[Mm]id-?|one|hot|warm|cold)[ -]$"
)


def _counted(text: str) -> Iterator[Moment]:
    ordinals, numbers = _alternatives("ordinals"), _alternatives("numbers")
    for match in re.finditer(
        rf"\b(day|sol)s? (?:number )?(?:(\d{{1,5}})|({numbers}))\b", text, re.IGNORECASE
    ):
        value = int(match[2]) if match[2] else _index("numbers", match[3]) + 1
        yield Moment("day", value, *match.span(), unit=match[1].lower())
    for match in re.finditer(
        rf"\b(?:the|their|our) (?:({ordinals})|(\d{{1,3}})(?:st|nd|rd|th)) (day|sol)\b"
        r"(?! of (?:the )?(?:week|month|year|spring|summer|autumn|winter|school|[A-Z]))",
        text,
        re.IGNORECASE,
    ):
        value = int(match[2]) if match[2] else _index("ordinals", match[1]) + 1
        yield Moment("day", value, *match.span(), unit=match[3].lower())


def _pluperfect(line: Line) -> bool:
    return _HAD.search(line.folded.text) is not None


_HAD = re.compile(
    r"\b(?:had|'d)\s+(?:\w+ly\s+|never\s+|already\s+|not\s+)?(?:been|gone|left|\w+ed|\w+en)\b"
)


@lru_cache(maxsize=8)
def _alternatives(concept: str) -> str:
    words = lexicon("calendar", WORDS).table[concept]["en"].split(", ")
    return "|".join(sorted(words, key=len, reverse=True))


def _index(concept: str, word: str) -> int:
    return lexicon("calendar", WORDS).table[concept]["en"].split(", ").index(word.lower())


@lru_cache(maxsize=4)
def _words(concept: str) -> Lexicon:
    return lexicon("calendar", WORDS).only((concept,))


@lru_cache(maxsize=1)
def _origin() -> Lexicon:
    return lexicon("timeline", WORDS).only(("origin",))


@lru_cache(maxsize=1)
def _weekdays() -> Lexicon:
    return lexicon("timeline", WORDS).only(_DAYS)
