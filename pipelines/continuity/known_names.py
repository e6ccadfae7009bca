"""The words of the bible's names, and how near to them another word is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from inference.language.rule_writer.folding import fold
from inference.language.rule_writer.lexicon import lexicon
from pipelines.continuity.reading import Story
from pipelines.continuity.spelling import consonants, edit_distance, jaro_winkler, sound_key

NAME_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
SHORT = 4  # names up to this length may differ in one letter only
_MIDDLE = 6
_ALIKE = 0.9
_LEAST_CHARS = 3
_SAME_SOUND = 3  # letters in which two spellings of one sound may differ
_NEIGHBOURLY = 2  # ... and two words beside the rest of the name


@dataclass(frozen=True)
class KnownWord:
    """One word of a known name and whose it is; `rest` are the other words of that name."""

    word: str
    who: str
    name: str
    rest: frozenset[str] = frozenset()

    @cached_property
    def folded(self) -> str:
        """The word for comparison."""
        return fold(self.word)


def known_words(story: Story) -> list[KnownWord]:
    """Every word of the bible's names that a misspelling could be meant for."""
    titles = lexicon("people").words("titles", "")
    generic = lexicon("places").words("outdoors", "") | lexicon("places").words("indoors", "")
    words: list[KnownWord] = []
    for character in story.bible.characters:
        for name in (character.name, *character.aliases):
            words.extend(
                one
                for one in _words_of(name, character.id, character.name, _LEAST_CHARS)
                if one.folded not in titles
            )
    for place in story.bible.places:
        for name in (place.name, *place.aliases):
            parts = _words_of(name, place.id, place.name, _LEAST_CHARS)
            words.extend(
                one
                for one in parts
                if one.folded not in generic and (len(one.word) > SHORT or len(parts) > 1)
            )
    return list(dict.fromkeys(words))


def _words_of(name: str, who: str, full: str, least: int) -> list[KnownWord]:
    words = [word for word in NAME_WORD.findall(name) if word[0].isupper()]
    folded = [fold(word) for word in words]
    return [
        KnownWord(word, who, full, frozenset(folded) - {fold(word)})
        for word in words
        if len(word) >= least
    ]


def nearest_known(
    folded: str, known: Iterable[KnownWord], *, beside: bool = False
) -> KnownWord | None:
    """The known word that this one misspells, or None; beside: the rest of the name is there."""
    best: tuple[int, float, KnownWord] | None = None
    for one in known:
        for candidate in {folded, folded if folded.endswith("ss") else folded.removesuffix("s")}:
            distance = _distance(candidate, one.folded, beside=beside)
            if distance is None:
                continue
            rank = (distance, -jaro_winkler(candidate, one.folded), one)
            if best is None or rank[:2] < best[:2]:
                best = rank
    return None if best is None or best[0] == 0 else best[2]


def _distance(word: str, name: str, *, beside: bool) -> int | None:
    """The edit distance when it is small enough to be a slip of the pen, else None."""
    if word == name:
        return 0
    if beside:
        return _neighbourly(word, name)
    longer = max(len(word), len(name))
    if longer < SHORT or _unlike(word, name):
        return None
    distance = edit_distance(word, name)
    allowed = 1 if longer <= _MIDDLE else 2 if longer < _MIDDLE + 4 else 3
    same_start = word[0] == name[0] or sorted(word[:2]) == sorted(name[:2])
    if sound_key(word) == sound_key(name) and distance <= _SAME_SOUND:
        return distance
    likely = (same_start or longer > _MIDDLE) and jaro_winkler(word, name) >= _ALIKE - (
        0.1 if distance == 1 else 0.0
    )
    return distance if distance <= allowed and likely else None


def _unlike(word: str, name: str) -> bool:
    """Whether two words have too little in common to be worth a closer look."""
    if abs(len(word) - len(name)) > len(name) // 3 + 1:
        return True
    return len(set(word) & set(name)) * 2 < min(len(set(word)), len(set(name)))


def _neighbourly(word: str, name: str) -> int | None:
    """The distance of a word that stands where the name's own word would: more is forgiven."""
    distance = edit_distance(word, name)
    skeleton = consonants(word)
    same = len(skeleton) > 1 and skeleton == consonants(name)
    near = distance <= (_NEIGHBOURLY if len(name) > _LEAST_CHARS else 1)
    alike = word[0] == name[0] or word[-2:] == name[-2:] or distance == 1
    return distance if same or (near and alike) else None


def is_other_name(folded: str, known: str) -> bool:
    """Maria is not a misspelt Marta; Sarah may well be a misspelt Sara."""
    given = lexicon("names").words("given", "all")
    return folded in given and sound_key(folded) != sound_key(known)
