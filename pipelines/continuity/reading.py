"""Read a script once for all rules: sentences with their places, people and how they are meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from inference.language.rule_writer.cast import Finder, Mention, character_finder, place_finder
from inference.language.rule_writer.folding import Folded, fold_map
from inference.language.rule_writer.lexicon import Hit, Lexicon, lexicon
from inference.language.rule_writer.sentences import quote_spans, sentences
from inference.language.rule_writer.tongue import language_of
from storyforge.domain.bible import Character, Place, SceneBible
from storyforge.domain.continuity import ContinuityIssue, Evidence, IssueType, Severity
from storyforge.domain.script import Script, Shot
from storyforge.domain.segment import SegmentSummary

WORDS = "pipelines.continuity"


@dataclass(frozen=True)
class Line:
    """One sentence of a narration; `offset` is its start there, in characters.

    mentions, places: of the bible. past: told from earlier or only remembered. unreal: dreamt, wished or compared.
    lead: what the sentence has said in earlier shots, when it is cut over several.
    """

    shot: int
    offset: int
    folded: Folded
    mentions: tuple[Mention, ...]
    places: tuple[Mention, ...]
    quotes: tuple[tuple[int, int], ...]
    past: bool
    unreal: bool
    lead: str = ""

    @property
    def text(self) -> str:
        """The sentence as it stands."""
        return self.folded.original

    def location(self, start: int, end: int) -> str:
        """Where a range of this sentence is, in the words of ContinuityIssue."""
        return f"shots[{self.shot}].narration:{self.offset + start}-{self.offset + end}"

    def spoken(self, at: int) -> bool:
        """Whether a place is inside direct speech."""
        return any(start <= at < end for start, end in self.quotes)


@dataclass(frozen=True)
class Story:
    """A script beside its bible, ready for the rules."""

    script: Script
    bible: SceneBible
    recent: tuple[SegmentSummary, ...]
    language: str
    lines: tuple[Line, ...]
    people: Finder
    places: Finder

    @cached_property
    def text(self) -> str:
        """All narration in one piece."""
        return " ".join(shot.narration for shot in self.script.shots)

    def character(self, who: str) -> Character | None:
        """The bible's character of that id."""
        return next((one for one in self.bible.characters if one.id == who), None)

    def shot(self, line: Line) -> Shot:
        """The shot that a sentence is said over."""
        return self.script.shots[line.shot]

    def place_name(self, who: str) -> str:
        """The name of a place id, or the bare name itself."""
        return next((one.name for one in self.bible.places if one.id == who), who)


def read_story(script: Script, bible: SceneBible, recent: tuple[SegmentSummary, ...]) -> Story:
    """Split every narration into sentences and mark what each is about."""
    told = " ".join(shot.narration for shot in script.shots)
    language = language_of(told) or language_of(_facts(bible)) or "en"
    people = character_finder(bible.characters)
    places = place_finder(bible.places)
    lines = tuple(_lines(script, people, places, language))
    return Story(script, bible, recent, language, lines, people, places)


def character_facts(one: Character) -> tuple[Evidence, ...]:
    """What the bible says of a character, each with its path."""
    base = f"characters/{one.id}"
    traits = [(f"{base}/traits/{number}", text) for number, text in enumerate(one.traits)]
    rest = [(f"{base}/appearance", one.appearance), (f"{base}/status", one.status)]
    return _evidence([*traits, *rest])


def place_facts(one: Place) -> tuple[Evidence, ...]:
    """What the bible says of a place, each with its path."""
    return _evidence(
        [(f"places/{one.id}/facts/{number}", text) for number, text in enumerate(one.facts)]
    )


def rules_of(bible: SceneBible) -> tuple[Evidence, ...]:
    """The rules of the story's world, each with its path."""
    return _evidence([(f"rules/{number}", text) for number, text in enumerate(bible.rules)])


def told_before(story: Story) -> tuple[Evidence, ...]:
    """What happened so far: the timeline, then the recent segments."""
    events = sorted(enumerate(story.bible.timeline), key=lambda one: one[1].order)
    recent = [(f"recent/{one.number}", one.summary) for one in story.recent]
    return _evidence([*((f"timeline/{n}", one.description) for n, one in events), *recent])


def _evidence(facts: Iterable[tuple[str, str]]) -> tuple[Evidence, ...]:
    return tuple(Evidence(source=source, text=text) for source, text in facts if text)


def cues(concept: str, folded: Folded, language: str) -> list[Hit]:
    """Hits of one concept of `words/cues.toml`."""
    return _cue(concept).find(folded, language)


def issue(
    kind: IssueType,
    severity: Severity,
    description: str,
    location: str,
    suggestion: str = "",
    evidence: tuple[Evidence, ...] = (),
) -> ContinuityIssue:
    """One contradiction."""
    return ContinuityIssue(
        type=kind,
        severity=severity,
        description=description,
        location=location,
        suggestion=suggestion,
        evidence=evidence,
    )


def negated(line: Line, start: int, end: int, language: str) -> bool:
    """Whether a word is denied: a negation shortly before it, or right after its verb."""
    before = line.text[max(0, start - _NEGATION_BEFORE_CHARS) : start]
    clause = max(before.rfind(mark) for mark in ".;:!?\u3002\uff0c")
    after = line.text[end : end + _NEGATION_AFTER_CHARS]
    return any(
        _cue("negation").find(fold_map(part), language) for part in (before[clause + 1 :], after)
    )


_GOES_ON = ",;:\u2013\u2014\uff0c\u3001\uff1b\u060c"
_NEGATION_BEFORE_CHARS = 30
_NEGATION_AFTER_CHARS = 12  # "sprach kein Wort", "ne parla pas"


def _lines(script: Script, people: Finder, places: Finder, language: str) -> Iterable[Line]:
    past = unreal = goes_on = False
    said = ""
    for number, shot in enumerate(script.shots):
        cursor = 0
        for sentence in sentences(shot.narration, language):
            at = shot.narration.find(sentence.text, cursor)
            # Untidy narration (markup, doubled blanks): judge what is there, from its start.
            offset = at if at >= 0 else cursor
            cursor = offset + (len(sentence.text) if at >= 0 else 0)
            folded = fold_map(sentence.text)
            # A sentence cut over two shots is meant as it began.
            past = (past and goes_on) or bool(_cue("flashback").find(folded, language))
            unreal = (unreal and goes_on) or bool(_cue("unreal").find(folded, language))
            lead = said if goes_on else ""
            said = f"{lead} {sentence.text}".strip()
            goes_on = sentence.text[-1] in _GOES_ON or sentence.text[-1].isalnum()
            yield Line(
                shot=number,
                offset=offset,
                folded=folded,
                mentions=tuple(people.find(folded)),
                places=tuple(places.find(folded)),
                quotes=tuple(quote_spans(sentence.text)),
                past=past,
                unreal=unreal,
                lead=lead,
            )


def _facts(bible: SceneBible) -> str:
    """Words of the bible that tell its language when the narration is too short to."""
    events = " ".join(event.description for event in bible.timeline[-3:])
    return f"{bible.synopsis} {' '.join(bible.rules)} {events}"


@lru_cache(maxsize=16)
def _cue(concept: str) -> Lexicon:
    return lexicon("cues", WORDS).only((concept,))
