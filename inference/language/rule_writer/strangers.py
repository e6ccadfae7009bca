"""Find the names of people whom the bible does not know yet."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from inference.language.rule_writer.folding import fold
from inference.language.rule_writer.lexicon import lexicon

_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*\.?")
_POSSESSIVE = re.compile(r"['\u2019](?:s|S)?$")
_LINKS = frozenset(
    {"van", "von", "der", "de", "del", "della", "di", "da", "bin", "ibn", "al", "el"}
)
_PAST = {
    "en": re.compile(r".{2,}ed$"),
    "de": re.compile(r".{2,}(?:te|ten)$"),
    "fr": re.compile(r".{2,}(?:a|ait|it|ut|int)$"),
    "es": re.compile(r".{2,}(?:\u00f3|aba|\u00eda|i\u00f3)$"),
    "it": re.compile(r".{2,}(?:\u00f2|ava|eva|iva|\u00ec)$"),
    "pt": re.compile(r".{2,}(?:ou|eu|iu|ava|ia)$"),
    "nl": re.compile(r".{2,}(?:te|de)$"),
    "ru": re.compile(
        r".{2,}(?:\u043b|\u043b\u0430|\u043b\u0441\u044f|\u043b\u0430\u0441\u044c|\u0435\u0442|\u0438\u0442)$"
    ),
    "pl": re.compile(r".{2,}(?:\u0142|\u0142a)$"),
    "sv": re.compile(r".{2,}(?:ade|te|de)$"),
}
_SURE = 2
_STRONG = 3
_MOST_WORDS = 4
_SHORTEST = 2
UNSPACED = frozenset({"zh", "ja", "ko", "ar", "hi", "th", "he"})


@dataclass(frozen=True)
class Stranger:
    """A name that may be a person's, or with `place` a place's, and its range in the text."""

    name: str
    start: int
    end: int
    place: bool = False


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int

    @property
    def folded(self) -> str:
        return fold(self.text.rstrip("."))

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()


class StrangerFinder:
    """Decides per text, because a word that also appears in lower case is nobody's name."""

    def __init__(self, text: str, language: str) -> None:
        self._language = language or "en"
        tokens = _TOKEN.findall(text)
        self._lower = frozenset(fold(token.rstrip(".")) for token in tokens if token[0].islower())
        self._names = lexicon("names")
        self._people = lexicon("people")

    def find(self, sentence: str) -> list[Stranger]:
        """All strangers of one sentence of that text."""
        if self._language in UNSPACED:
            return _unspaced(sentence, self._language)
        tokens = [_Token(m.group(0), *m.span()) for m in _TOKEN.finditer(sentence)]
        if sum(token.capital for token in tokens) > len(tokens) * 0.7 and len(tokens) > _MOST_WORDS:
            return []  # a headline: capitals tell nothing
        found: list[Stranger] = []
        index = 0
        while index < len(tokens):
            end = self._group_end(tokens, index, sentence)
            if end > index:
                stranger = self._judge(tokens, index, end, sentence)
                found.extend([stranger] if stranger else [])
            index = max(end, index + 1)
        return found

    def _words(self, concept: str) -> frozenset[str]:
        return self._names.words(concept, self._language)

    def _group_end(self, tokens: Sequence[_Token], start: int, sentence: str) -> int:
        if not tokens[start].capital:
            return start
        end = start + 1
        while end < len(tokens) and end - start < _MOST_WORDS:
            gap = sentence[tokens[end - 1].end : tokens[end].start]
            linked = (
                tokens[end].text in _LINKS and end + 1 < len(tokens) and tokens[end + 1].capital
            )
            dotted = tokens[end - 1].text.endswith(".") and not self._is_title(tokens[end - 1])
            if gap != " " or dotted or not (tokens[end].capital or linked):
                break
            end += 1
        return end

    def _is_title(self, token: _Token) -> bool:
        return token.folded in self._people.words("titles", self._language)

    def _is_low_title(self, token: _Token, sentence: str, following: _Token) -> bool:
        """Lower-case titles, as Spanish writes them: "el capit\u00e1n Rojas"."""
        return (
            not token.capital
            and self._is_title(token)
            and token.folded not in self._people.words("adjectives", "all")
            and sentence[token.end : following.start] == " "
        )

    def _judge(
        self, tokens: Sequence[_Token], start: int, end: int, sentence: str
    ) -> Stranger | None:
        opens = _opens(sentence, tokens[start].start)
        first = start
        starters = self._words("starters")
        while (
            first < end and tokens[first].folded in starters and not self._is_title(tokens[first])
        ):
            first += 1
        title = first
        while first < end - 1 and self._is_title(tokens[first]):
            first += 1
        titled = first > title
        if (
            first == start
            and start
            and self._is_low_title(tokens[start - 1], sentence, tokens[start])
        ):
            title, titled = start - 1, True
        if self._language == "de" and not titled:
            end = min(end, first + 1 + self._more_german(tokens, first, end))
        if first >= end:
            return None
        name_start, name_end = tokens[first].start, tokens[end - 1].end
        name = _POSSESSIVE.sub("", sentence[name_start:name_end].rstrip("."))
        if not self._possible(tokens[first:end], name):
            return None
        before = tokens[start - 1] if start else None
        if not titled and self._is_place(tokens[first:end], before if first == start else None):
            return Stranger(name, name_start, name_start + len(name), place=True)
        if self._score(tokens, first, end, opens=opens and first == start, titled=titled) < _SURE:
            return None
        if titled and end - first == 1:  # "Captain Reyes" keeps the rank that goes with one word
            name = sentence[tokens[title].start : name_start] + name
            name_start = tokens[title].start
        return Stranger(name, name_start, name_start + len(name))

    def _more_german(self, tokens: Sequence[_Token], first: int, end: int) -> int:
        given = self._names.words("given", "all")
        return 1 if first + 1 < end and tokens[first].folded in given else 0

    def _possible(self, group: Sequence[_Token], name: str) -> bool:
        folded = fold(name)
        if len(name) < _SHORTEST or folded in self._words("never"):
            return False
        if len(group) == 1 and (folded in self._lower or folded in self._words("starters")):
            return folded in self._names.words("given", "all")
        return not (name.isupper() and len(group) == 1 and len(name) <= _MOST_WORDS)

    def _is_place(self, group: Sequence[_Token], before: _Token | None) -> bool:
        if any(token.folded in self._words("place_heads") for token in group):
            return True
        given = self._names.words("given", "all")
        after = before is not None and before.folded in self._words("place_before")
        # In German every noun may follow "in": only an unarticled one is looked at by the caller.
        return after and group[0].folded not in given and self._language != "de"

    def _score(
        self, tokens: Sequence[_Token], first: int, end: int, *, opens: bool, titled: bool
    ) -> int:
        before = tokens[first - 1].folded if first else ""
        after = tokens[end].folded if end < len(tokens) else ""
        near = {before, after, tokens[end + 1].folded if end + 1 < len(tokens) else ""}
        given = self._names.words("given", "all")
        score = _STRONG if titled or _POSSESSIVE.sub("", tokens[first].folded) in given else 0
        if near & self._people.words("speech", self._language) or self._named_before(tokens, first):
            score += _STRONG
        if before in ("the", "a", "an"):
            role = tokens[end - 1].folded in self._words("roles")
            return score if role or score >= _STRONG else 0
        if self._language == "de":
            return score + self._german_score(before, after, tokens[first])
        if not opens or self._is_verb(after):
            score += _SURE
        return score

    def _german_score(self, before: str, after: str, token: _Token) -> int:
        if before in self._words("determiners") or token.folded in self._words("bare_nouns"):
            return -_STRONG
        generic = lexicon("places")
        if token.folded in generic.words("outdoors", "de") | generic.words("indoors", "de"):
            return -_STRONG
        return _SURE if self._is_verb(after) and not before else 0

    def _is_verb(self, word: str) -> bool:
        return is_finite_verb(word, self._language)

    def _named_before(self, tokens: Sequence[_Token], first: int) -> bool:
        if not first:
            return False
        named = self._people.words("named", self._language)
        lead = [token.folded for token in tokens[max(0, first - 4) : first]]
        return any(" ".join(lead[-count:]) in named for count in range(1, len(lead) + 1))


