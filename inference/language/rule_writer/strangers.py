"""Find the names of people and places that the bible does not know."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inference.language.rule_writer.folding import fold
from inference.language.rule_writer.lexicon import lexicon
from inference.language.rule_writer.name_evidence import (
    POSSESSIVE,
    SURE,
    Group,
    Token,
    is_place,
    is_possible,
    name_score,
)
from inference.language.rule_writer.unspaced_names import UNSPACED, unspaced_names

_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*\.?")
_LINKS = frozenset(
    {"van", "von", "der", "de", "del", "della", "di", "da", "bin", "ibn", "al", "el"}
)
_MOST_WORDS = 4
_HEADLINE_SHARE = 0.7  # with more capitals than this, capitals tell nothing
_OPENING_MARKS = "\"\u201c\u201e\u00ab\u00bb'\u2018([:\u2013\u2014.!?\u2026-"


@dataclass(frozen=True)
class Stranger:
    """A name that is a person's, or with `place` a place's, and its range in the sentence."""

    name: str
    start: int
    end: int
    place: bool = False


class StrangerFinder:
    """Decides per text, because a word that also appears in lower case is nobody's name."""

    def __init__(self, text: str, language: str) -> None:
        self._language = language or "en"
        words = (token.rstrip(".") for token in _TOKEN.findall(text))
        self._lower = frozenset(fold(word) for word in words if word[0].islower())
        self._titles = lexicon("people").words("titles", self._language)
        self._low_titles = self._titles - lexicon("people").words("adjectives", "all")
        self._starters = lexicon("names").words("starters", self._language)

    def find(self, sentence: str) -> list[Stranger]:
        """All strangers of one sentence of that text."""
        if self._language in UNSPACED:
            return [Stranger(*one) for one in unspaced_names(sentence, self._language)]
        tokens = [Token(m.group(0), *m.span()) for m in _TOKEN.finditer(sentence)]
        capitals = sum(token.capital for token in tokens)
        if capitals > len(tokens) * _HEADLINE_SHARE and len(tokens) > _MOST_WORDS:
            return []
        found: list[Stranger] = []
        index = 0
        while index < len(tokens):
            end = self._group_end(tokens, index, sentence)
            if end > index:
                stranger = self._judged(tokens, index, end, sentence)
                found.extend([stranger] if stranger else [])
            index = max(end, index + 1)
        return found

    def _group_end(self, tokens: Sequence[Token], start: int, sentence: str) -> int:
        if not tokens[start].capital:
            return start
        end = start + 1
        while end < len(tokens) and end - start < _MOST_WORDS:
            before, token = tokens[end - 1], tokens[end]
            linked = token.text in _LINKS and end + 1 < len(tokens) and tokens[end + 1].capital
            closed = before.text.endswith(".") and before.folded not in self._titles
            owner = POSSESSIVE.search(before.text) is not None  # "Mira's Voss" is two names
            if sentence[before.end : token.start] != " " or closed or owner:
                break
            if not (token.capital or linked):
                break
            end += 1
        return end

    def _judged(
        self, tokens: Sequence[Token], start: int, end: int, sentence: str
    ) -> Stranger | None:
        group = self._group(tokens, start, end, sentence)
        if group is None:
            return None
        name_start = group.words[0].start
        name = POSSESSIVE.sub("", sentence[name_start : group.words[-1].end].rstrip("."))
        if not is_possible(group, name, self._language, self._lower):
            return None
        if is_place(group, self._language):
            return Stranger(name, name_start, name_start + len(name), place=True)
        if name_score(group, self._language) < SURE:
            return None
        if group.titled and len(group.words) == 1:  # the rank goes with it: "Captain Reyes"
            title_start = tokens[group.title].start
            name = sentence[title_start:name_start] + name
            name_start = title_start
        return Stranger(name, name_start, name_start + len(name))

    def _group(self, tokens: Sequence[Token], start: int, end: int, sentence: str) -> Group | None:
        """The name among `tokens[start:end]` without the words that only open the sentence."""
        title = start
        while title < end and self._only_opens(tokens[title]):
            title += 1
        first = title
        while first < end - 1 and tokens[first].folded in self._titles:
            first += 1
        if (
            first == start
            and start
            and self._is_low_title(tokens[start - 1], sentence, start, tokens)
        ):
            title = start - 1
        if self._language == "de" and title == first:
            given = lexicon("names").words("given", "all")
            more = first + 1 < end and tokens[first].folded in given
            end = min(end, first + 1 + more)
        if first >= end:
            return None
        opens = title == start and _opens(sentence, tokens[start].start)
        return Group(sentence, tokens, title, first, end, opens)

    def _only_opens(self, token: Token) -> bool:
        return token.folded in self._starters and token.folded not in self._titles

    def _is_low_title(
        self, token: Token, sentence: str, following: int, tokens: Sequence[Token]
    ) -> bool:
        """Lower-case titles, as Spanish writes them: "el capit\u00e1n Rojas"."""
        beside = sentence[token.end : tokens[following].start] == " "
        return beside and not token.capital and token.folded in self._low_titles


def _opens(sentence: str, at: int) -> bool:
    """Whether a word opens a sentence or a quotation, where a capital tells nothing."""
    before = sentence[:at].rstrip(" ")
    return not before or before[-1] in _OPENING_MARKS
