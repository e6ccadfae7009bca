"""Weigh whether capitalised words are a person's name, a place's, or neither."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from inference.language.rule_writer.folding import fold
from inference.language.rule_writer.lexicon import lexicon

POSSESSIVE = re.compile(r"['\u2019](?:s|S)?$")
SURE = 2
"""A score from which a word counts as a name."""
_STRONG = 3
_LONGEST_ACRONYM = 4
_SHORTEST = 2
_NAMED_WITHIN = 4
_PREFIX = re.compile(
    r"^(?:ver|er|be|ent|emp|zer|uber|unter|durch|wider)(?=\w{3})"
)  # erhob, verschwand
_PAST = {
    "en": re.compile(r".{2,}ed$"),
    "de": re.compile(r".{2,}(?:te|ten)$"),
    "fr": re.compile(r".{2,}(?:a|ait|it|ut|int)$"),
    "es": re.compile(r".{2,}(?:o|aba|ia|io)$"),
    "it": re.compile(r".{2,}(?:o|ava|eva|iva|i)$"),
    "pt": re.compile(r".{2,}(?:ou|eu|iu|ava|ia)$"),
    "nl": re.compile(r".{2,}(?:te|de)$"),
    "ru": re.compile(
        r".{2,}(?:\u043b|\u043b\u0430|\u043b\u0441\u044f|\u043b\u0430\u0441\u044c|\u0435\u0442|\u0438\u0442)$"
    ),
    "pl": re.compile(r".{2,}(?:\u0142|\u0142a)$"),
    "sv": re.compile(r".{2,}(?:ade|te|de)$"),
}


@dataclass(frozen=True)
class Token:
    """One word of a sentence and its range there."""

    text: str
    start: int
    end: int

    @property
    def folded(self) -> str:
        """The word for comparison, without a genitive or a full stop."""
        return POSSESSIVE.sub("", fold(self.text.rstrip(".")))

    @property
    def capital(self) -> bool:
        """Whether it is written with a capital."""
        return self.text[0].isupper()


@dataclass(frozen=True)
class Group:
    """Capitalised words in a row: `tokens[first:end]`, `title` before them or equal to `first`.

    opens: the group stands where any word would have a capital.
    """

    sentence: str
    tokens: Sequence[Token]
    title: int
    first: int
    end: int
    opens: bool

    @property
    def words(self) -> Sequence[Token]:
        """The words of the name itself."""
        return self.tokens[self.first : self.end]

    @property
    def titled(self) -> bool:
        """Whether a title stands before the name."""
        return self.title < self.first

    @property
    def before(self) -> str:
        """The folded word before the title or name."""
        return self.tokens[self.title - 1].folded if self.title else ""

    @property
    def after(self) -> str:
        """The folded word after the name, if nothing but blanks is between."""
        if self.end >= len(self.tokens):
            return ""
        gap = self.sentence[self.words[-1].end : self.tokens[self.end].start]
        return self.tokens[self.end].folded if gap.isspace() else ""

    @property
    def second_after(self) -> str:
        """The folded word after the next."""
        more = self.end + 1 < len(self.tokens) and bool(self.after)
        return self.tokens[self.end + 1].folded if more else ""


def is_possible(group: Group, name: str, language: str, lower: frozenset[str]) -> bool:
    """Whether the words can be a name at all; `lower`: words also seen in lower case."""
    names = lexicon("names")
    folded = fold(name)
    if len(name) < _SHORTEST or {folded, group.words[-1].folded} & names.words("never", language):
        return False
    single = len(group.words) == 1
    if single and (folded in lower or folded in names.words("starters", language)):
        return folded in names.words("given", "all")
    return not (single and name.isupper() and len(name) <= _LONGEST_ACRONYM)


def is_place(group: Group, language: str) -> bool:
    """Whether the words rather name a place: by their last word, or by "in" before them."""
    names, people = lexicon("names"), lexicon("people")
    ranked = group.titled and group.tokens[group.title].folded not in people.words(
        "adjectives", "all"
    )
    realm = group.before == "of" and group.title > 1 and group.tokens[group.title - 2].capital
    if ranked or realm:
        return not ranked  # Ensign Park is a person, the Queen of Denmark names a country
    if any(word.folded in names.words("place_heads", language) for word in group.words):
        return True
    if group.before in names.words("vessels", language) and not group.titled:
        return True  # "the space station Meridian"
    if language == "de":
        return False  # every German noun may follow "in"
    if group.words[-1].folded in generic_places(language):
        return True
    given = group.words[0].folded in names.words("given", "all")
    return group.before in names.words("place_before", language) and not given and not group.titled


def name_score(group: Group, language: str) -> int:
    """How surely the words are a person's name; from SURE on they count as one."""
    names, people = lexicon("names"), lexicon("people")
    given = group.words[0].folded in names.words("given", "all")
    plural = len(group.words) == 1 and group.words[0].folded.endswith("s")
    if plural and group.opens and not given and not group.titled and language == "en":
        return 0  # "Gulls cried" names nobody
    if len(group.words) == 1 and group.words[0].folded in people.words("titles", language):
        return 0  # a rank alone
    score = _STRONG if group.titled or given else 0
    near = {group.before, group.after, group.second_after} - {""}
    if near & people.words("speech", language) or _named_before(group, language):
        score += _STRONG
    low_rank = group.titled and group.tokens[group.title].folded in people.words(
        "adjectives", "all"
    )
    if group.before == "the" and low_rank and not given:
        return 0  # "the Old Man of the Mountain"
    if group.before in ("the", "a", "an") and not group.opens:
        role = group.words[-1].folded in names.words("roles", language)
        return score if role or score >= _STRONG else 0
    if language == "de":
        return score + _german_score(group)
    genitive = bool(POSSESSIVE.search(group.words[-1].text))
    if not group.opens or genitive or _does_something(group, language):
        score += SURE
    return score


def _does_something(group: Group, language: str) -> bool:
    """Whether an opening word does what people do; "Venice slept" and "Salt dried" do not."""
    deeds = lexicon("names").words("deeds", language)
    if deeds and len(group.words) == 1:
        role = lexicon("names").words("roles", language)
        return group.after in deeds or (group.after == "the" and group.second_after in role)
    return is_finite_verb(group.after, language)


def is_finite_verb(word: str, language: str) -> bool:
    """Whether a folded word looks like a verb that a subject may have."""
    names = lexicon("names")
    if word in names.words("verbs", language):
        return True
    if language == "de" and _PREFIX.sub("", word) in names.words("verbs", "de"):
        return True
    past = _PAST.get(language)
    return bool(past and past.match(word)) and word not in names.words("not_verbs", language)


@lru_cache(maxsize=16)
def generic_places(language: str) -> frozenset[str]:
    """The folded words for kinds of place in one language ("" = in all of them)."""
    places = lexicon("places")
    return places.words("outdoors", language) | places.words("indoors", language)


def _german_score(group: Group) -> int:
    names = lexicon("names")
    word = group.words[0].folded
    if word in generic_places("de") or word in names.words("bare_nouns", "de"):
        return -_STRONG
    ranked = group.titled and word in names.words("given", "all")  # "der Jäger Konrad"
    if group.before in names.words("determiners", "de") and not ranked:
        return -_STRONG
    return SURE if is_finite_verb(group.after, "de") and not group.before else 0


def _named_before(group: Group, language: str) -> bool:
    named = lexicon("people").words("named", language)
    tokens = group.tokens[max(0, group.first - _NAMED_WITHIN) : group.first]
    lead = [token.folded for token in tokens]
    return any(" ".join(lead[-count:]) in named for count in range(1, len(lead) + 1))
