"""The things of one place: what they look like, which are missing, which do not work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from inference.language.rule_writer.folding import fold
from inference.language.rule_writer.lexicon import lexicon
from pipelines.continuity.attributes import attributes_of, contradicted
from pipelines.continuity.denied import denied_things, things_pattern
from pipelines.continuity.features import Features
from pipelines.continuity.out_of_order import BrokenThings
from pipelines.continuity.reading import Line, Story, negated
from storyforge.domain.bible import Place
from storyforge.domain.continuity import Evidence


class ThingsOf:
    """What the facts of a place say of the things in it."""

    def __init__(self, place: Place, facts: tuple[Evidence, ...], language: str) -> None:
        self._language = language
        self._colours = attributes_of(facts)
        english = facts if language == "en" else ()
        names = (place.name, *place.aliases)
        self._themselves = frozenset(fold(name.split()[-1]) for name in names)
        self._features = Features.of(english, self._themselves)
        self._broken = BrokenThings(english)
        self._denied = [
            (things_pattern(nouns), fact)
            for fact in english
            for nouns in [denied_things(fact.text)]
            if nouns
        ]

    def contradicted(self, line: Line) -> Iterator[tuple[int, int, Evidence]]:
        """(start, end, fact) wherever a sentence about the place says otherwise."""
        for start, end, _, _, fact in contradicted(line, self._colours, self._language):
            yield start, end, fact
        yield from self._features.contradicted(line, self._themselves)
        yield from self._broken.at_work(line)
        for pattern, fact in self._denied:
            match = pattern.search(line.folded.text)
            if match is None:
                continue
            span = line.folded.span(*match.span())
            if not line.spoken(span[0]) and not negated(line, *span, self._language):
                yield (*span, fact)


def where_lines_play(story: Story) -> Mapping[Line, str]:
    """The bible's place of each sentence: of its shot, or the one named last; "" if untold."""
    generic = lexicon("places").only(("outdoors", "indoors"))
    current = ""
    played: dict[Line, str] = {}
    for line in story.lines:
        named = list(dict.fromkeys(one.who for one in line.places if not line.spoken(one.start)))
        if len(named) == 1:
            current = named[0]
        elif named or generic.find(line.folded, story.language):
            current = ""
        played[line] = story.shot(line).place or current
    return played