def _unspaced(sentence: str, language: str) -> list[Stranger]:
    patterns, never = _unspaced_patterns(language)
    found: list[Stranger] = []
    for pattern in patterns:
        for match in pattern.finditer(sentence):
            start, end = match.span(1)
            taken = any(one.start < end and start < one.end for one in found)
            if not taken and match.group(1) not in never:
                found.append(Stranger(match.group(1), start, end))
    return sorted(found, key=lambda one: one.start)


@lru_cache(maxsize=16)
def _unspaced_patterns(language: str) -> tuple[tuple[re.Pattern[str], ...], frozenset[str]]:
    source = resources.files(__package__).joinpath("words", "unspaced.toml")
    rows = tomllib.loads(source.read_text(encoding="utf-8"))
    patterns = tuple(re.compile(one) for one in rows["patterns"].get(language, ()))
    return patterns, frozenset(rows["never"].get(language, ()))


def is_finite_verb(word: str, language: str) -> bool:
    """Whether a folded word looks like a verb that a subject may have."""
    past = _PAST.get(language)
    return word in lexicon("names").words("verbs", language) or bool(past and past.match(word))


def _opens(sentence: str, at: int) -> bool:
    """Whether a word opens a sentence or a quotation, where a capital tells nothing."""
    before = sentence[:at].rstrip(" ")
    return not before or before[-1] in "\"\u201c\u201e\u00ab\u00bb'\u2018([:\u2013\u2014.!?\u2026-"
