"""Say who is in a shot: named characters, strangers, and whom a pronoun carries over."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from inference.language.rule_writer.cast import Mention, character_finder
from inference.language.rule_writer.folding import Folded, fold, fold_map
from inference.language.rule_writer.lexicon import Lexicon, lexicon
from inference.language.rule_writer.strangers import StrangerFinder
from storyforge.domain.bible import Character

_MOST_IN_A_SHOT = 8
_PRONOUNS = ("he", "she", "they")


class PeopleReader:
    """Reads the people of one text, take by take; remembers whom pronouns may mean."""

    def __init__(
        self, text: str, language: str, characters: tuple[Character, ...], before: Sequence[str]
    ) -> None:
        self._language = language
        self._characters = {one.id: one for one in characters}
        self._known = character_finder(characters)
        self._strangers = StrangerFinder(text, language)
        self._new_names: dict[str, str] = {}
        self._recent: list[str] = [who for who in before if who][:_MOST_IN_A_SHOT]
        self._previous: tuple[str, ...] = tuple(self._recent)

    def people(self, text: str, sentences: Sequence[str]) -> tuple[str, ...]:
        """Ids of known characters and bare names of strangers, most telling first."""
        folded = fold_map(text)
        found = self._named(text, folded, sentences)
        for who in self._carried(folded, found):
            if who not in found:
                found.append(who)
        shown = tuple(found[:_MOST_IN_A_SHOT])
        if shown:
            self._previous = shown
            self._recent = [*shown, *(who for who in self._recent if who not in shown)]
            del self._recent[_MOST_IN_A_SHOT:]
        return shown

    def _named(self, text: str, folded: Folded, sentences: Sequence[str]) -> list[str]:
        mentions = self._known.find(folded)
        for sentence in sentences:
            offset = max(0, text.find(sentence))
            for stranger in self._strangers.find(sentence):
                start, end = stranger.start + offset, stranger.end + offset
                if not stranger.place and not _overlaps(mentions, start, end):
                    mentions.append(Mention(self._new_name(stranger.name), start, end))
        mentions.extend(self._repeated(folded, mentions))
        mentions.sort(key=lambda one: one.start)
        return list(dict.fromkeys(one.who for one in mentions))

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

    def _carried(self, folded: Folded, named: Sequence[str]) -> list[str]:
        hits = {hit.concept for hit in _pronouns().find(folded, self._language)}
        if "they" in hits:
            return list(self._previous) if len(named) < len(_PRONOUNS) - 1 else []
        carried: list[str] = []
        for pronoun, other in (("he", "she"), ("she", "he")):
            if pronoun not in hits:
                continue
            if any(self._gender(who) in (pronoun, "") for who in named):
                continue  # the pronoun may well mean someone named here
            fitting = [who for who in self._recent if self._gender(who) != other]
            carried.extend(fitting[:1])
        return carried

    def _gender(self, who: str) -> str:
        """`he`, `she` or "" when the bible does not tell."""
        one = self._characters.get(who)
        if one is None:
            return _gender(who)
        return _gender(" . ".join((one.name, *one.aliases, one.appearance, *one.traits)))


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


def _overlaps(mentions: Sequence[Mention], start: int, end: int) -> bool:
    return any(one.start < end and start < one.end for one in mentions)
