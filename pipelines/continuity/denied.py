"""Read what a fact or rule says is not there: "no windows", "dragons are extinct"."""

from __future__ import annotations

import re
from collections.abc import Iterable

from inference.language.rule_writer.folding import fold
from inference.language.rule_writer.lexicon import lexicon
from pipelines.continuity.reading import WORDS

_LEAST_CHARS = 3
_ENDS = r"in|on|at|of|for|from|since|to|with|within|or|and|but|may|can|will|is|are|has|have|there|here|that|who|any|lives?|grows?|exists?"
_NO = re.compile(
    rf"\b(?:no|without|lacks?|never any|nobody (?:\w+ ){{0,4}}?(?:uses?|has|owns|carries) an?)\s+(?:any |a |an )?"
    rf"((?:(?!(?:{_ENDS})\b)[a-z-]+\s+){{0,2}}?(?!(?:{_ENDS})\b)[a-z-]+)(?=\s+(?:{_ENDS})\b|[.,;!]|$)"
)
_GONE = re.compile(
    r"\b([a-z-]+) (?:are extinct|is extinct|do not exist|does not exist|don't exist|doesn't exist|died out|"
    r"have died out|are unknown|is unknown|have not been invented|has not been invented|are forbidden|"
    r"is forbidden|are outlawed|are banned|is banned|no longer exist)\b"
)
_LESS = re.compile(r"\b([a-z]{3,})less\b")
_NOTHING = frozenset(
    {"longer", "one", "idea", "way", "sign", "time", "need", "doubt", "use", "new", "other", "more"}
    | {"end", "access", "entry", "escape", "mercy", "return", "going", "characters", "character"}
    | {"people", "names", "strangers", "air", "gravity", "life", "sound", "light", "daylight"}
    | {"matter", "luck", "point", "reason", "chance", "magic", "help", "home", "talking", "rain"}
)
_LESS_NOTHING = frozenset(
    {
        "home",
        "end",
        "use",
        "name",
        "life",
        "time",
        "count",
        "rest",
        "sound",
        "air",
        "price",
        "value",
        "care",
        "help",
        "point",
        "mean",
        "thought",
        "feature",
        "fear",
        "heart",
        "rel",
        "breath",
        "motion",
        "speech",
        "spot",
    }
)
_IRREGULAR = {
    "women": "woman",
    "men": "man",
    "mice": "mouse",
    "children": "child",
    "wolves": "wolf",
    "knives": "knife",
    "leaves": "leaf",
    "geese": "goose",
}


def denied_things(text: str) -> list[str]:
    """The nouns, in the singular, that an English text says are not there."""
    folded = fold(text)
    found = [match.group(1).split()[-1] for match in _NO.finditer(folded)]
    found += [match.group(1) for match in _GONE.finditer(folded)]
    nouns = [singular(word) for word in found if word not in _NOTHING]
    nouns += [word for word in _LESS.findall(folded) if word not in _LESS_NOTHING]
    return [word for word in dict.fromkeys(nouns) if len(word) >= _LEAST_CHARS]


def things_pattern(nouns: Iterable[str]) -> re.Pattern[str]:
    """Finds these nouns, their plurals and what else they are called, in folded text."""
    words: list[str] = []
    for noun in nouns:
        words += [noun, *_synonyms().get(noun, ())]
    return re.compile(rf"\b(?:{'|'.join(_forms(word) for word in words)})\b")


def singular(word: str) -> str:
    """A regular English singular; other words as they are."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if re.fullmatch(r"\w{2,}ies", word):
        return f"{word[:-3]}y"
    if re.search(r"(?:ss|sh|ch|x)es$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) else word


def _forms(word: str) -> str:
    plural = next((many for many, one in _IRREGULAR.items() if one == word), None)
    if plural:
        return f"{word}|{plural}"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return rf"{re.escape(word[:-1])}(?:y|ies)"
    return rf"{re.escape(word)}(?:e?s)?"


def _synonyms() -> dict[str, list[str]]:
    rows = lexicon("synonyms", WORDS).table
    return {noun: row["en"].split(", ") for noun, row in rows.items()}
