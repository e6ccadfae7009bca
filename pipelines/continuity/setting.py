"""Find what contradicts the places of the bible and its rules."""

from __future__ import annotations

from collections.abc import Iterator

from inference.language.rule_writer.whereabouts import is_indoors
from pipelines.continuity.anachronisms import anachronisms
from pipelines.continuity.contradictions import against, rows_of
from pipelines.continuity.elsewhere import people_elsewhere
from pipelines.continuity.places_gone import gone_places
from pipelines.continuity.reading import Line, Story, issue, negated, place_facts
from pipelines.continuity.seasons import wrong_seasons
from pipelines.continuity.things import ThingsOf, where_lines_play
from pipelines.continuity.world_rules import broken_rules, world_facts
from storyforge.domain.bible import Place
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity


def setting_mismatches(story: Story) -> list[ContinuityIssue]:
    """Facts of places and of the world, places gone, broken rules, people elsewhere, other times."""
    found = [
        *_facts(story),
        *world_facts(story),
        *gone_places(story),
        *broken_rules(story),
        *people_elsewhere(story),
        *anachronisms(story),
        *wrong_seasons(story, IssueType.SETTING_MISMATCH),
    ]
    return _one_a_spot(found)


def _one_a_spot(found: list[ContinuityIssue]) -> list[ContinuityIssue]:
    """The first of several issues about the same words."""
    by_spot: dict[str, ContinuityIssue] = {}
    for one in found:
        by_spot.setdefault(one.location, one)
    return list(by_spot.values())


def _facts(story: Story) -> Iterator[ContinuityIssue]:
    whereabouts = where_lines_play(story)
    for place in story.bible.places:
        facts = place_facts(place)
        rows = rows_of("settings", facts)
        rows.pop("destroyed", None)
        indoors = is_indoors(place.name)
        if indoors is not None and not {"inside", "outside", "underground"} & rows.keys():
            named = Evidence(source=f"places/{place.id}/name", text=place.name)
            rows["inside" if indoors else "outside"] = named
        things = ThingsOf(place, facts, story.language)
        for line in story.lines:
            if whereabouts[line] != place.id and not _names(line, place):
                continue
            if _elsewhere(line, place) or line.past or line.unreal:
                continue
            yield from _against(story, line, place, rows)
            for start, end, fact in things.contradicted(line):
                yield _mismatch(line, place, (start, end), fact, line.text[start:end])


def _against(
    story: Story, line: Line, place: Place, rows: dict[str, Evidence]
) -> Iterator[ContinuityIssue]:
    for row, fact in rows.items():
        for hit in against("settings", row, line, story.language):
            if line.spoken(hit.start) or negated(line, hit.start, hit.end, story.language):
                continue
            told = line.text[hit.start : hit.end]
            yield _mismatch(line, place, (hit.start, hit.end), fact, told)
            break


def _mismatch(
    line: Line, place: Place, span: tuple[int, int], fact: Evidence, told: str
) -> ContinuityIssue:
    return issue(
        IssueType.SETTING_MISMATCH,
        Severity.WARNING,
        f'The bible says of {place.name}: "{fact.text}"; here: "{told}".',
        line.location(*span),
        f'Keep {place.name} "{fact.text}", or change the bible.',
        (fact,),
    )


def _names(line: Line, place: Place) -> bool:
    return any(one.who == place.id for one in line.places)


def _elsewhere(line: Line, place: Place) -> bool:
    """Whether the sentence names other places of the bible and not this one."""
    named = {one.who for one in line.places}
    return bool(named) and place.id not in named
