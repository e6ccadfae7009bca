"""Find people in the picture who are known to be somewhere else: imprisoned, gone abroad, lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from inference.language.rule_writer.cast import Mention
from inference.language.rule_writer.folding import fold, fold_map
from inference.language.rule_writer.lexicon import Lexicon, lexicon
from pipelines.continuity.agency import acts
from pipelines.continuity.reading import (
    WORDS,
    Line,
    Story,
    character_facts,
    cues,
    issue,
    told_before,
)
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity

_WORD = re.compile(r"[^\W\d_]+")
_SUBJECT_CHARS = 40  # between a name and what is said of its whereabouts
_LEAST_CHARS = 4
_PLAIN = frozenset(
    {"with", "from", "into", "that", "this", "there", "after", "before", "their", "home", "away"}
    | {"left", "locked", "held", "moved", "went", "living", "lives", "sailed", "back", "arrested"}
)


@dataclass(frozen=True)
class _Elsewhere:
    """Where somebody is: the fact, and its words that would name the place."""

    evidence: Evidence
    where: frozenset[str]


def people_elsewhere(story: Story) -> Iterator[ContinuityIssue]:
    """One issue for each absent character who acts among the others; English only."""
    if story.language != "en":
        return
    away = _away(story)
    for line in story.lines:
        words = {fold(word) for word in _WORD.findall(line.text)}
        returned = bool(_words("returns").find(line.folded, "en"))
        for who in [mention.who for mention in line.mentions if mention.who in away]:
            if returned or words & away[who].where or _shot_place(line, story) & away[who].where:
                away.pop(who, None)
        for mention in line.mentions:
            absent = away.get(mention.who)
            if absent is None or not _is_seen(line, mention, story):
                continue
            del away[mention.who]
            name = line.text[mention.start : mention.end]
            yield issue(
                IssueType.SETTING_MISMATCH,
                Severity.ERROR,
                f'{name} is elsewhere ("{absent.evidence.text}") and acts here.',
                line.location(mention.start, mention.end),
                f"Tell how {name} comes back, or let someone else act.",
                (absent.evidence,),
            )


def _away(story: Story) -> dict[str, _Elsewhere]:
    """Who is elsewhere: the status tells, or the last event about that character."""
    away: dict[str, _Elsewhere] = {}
    for told in told_before(story):
        folded = fold_map(told.text)
        mentions = story.people.find(folded)
        for mention in mentions:
            tail = told.text[mention.end :][:_SUBJECT_CHARS]
            if _lexicon_hit(("returns",), tail):
                away.pop(mention.who, None)
            elif _gone(tail):
                away[mention.who] = _Elsewhere(told, _names_of_place(told.text[mention.end :]))
    for one in story.bible.characters:
        status = character_facts(one)[-1:] if one.status else ()
        for told in status:
            if _lexicon_hit(("held", "went", "lost"), told.text):
                away[one.id] = _Elsewhere(told, _names_of_place(told.text))
        if cues("dead", fold_map(one.status), ""):
            away.pop(one.id, None)
    return away


def _gone(tail: str) -> bool:
    """Whether what follows a name says that this one went or was taken away."""
    clause = re.split(r"[.;!?]|, (?:and|but) ", tail)[0]
    return _lexicon_hit(("held", "went", "lost"), clause)


def _names_of_place(text: str) -> frozenset[str]:
    words = [fold(word) for word in _WORD.findall(text) if len(word) >= _LEAST_CHARS]
    return frozenset(words) - _PLAIN


def _is_seen(line: Line, mention: Mention, story: Story) -> bool:
    """Whether the character acts here in the flesh, with others or in another place."""
    if line.past or line.unreal or not acts(line, mention, story):
        return False
    if any(not line.spoken(hit.start) for hit in _words("remote").find(line.folded, "en")):
        return False
    generic = lexicon("places").only(("outdoors", "indoors")).find(line.folded, "en")
    return _others(story, mention.who) or bool(line.places) or bool(generic)


def _others(story: Story, who: str) -> bool:
    """Whether anyone else of the bible is about, by name or by a title ("the captain")."""
    if any(one.who != who for line in story.lines for one in line.mentions):
        return True
    titles = lexicon("people").words("titles", "en")
    ranks = {fold(one.name.split()[0]) for one in story.bible.characters if one.id != who} & titles
    return any(re.search(rf"\bthe {re.escape(rank)}\b", fold(story.text)) for rank in ranks)


def _shot_place(line: Line, story: Story) -> frozenset[str]:
    name = story.place_name(story.shot(line).place)
    return frozenset(fold(word) for word in _WORD.findall(name))


def _lexicon_hit(concepts: tuple[str, ...], text: str) -> bool:
    return any(_words(one).find(fold_map(text), "en") for one in concepts)


@lru_cache(maxsize=8)
def _words(concept: str) -> Lexicon:
    return lexicon("whereabouts", WORDS).only((concept,))
