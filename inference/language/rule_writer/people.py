"""Say who is in a shot: named characters, strangers, and whom a pronoun carries over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from inference.language.rule_writer.cast import Mention, character_finder, place_finder
from inference.language.rule_writer.folding import Folded, fold, fold_map
from inference.language.rule_writer.lexicon import Lexicon, lexicon
from inference.language.rule_writer.sentences import quote_spans
from inference.language.rule_writer.strangers import StrangerFinder
from storyforge.domain.bible import Character, SceneBible

_MOST_IN_A_SHOT = 8
_GONE = re.compile(  # who has left is not in the picture
    r"\s+(?:(?:was|were) (?:gone|nowhere)|had (?:gone|vanished|disappeared)|war (?:fort|verschwunden|weg)"
    r"|avait disparu|hab\u00eda desaparecido|se hab\u00eda ido)\b"
)
_PRONOUNS = ("he", "she", "they")
_VOCATIVE_BEFORE = tuple(',"\u201c\u201e\u00ab\u00bb\u300c\uff0c\u2014')
_VOCATIVE_AFTER = tuple(',.!?"\u201d\u00bb\u300d\uff0c\u3001\u3002\uff01\uff1f\u2026')


class PeopleReader:
    """Reads the people of one text, take by take; remembers whom pronouns may mean."""

    def __init__(
        self,
        sentences: Sequence[str],
        language: str,
        bible: SceneBible,
        before: Sequence[str],
    ) -> None:
        self._language = language
        self._characters = {one.id: one for one in bible.characters}
        self._known = character_finder(bible.characters)
        self._places = place_finder(bible.places)
        self._strangers = StrangerFinder(" ".join(sentences), language)
        self._new_names: dict[str, str] = {}
        self._learned: dict[str, str] = {}
        met = dict.fromkeys(_known_id(who, self._characters) for who in before if who)
        self._recent: list[str] = list(met)[:_MOST_IN_A_SHOT]
        self._previous: tuple[str, ...] = tuple(self._recent)
        for sentence in sentences:  # a name may be told to be one only later in the text
            self._named(sentence, fold_map(sentence), [sentence])

    def people(
        self, text: str, sentences: Sequence[str], *, continues: bool = False
    ) -> tuple[str, ...]:
        """Ids of known characters and bare names of strangers, most telling first.

        continues: the take goes on within a sentence, so that its people stay in the picture.
        """
        folded = fold_map(text)
        quotes = quote_spans_of(text, sentences)
        named = self._named(text, folded, sentences)
        mentions = [one for one in named if _seen(one, quotes, text)]
        told = [one for one in mentions if not _inside(one.start, quotes)]
        addressed = [one for one in mentions if _inside(one.start, quotes)]
        # Whoever is told of comes first, then whom a pronoun means, then whom they speak to.
        found = list(dict.fromkeys(one.who for one in told))
        carried = self._carried(unquoted(text, quotes), told)
        found.extend(who for who in carried if who not in found)
        found.extend(one.who for one in addressed if one.who not in found)
        if not found and (continues or quotes):  # whoever speaks has been in the picture
            return self._previous
        self._learn(told, unquoted(text, quotes))
        shown = tuple(found[:_MOST_IN_A_SHOT])
        if shown:
            self._previous = shown
            self._recent = [*shown, *(who for who in self._recent if who not in shown)]
            del self._recent[_MOST_IN_A_SHOT:]
        return shown

    def _named(self, text: str, folded: Folded, sentences: Sequence[str]) -> list[Mention]:
        mentions = self._known.find(folded)
        places = self._places.find(folded)
        for sentence in sentences:
            offset = max(0, text.find(sentence))
            for stranger in self._strangers.find(sentence):
                start, end = stranger.start + offset, stranger.end + offset
                taken = _overlaps(mentions, start, end) or _overlaps(places, start, end)
                if not stranger.place and not taken:
                    mentions.append(Mention(self._new_name(stranger.name), start, end))
        mentions.extend(self._repeated(folded, mentions))
        return sorted(mentions, key=lambda one: one.start)

    def _new_name(self, name: str) -> str:
        """One spelling per stranger: "Mrs Alma Reed" and later "Alma" are the same."""
        folded = fold(name)
        for known in self._new_names.values():
            words, heard = set(fold(known).split()), set(folded.split())
            if words and heard and (words <= heard or heard <= words):
                return known
        return self._new_names.setdefault(folded, name)

    def _repeated(self, folded: Folded, mentions: Sequence[Mention]) -> list[Mention]:
        """Strangers met in an earlier take of this text count wherever their name comes again."""
        if not self._new_names:
            return []
        known = tuple(
            Character(id=f"n{n}", name=name[:120])
            for n, name in enumerate(self._new_names.values())
        )
        names = {f"n{n}": name for n, name in enumerate(self._new_names.values())}
        return [
            Mention(names[one.who], one.start, one.end)
            for one in character_finder(known).find(folded)
            if not _overlaps(mentions, one.start, one.end)
        ]

    def _carried(self, text: str, told: Sequence[Mention]) -> list[str]:
        hits: dict[str, int] = {}
        for hit in _pronouns().find(fold_map(text), self._language):
            hits.setdefault(hit.concept, hit.start)
        if "they" in hits and len({one.who for one in told}) <= 1:
            return list(self._previous if len(self._previous) > 1 else self._recent[:2])
        carried: list[str] = []
        for pronoun, other in (("he", "she"), ("she", "he")):
            if pronoun not in hits:
                continue
            if any(
                self._gender(one.who) in (pronoun, "") and one.start < hits[pronoun] for one in told
            ):
                continue  # the pronoun may well mean someone named before it
            fitting = [who for who in self._recent if self._gender(who) != other]
            for who in fitting[:1]:
                self._learned.setdefault(who, pronoun)
                carried.append(who)
        return carried

    def _learn(self, told: Sequence[Mention], text: str) -> None:
        """Someone alone in a take with one pronoun after the name is who it means."""
        alone = {one.who for one in told}
        if len(alone) != 1:
            return
        who = next(iter(alone))
        first = min(one.start for one in told)
        concepts = {
            hit.concept
            for hit in _pronouns().find(fold_map(text), self._language)
            if hit.start > first
        }
        if len(concepts & {"he", "she"}) == 1 and "they" not in concepts:
            self._learned.setdefault(who, next(iter(concepts)))

    def _gender(self, who: str) -> str:
        """`he`, `she` or "" when neither the bible nor the text tells."""
        return self._told_gender(who) or self._learned.get(who, "")

    def _told_gender(self, who: str) -> str:
        one = self._characters.get(who)
        if one is None:
            return _gender(who) or _given_gender(who)
        return _gender(
            " . ".join((one.name, *one.aliases, one.appearance, *one.traits))
        ) or _given_gender(one.name)


def _known_id(who: str, characters: Mapping[str, Character]) -> str:
    """The id of somebody whom the bible has learned since, or the bare name."""
    if who in characters:
        return who
    folded = fold(who)
    return next(
        (
            one.id
            for one in characters.values()
            if folded in {fold(name) for name in (one.name, *one.aliases)}
        ),
        who,
    )


def pronoun_concepts(text: str, language: str) -> frozenset[str]:
    """Which of `he`, `she` and `they` a text has."""
    return frozenset(hit.concept for hit in _pronouns().find(fold_map(text), language))


@lru_cache(maxsize=1024)
def _gender(told: str) -> str:
    concepts = {hit.concept for hit in _genders().find(fold_map(told), "")}
    if len(concepts) != 1:
        return ""
    return "he" if concepts == {"male"} else "she"


@lru_cache(maxsize=1)
def _pronouns() -> Lexicon:
    return lexicon("people").only(_PRONOUNS)


@lru_cache(maxsize=1)
def _genders() -> Lexicon:
    return lexicon("people").only(("male", "female"))


@lru_cache(maxsize=1024)
def _given_gender(name: str) -> str:
    words = fold(name).split()
    people = lexicon("people")
    if any(word in people.words("female_given", "all") for word in words):
        return "she"
    return "he" if any(word in people.words("male_given", "all") for word in words) else ""


def quote_spans_of(text: str, sentences: Sequence[str]) -> list[tuple[int, int]]:
    """Ranges of direct speech in a take, found sentence by sentence."""
    spans: list[tuple[int, int]] = []
    cursor = 0
    for sentence in sentences:
        at = max(text.find(sentence, cursor), 0)
        spans.extend((start + at, end + at) for start, end in quote_spans(sentence))
        cursor = at + len(sentence)
    return spans


def unquoted(text: str, quotes: Sequence[tuple[int, int]]) -> str:
    """The text with its direct speech blanked out; every other place stays where it is."""
    for start, end in quotes:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _inside(at: int, quotes: Sequence[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in quotes)


def _seen(one: Mention, quotes: Sequence[tuple[int, int]], text: str) -> bool:
    """Someone only spoken of is not in the picture; someone spoken to is."""
    if not _inside(one.start, quotes):
        return _GONE.match(text[one.end :]) is None
    before = text[: one.start].rstrip()[-1:]
    after = text[one.end :].lstrip()[:1]
    opens = before in _VOCATIVE_BEFORE or any(start + 1 >= one.start for start, _ in quotes)
    return opens and after in _VOCATIVE_AFTER


def _overlaps(mentions: Sequence[Mention], start: int, end: int) -> bool:
    return any(one.start < end and start < one.end for one in mentions)
