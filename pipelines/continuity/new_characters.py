"""Find people whom the bible does not know."""

from __future__ import annotations

from inference.language.rule_writer.folding import fold, fold_map
from inference.language.rule_writer.lexicon import Lexicon, lexicon
from inference.language.rule_writer.strangers import StrangerFinder
from pipelines.continuity.known_names import known_words
from pipelines.continuity.name_drift import cured_name
from pipelines.continuity.presence import newcomers, relatives
from pipelines.continuity.reading import WORDS, Story, issue
from storyforge.domain.continuity import ContinuityIssue, IssueType, Severity


def new_characters(story: Story, drifted: frozenset[str] = frozenset()) -> list[ContinuityIssue]:
    """One issue per unknown name; a warning, unless a rule forbids new characters.

    drifted: locations that name drift already explains.
    """
    found: dict[str, ContinuityIssue] = {}
    strangers = StrangerFinder(story.text, story.language)
    severity = Severity.ERROR if forbids_newcomers(story) else Severity.WARNING
    for line in story.lines:
        for one in newcomers(line, story, strangers):
            location = line.location(one.start, one.end)
            if _explained(location, drifted) or _known(one.name, story):
                continue
            found.setdefault(_key(one.name, found), _unknown(one.name, location, severity))
        for one in relatives(line, story):
            location = line.location(one.start, one.end)
            if not _explained(location, drifted):
                found.setdefault(fold(one.name), _unknown(one.name, location, severity))
    known = known_words(story)
    for number, shot in enumerate(story.script.shots):
        for who in shot.characters:
            extra = who == who.lower() and who != who.upper()  # "a guard" is nobody in particular
            told = who in story.text  # then its sentence decides
            if extra or told or _known(who, story) or cured_name(who, story, known):
                continue
            location = f"shots[{number}].characters"
            found.setdefault(_key(who, found), _unknown(who, location, severity))
    return list(found.values())


def forbids_newcomers(story: Story) -> bool:
    """Whether a rule of the bible says that nobody new may appear."""
    return any(_new_people().find(fold_map(rule), "") for rule in story.bible.rules)


def _unknown(name: str, location: str, severity: Severity) -> ContinuityIssue:
    forbidden = severity is Severity.ERROR
    return issue(
        IssueType.NEW_CHARACTER,
        severity,
        f'The bible does not know "{name}"'
        + (" and its rules allow no new characters." if forbidden else "."),
        location,
        "Use a character of the bible." if forbidden else f'Add "{name}" to the bible.',
    )


def _known(name: str, story: Story) -> bool:
    if any(one.id == name for one in story.bible.characters):
        return True
    folded = fold_map(name)
    return bool(story.people.find(folded) or story.places.find(folded))


def _key(name: str, found: dict[str, ContinuityIssue]) -> str:
    """One key per newcomer, so that "Alma" and "Mrs Alma Reed" are the same."""
    words = set(fold(name).split())
    for known in found:
        others = set(known.split())
        if words <= others or others <= words:
            return known
    return fold(name)


def _explained(location: str, drifted: frozenset[str]) -> bool:
    shot, _, span = location.partition(":")
    start, _, end = span.partition("-")
    for other in drifted:
        other_shot, _, other_span = other.partition(":")
        low, _, high = other_span.partition("-")
        if shot == other_shot and high and int(low) < int(end) and int(start) < int(high):
            return True
    return False


def _new_people() -> Lexicon:
    return lexicon("prohibitions", WORDS).only(("new_people",))
