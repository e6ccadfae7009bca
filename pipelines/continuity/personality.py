"""Find deeds and looks that contradict what the bible says of a character."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.continuity.attributes import attributes_of, contradicted
from pipelines.continuity.contradictions import against, rows_of
from pipelines.continuity.reading import Line, Story, character_facts, issue, negated
from pipelines.continuity.subjects import owner_of, subject_of
from storyforge.domain.bible import Character
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity

# Temper may change in a story; what a body or a vow excludes does not change by itself.
_TEMPER = frozenset(
    {"brave", "coward", "gentle", "cruel", "honest", "shy", "calm", "old", "young", "tall", "sober"}
)


def personality_contradictions(story: Story) -> list[ContinuityIssue]:
    """One issue for each fact of a character and each sentence that contradicts it."""
    found: list[ContinuityIssue] = []
    for character in story.bible.characters:
        facts = character_facts(character)
        rows = rows_of("traits", facts)
        looks = attributes_of(facts)
        for line in story.lines:
            if line.past or line.unreal:
                continue
            found.extend(_deeds(story, line, character, rows))
            for start, end, noun, told, known in contradicted(line, looks, story.language):
                if owner_of(line, story, start) == character.id and noun.startswith("noun_"):
                    found.append(_looks(line, character, (start, end), told, known))
    return found


def _deeds(
    story: Story, line: Line, character: Character, rows: dict[str, Evidence]
) -> Iterator[ContinuityIssue]:
    for row, fact in rows.items():
        for hit in against("traits", row, line, story.language):
            if line.spoken(hit.start) or negated(line, hit.start, hit.end, story.language):
                continue
            if subject_of(line, story, hit.start, hit.end) != character.id:
                continue
            said = line.text[hit.start : hit.end]
            yield issue(
                IssueType.PERSONALITY_CONTRADICTION,
                Severity.WARNING if row in _TEMPER else Severity.ERROR,
                f'The bible says of {character.name}: "{fact.text}"; here: "{said}".',
                line.location(hit.start, hit.end),
                f'Tell it so that {character.name} stays "{fact.text}", or change the bible.',
                (fact,),
            )
            break


def _looks(
    line: Line, character: Character, span: tuple[int, int], told: str, known: Evidence
) -> ContinuityIssue:
    return issue(
        IssueType.PERSONALITY_CONTRADICTION,
        Severity.WARNING,
        f'The bible says of {character.name}: "{known.text}"; here: "{told}".',
        line.location(*span),
        known.text,
        (known,),
    )
