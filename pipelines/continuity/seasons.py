"""Find a season that is not the story's; English only."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.continuity.reading import Line, Story, issue, negated
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity

_SEASONS = {
    "spring": 0,
    "summer": 1,
    "autumn": 2,
    "fall": 2,
    "winter": 3,
    "midsummer": 1,
    "midwinter": 3,
}
_SAID = re.compile(
    r"\b(?:it (?:is|was) (?:now |still |a |the )*(?:\w+ )?|in (?:the |late |early )?|the \w+ of |(?:night|day|morning|evening) of (?:the )?|"
    r"one |that |this |late |early |in the middle of )(spring|summer|autumn|winter|midsummer|midwinter)\b"
    r"(?! (?:heat|sun|breeze|rain|dress|coat|palace|garden|night))"
)
_PASSES = re.compile(
    r"\b(?:next|last|since|every|each|until|till|later|came|passed|after|before|years?|coming|by|turned|soon|"
    r"when|like|palace|as in|had been|used to|again)\b"
)
_NEXT = 1  # the season that simply comes next


def wrong_seasons(story: Story, kind: IssueType) -> Iterator[ContinuityIssue]:
    """A season other than the one the synopsis (a setting) or the last event (a time) tells."""
    known = _known(story, kind) if story.language == "en" else None
    if known is None:
        return
    season, evidence = known
    for line in story.lines:
        match = _SAID.search(line.folded.text)
        if match is None or line.past or line.unreal or _PASSES.search(line.folded.text):
            continue
        span = line.folded.span(*match.span(1))
        ahead = (_SEASONS[match.group(1)] - season) % 4
        named = any(one.start <= span[0] < one.end for one in (*line.places, *line.mentions))
        if ahead <= _NEXT or named or line.spoken(span[0]) or negated(line, *span, "en"):
            continue
        yield _wrong(line, span, kind, evidence)
        return


def _known(story: Story, kind: IssueType) -> tuple[int, Evidence] | None:
    if kind is IssueType.SETTING_MISMATCH:
        text = story.bible.synopsis
        match = re.search(r"\b(spring|summer|autumn|winter)\b", text.lower())
        return (_SEASONS[match.group(1)], Evidence(source="synopsis", text=text)) if match else None
    events = sorted(enumerate(story.bible.timeline), key=lambda one: one[1].order, reverse=True)
    for number, event in events:
        match = re.search(
            r"\b(spring|summer|autumn|winter|midsummer|midwinter)\b", event.when.lower()
        )
        if match:
            text = f"{event.when}: {event.description}"
            return _SEASONS[match.group(1)], Evidence(source=f"timeline/{number}", text=text)
        if event.when:
            return None
    return None


def _wrong(
    line: Line, span: tuple[int, int], kind: IssueType, evidence: Evidence
) -> ContinuityIssue:
    said = line.text[slice(*span)]
    return issue(
        kind,
        Severity.WARNING,
        f'It is {said} here, and the story has "{evidence.text}".',
        line.location(*span),
        "Tell how time has passed, or keep the season.",
        (evidence,),
    )
