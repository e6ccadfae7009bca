"""Find the bible's characters and places in a text: names, aliases, parts and inflections."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from inference.language.rule_writer.folding import Folded, fold, is_unspaced
from inference.language.rule_writer.lexicon import lexicon
from storyforge.domain.bible import Character, Place

_LATIN_ENDING = r"(?:'s|s'|'[a-z]{0,4}|s|es|n|en|ns)?"
_APOSTROPHES = ("'", "\u2019")
_CYRILLIC_VOWELS = "аяоеыиуюьй"
_LATIN = re.compile(r"[a-z]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_ARTICLES = frozenset(
    [
        "the",
        "a",
        "an",
        "der",
        "die",
        "das",
        "ein",
        "eine",
        "le",
        "la",
        "les",
        "l'",
        "un",
        "une",
        "el",
        "los",
        "las",
        "il",
        "lo",
        "gli",
        "o",
        "os",
        "as",
        "de",
        "het",
    ]
)
_MOST_PARTS = 3  # names of more words keep only their whole form
_LEAST_PART_CHARS = 3
_GENITIVE = re.compile(r"^(?:'s|s'|'|s)$")


@dataclass(frozen=True)
class Mention:
    """One mention: the entity's id (or bare name) and its range in the original text.

    The range ends before a genitive, so that what follows tells who owns what comes next.
    """

    who: str
    start: int
    end: int


@dataclass(frozen=True)
class _Form:
    who: str
    folded: str
    capital: bool = False  # counts only when written with a capital


def is_genitive(after: str) -> bool:
    """Whether the text right after a mention makes it an owner: "Tom's", "Toms", "James'"."""
    return after[:1] in _APOSTROPHES or (after[:1] == "s" and not after[1:2].isalnum())


class Finder:
    """Finds known entities; the longest form at a place wins."""

    def __init__(self, forms: Sequence[_Form]) -> None:
        ordered = sorted(forms, key=lambda form: (-len(form.folded), form.folded, form.who))
        self._forms: Mapping[str, _Form] = {f"f{n}": form for n, form in enumerate(ordered)}
        sources = [f"(?P<{key}>{_source(form.folded)})" for key, form in self._forms.items()]
        self._pattern = re.compile("|".join(sources)) if sources else None

    def find(self, folded: Folded) -> list[Mention]:
        """All mentions, in order of place."""
        if self._pattern is None:
            return []
        found: list[Mention] = []
        for match in self._pattern.finditer(folded.text):
            form = self._forms[match.lastgroup or ""]
            genitive = _GENITIVE.search(match.group(0)[len(form.folded) :])
            stop = match.end() - (len(genitive.group(0)) if genitive else 0)
            start, end = folded.span(match.start(), stop)
            if form.capital and not folded.original[start].isupper():
                continue
            found.append(Mention(form.who, start, end))
        return found


@lru_cache(maxsize=64)
def character_finder(characters: tuple[Character, ...]) -> Finder:
    """A finder of these characters by name, alias, and unmistakable parts of the name."""
    ordinary = lexicon("names").words("ordinary", "all")
    titles = _all_titles()
    whole: list[_Form] = []
    parts: list[_Form] = []
    for one in characters:
        for name in (one.name, *one.aliases):
            words = _words(name)
            plain = [word for word in words if fold(word) not in _ARTICLES] or words
            bare = [word for word in plain if fold(word) not in titles] or plain
            for form in {" ".join(words), " ".join(plain)}:
                capital = len(plain) == 1 and fold(form) in ordinary and form[:1].isupper()
                whole.append(_Form(one.id, fold(form), capital))
            parts.extend(_name_parts(one.id, bare, plain))
    return Finder(_unambiguous(whole, parts))


@lru_cache(maxsize=64)
def place_finder(places: tuple[Place, ...]) -> Finder:
    """A finder of these places by name and alias, and by head noun ("the old mill": mill)."""
    generic = lexicon("places")
    heads = generic.words("outdoors", "") | generic.words("indoors", "")
    whole: list[_Form] = []
    parts: list[_Form] = []
    for one in places:
        for name in (one.name, *one.aliases):
            words = _words(name)
            plain = [word for word in words if fold(word) not in _ARTICLES] or words
            whole.extend(_Form(one.id, fold(" ".join(form))) for form in (words, plain))
            parts.extend(
                _Form(one.id, fold(word))
                for word in plain
                if fold(word) in heads and (is_unspaced(word[0]) or len(word) >= _LEAST_PART_CHARS)
            )
    return Finder(_unambiguous(whole, parts))


def _name_parts(who: str, bare: list[str], plain: list[str]) -> Iterable[_Form]:
    if len(bare) < len(plain):
        yield _Form(who, fold(" ".join(bare)), capital=True)
    if not 1 < len(bare) <= _MOST_PARTS or not all(word[:1].isupper() for word in bare):
        return
    for word in (bare[0], bare[-1]):
        if len(word) >= _LEAST_PART_CHARS:
            yield _Form(who, fold(word), capital=True)


def _unambiguous(whole: list[_Form], parts: list[_Form]) -> list[_Form]:
    """Whole names, then the parts that point to one entity only."""
    forms = {form.folded: form for form in reversed(whole) if form.folded}
    owners = Counter(folded for folded, _ in {(form.folded, form.who) for form in parts})
    for form in parts:
        if form.folded and form.folded not in forms and owners[form.folded] == 1:
            forms[form.folded] = form
    return list(forms.values())


@lru_cache(maxsize=1)
def _all_titles() -> frozenset[str]:
    return lexicon("people").words("titles", "")


def _words(name: str) -> list[str]:
    return [word.rstrip(".,") or word for word in name.split()] or [name]


@lru_cache(maxsize=1)
def _cyrillic_endings() -> str:
    endings = lexicon("names").words("endings", "ru")
    return f"(?:{'|'.join(sorted(endings, key=len, reverse=True))})?"


def _source(form: str) -> str:
    """A regular expression of one folded form, modest inflections included."""
    if is_unspaced(form[0]):
        return re.escape(form)
    *first, last = form.split()
    if _CYRILLIC.search(last) and len(last) >= _LEAST_PART_CHARS:
        stem = last[:-1] if last[-1] in _CYRILLIC_VOWELS else last
        tail = re.escape(stem) + _cyrillic_endings()
    elif _LATIN.search(last) and len(last) >= _LEAST_PART_CHARS:
        tail = re.escape(last) + _LATIN_ENDING
    else:
        tail = re.escape(last)
    head = "".join(re.escape(word) + r"\.?[\s-]+" for word in first)
    return rf"(?<!\w){head}{tail}(?!\w)"
