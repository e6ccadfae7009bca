"""Find people who act although they are dead, or lie where nobody acts."""

from __future__ import annotations

from collections.abc import Iterator

from inference.language.rule_writer.deaths import deaths
from inference.language.rule_writer.folding import fold_map
from pipelines.continuity.agency import acts
from pipelines.continuity.reading import Line, Story, character_facts, cues, issue, told_before
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity


def dead_who_act(story: Story) -> Iterator[ContinuityIssue]:
    """One issue for each shot in which somebody dead does something."""
    dead = _dead_before(story)
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
            yield _acting(
                line,
                (mention.start, mention.end),
                f'{name} is dead ("{reason.text}") and acts here.',
                f"Let someone else act, or tell it as a memory of {name}.",
                reason,
            )
        if not (line.past or line.unreal):
            for death in deaths(line.text, story.language, story.bible.characters):
                reason = Evidence(source=f"shots/{line.shot}", text=death.sentence)
                dead.setdefault(death.who, reason)


def sleepers_who_act(story: Story) -> Iterator[ContinuityIssue]:
    """One issue for each sleeper (coma, stasis, stone) who acts without having been woken."""
    asleep = _asleep_before(story)
    for line in story.lines:
        if cues("wakes", line.folded, story.language):
            for mention in line.mentions:
                asleep.pop(mention.who, None)
        for mention in line.mentions:
            reason = asleep.get(mention.who)
            if reason is None or line.past or line.unreal or not acts(line, mention, story):
                continue
            del asleep[mention.who]
            name = line.text[mention.start : mention.end]
            yield _acting(
                line,
                (mention.start, mention.end),
                f'{name} cannot act ("{reason.text}") and does.',
                f"Tell how {name} wakes, or let someone else act.",
                reason,
            )


def _acting(
    line: Line, span: tuple[int, int], description: str, suggestion: str, reason: Evidence
) -> ContinuityIssue:
    return issue(
        IssueType.TIMELINE_ERROR,
        Severity.ERROR,
        description,
        line.location(*span),
        suggestion,
        (reason,),
    )


def _dead_before(story: Story) -> dict[str, Evidence]:
    """Ids of the characters that were dead before this script, with the reason."""
    dead: dict[str, Evidence] = {}
    for one in story.bible.characters:
        status = fold_map(one.status)
        if cues("dead", status, "") and not cues("negation", status, ""):
            dead[one.id] = character_facts(one)[-1]
    for told in told_before(story) if story.bible.characters else ():
        for death in deaths(told.text, "", story.bible.characters):
            dead.setdefault(death.who, told)
    return dead


def _asleep_before(story: Story) -> dict[str, Evidence]:
    asleep: dict[str, Evidence] = {}
    for one in story.bible.characters:
        status = fold_map(one.status)
        if cues("asleep", status, "") and not cues("negation", status, ""):
            asleep[one.id] = character_facts(one)[-1]
    return asleep
