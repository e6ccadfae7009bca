"""Find sentences that break a rule of the bible: what must not be, and who never leaves where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from inference.language.rule_writer.folding import Folded, fold, fold_map
from inference.language.rule_writer.lexicon import Hit, Lexicon, lexicon, paired
from pipelines.continuity.contradictions import against, rows_of
from pipelines.continuity.denied import denied_things, things_pattern
from pipelines.continuity.reading import WORDS, Line, Story, issue, negated, rules_of
from pipelines.continuity.subjects import subject_of
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity

_WORD = re.compile(r"[^\W\d_]+")
_REACH_CHARS = 24
_LEAST_TOPIC_CHARS = 4
_ABOUT_PEOPLE = frozenset({"flying"})


def broken_rules(story: Story) -> Iterator[ContinuityIssue]:
    """At most one issue for each rule and shot."""
    for rule in rules_of(story.bible):
        folded = fold_map(rule.text)
        if _words("new_people").find(folded, ""):
            continue
        if _words("never_leaves").find(folded, ""):
            yield from _left(story, rule, folded)
        elif _words("no").find(folded, ""):
            yield from _forbidden(story, rule, folded)


def world_facts(story: Story) -> Iterator[ContinuityIssue]:
    """Rules that tell what the world is like: "It never rains", "Always winter"."""
    for row, rule in rows_of("settings", rules_of(story.bible)).items():
        named = {one.who for one in story.places.find(fold_map(rule.text))}
        for line in story.lines:
            here = {one.who for one in line.places}
            if line.past or line.unreal or (named and not named & here and _is_abroad(line)):
                continue
            for hit in against("settings", row, line, story.language):
                if line.spoken(hit.start) or negated(line, hit.start, hit.end, story.language):
                    continue
                yield _broken(line, hit, rule, Severity.WARNING)
                break


def _is_abroad(line: Line) -> bool:
    """Whether the sentence is about another place, one of the bible or "in Denver"."""
    return bool(line.places) or re.search(r"\b(?:in|at|over) [A-Z][a-z]", line.text) is not None


def _forbidden(story: Story, rule: Evidence, folded: Folded) -> Iterator[ContinuityIssue]:
    topics = [
        row
        for row, (topic, _) in paired("rules", WORDS, ("topic", "breach")).items()
        if topic.find(folded, "")
    ]
    denied = denied_things(rule.text) if story.language == "en" else []
    told: set[int] = set()
    for line in story.lines:
        if line.unreal or line.past or line.shot in told:
            continue
        hits = _breaches(line, topics, story.language) or _said(line, rule.text, denied)
        for hit in hits:
            if line.spoken(hit.start) or negated(line, hit.start, hit.end, story.language):
                continue
            if not _concerns(story, line, folded) or _is_known(story, line, hit):
                continue
            if _ABOUT_PEOPLE & set(topics) and not subject_of(line, story, hit.start, hit.end):
                continue  # a crow may fly
            told.add(line.shot)
            severity = Severity.ERROR if topics else Severity.WARNING
            yield _broken(line, hit, rule, severity)
            break


def _is_known(story: Story, line: Line, hit: Hit) -> bool:
    """Whether the word belongs to somebody or some place of the bible."""
    named = any(one.start <= hit.start < one.end for one in (*line.mentions, *line.places))
    said = fold(line.text[hit.start : hit.end])
    traits = " ".join(trait for one in story.bible.characters for trait in one.traits)
    return named or re.search(rf"\b{re.escape(said)}\b", fold(traits)) is not None


def _breaches(line: Line, topics: list[str], language: str) -> list[Hit]:
    rows = paired("rules", WORDS, ("topic", "breach"))
    return [hit for row in topics for hit in rows[row][1].find(line.folded, language)]


def _said(line: Line, rule: str, denied: list[str]) -> list[Hit]:
    """The forbidden noun itself, for rules that no row knows ("No clocks")."""
    if denied:
        match = things_pattern(denied).search(line.folded.text)
        return [Hit("said", *line.folded.span(*match.span()))] if match else []
    match = _NO_THING.match(fold(rule))
    if match is None or len(match.group(1)) < _LEAST_TOPIC_CHARS:
        return []
    stem = match.group(1).removesuffix("s")
    found = re.search(rf"(?<!\w){re.escape(stem)}s?(?!\w)", line.folded.text)
    return [Hit("said", *line.folded.span(*found.span()))] if found else []


def _concerns(story: Story, line: Line, rule: Folded) -> bool:
    """A rule that names a character concerns only sentences with that character."""
    named = {one.who for one in story.people.find(rule)}
    return not named or bool(
        named & ({one.who for one in line.mentions} | set(story.shot(line).characters))
    )


def _left(story: Story, rule: Evidence, folded: Folded) -> Iterator[ContinuityIssue]:
    leave = _words("never_leaves").find(folded, "")[0]
    bound = [
        fold(word)
        for word in _WORD.findall(rule.text[leave.end :])
        if len(word) >= _LEAST_TOPIC_CHARS
    ]
    known = {one.who for one in story.places.find(folded)}
    told: set[int] = set()
    for line in story.lines:
        if line.unreal or line.past or line.shot in told or not _concerns(story, line, folded):
            continue
        for hit in _words("leaves").find(line.folded, story.language):
            near = line.folded.text[line.folded.position(hit.end) :][:_REACH_CHARS]
            tail = line.text[hit.end : hit.end + _REACH_CHARS]
            meant = any(word in near for word in bound) or bool(
                known & {one.who for one in story.places.find(fold_map(tail))}
            )
            spoken = line.spoken(hit.start) or negated(line, hit.start, hit.end, story.language)
            if meant and not spoken:
                told.add(line.shot)
                yield _broken(line, hit, rule, Severity.ERROR)
                break


def _broken(line: Line, hit: Hit, rule: Evidence, severity: Severity) -> ContinuityIssue:
    said = line.text[hit.start : hit.end]
    return issue(
        IssueType.SETTING_MISMATCH,
        severity,
        f'"{said}" breaks the rule "{rule.text}".',
        line.location(hit.start, hit.end),
        "Tell it without, or change the rule.",
        (rule,),
    )


_NO_THING = re.compile(
    r"(?:there (?:is|are) )?(?:no|keine?|pas de|sin|senza|geen|\u0431\u0435\u0437)\s+(\w+)[.!]?$"
)


@lru_cache(maxsize=8)
def _words(concept: str) -> Lexicon:
    return lexicon("prohibitions", WORDS).only((concept,))
