"""People and animals whom a text only names by a noun: "a stag", "der Wolf", "an old woman"."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from inference.video.storyboard.looks import KINDS, has, looks_of
from inference.video.storyboard.words import literal
from storyforge.domain.bible import Character

_MOST = 2
_ELSEWHERE = frozenset({"bird", "astronaut"})  # birds fly in the sky; a spacesuit is worn
_DETERMINERS = frozenset(
    [
        "the",
        "a",
        "an",
        "old",
        "big",
        "great",
        "brown",
        "black",
        "white",
        "grey",
        "little",
        "small",
        "un",
        "une",
        "le",
        "la",
        "l",
        "ce",
        "cet",
        "d",
        "vieil",
        "vieux",
        "grand",
        "petit",
        "gros",
        "that",
        "this",
        "his",
        "her",
        "their",
        "your",
        "our",
        "my",
    ]
)
_DOUBTFUL = frozenset({"bear", "ours", "chat"})  # also a verb, "belonging to us", "to talk"
_BEFORE = 3  # words that may tell how a noun looks

_PEOPLE: Mapping[str, str] = {
    "queen": "queen$ k\u00f6nigin$ reine$ reina$ \u043a\u043e\u0440\u043e\u043b\u0435\u0432\u0430$ \u5973\u738b \u738b\u540e",
    "king": "king$ k\u00f6nig$ roi$ rey$ \u043a\u043e\u0440\u043e\u043b\u044c$ \u0446\u0430\u0440\u044c$ \u56fd\u738b",
    "princess": "princess$ prinzessin$ princesse$ princesa$ \u043f\u0440\u0438\u043d\u0446\u0435\u0441\u0441\u0430$ \u516c\u4e3b \u304a\u59eb\u69d8",
    "knight": "knight$ knights$ ritter$ chevalier$ caballero$ \u0440\u044b\u0446\u0430\u0440\u044c$ warlord$ samurai$ soldier$"
    " soldiers$ soldat$ \u9a91\u58eb",
    "witch": "witch$ hexe$ sorci\u00e8re$ bruja$ \u0432\u0435\u0434\u044c\u043c\u0430$ \u5deb\u5a46 \u9b54\u5973",
    "wizard": "wizard$ sorcerer$ zauberer$ magicien$ mago$ \u0432\u043e\u043b\u0448\u0435\u0431\u043d\u0438\u043a$ \u9b54\u6cd5\u4f7f\u3044",
    "grandmother": "grandmother$ granny$ gro\u00dfmutter$ oma$ abuela$ \u0431\u0430\u0431\u0443\u0448\u043a\u0430$ \u5976\u5976 \u304a\u3070\u3042\u3055\u3093",
    "girl": "girl$ m\u00e4dchen$ fillette$ ni\u00f1a$ \u0434\u0435\u0432\u043e\u0447\u043a\u0430$ \u5973\u5b69 \u59d1\u5a18 \u5c11\u5973",
    "boy": "boy$ junge$ knabe$ gar\u00e7on$ ni\u00f1o$ \u043c\u0430\u043b\u044c\u0447\u0438\u043a$ \u7537\u5b69 \u5c11\u5e74",
    "woman": "woman$ lady$ frau$ femme$ mujer$ se\u00f1ora$ donna$ \u0436\u0435\u043d\u0449\u0438\u043d\u0430$ \u5973\u4eba \u5987\u4eba \u5973\u306e\u4eba \u0627\u0645\u0631\u0623\u0629",
    "man": "man$ stranger$ mann$ homme$ hombre$ uomo$ \u0447\u0435\u043b\u043e\u0432\u0435\u043a$ \u0441\u0442\u0430\u0440\u0438\u043a$ \u7537\u4eba \u8001\u4eba \u7537\u306e\u4eba \u0631\u062c\u0644",
}


def extras_in(text: str, kinds: Collection[str], *, alone: bool) -> list[dict[str, object]]:
    """The looks of whom the text's nouns name, without a name of their own; two at most.

    kinds: what the story's own characters are, of whom such a noun may speak.
    alone: nobody else is in the shot, so that "the man" is somebody new to it.
    """
    plain = literal(_unquoted(text))
    words = re.findall(r"[^\W\d_]+", plain)
    found = [
        looks_of(kind, kind, _around(words, stems), "")
        for kind, stems in KINDS.items()
        if kind not in kinds and kind not in _ELSEWHERE and _stands(words, stems, plain)
    ]
    if alone and not found:
        found = [
            looks_of(noun, noun, f"{noun} {_around(words, stems)}", "")
            for noun, stems in _PEOPLE.items()
            if has(stems, set(words), plain)
        ]
    return [{**looks, "name": ""} for looks in found[:_MOST]]


def meant_by_noun(text: str, characters: Sequence[Character]) -> list[Character]:
    """Whom a noun of the text means: "said the old warlord" of Lord Oda, "a warlord in black"."""
    plain = literal(_unquoted(text))
    words = set(re.findall(r"[^\W\d_]+", plain))
    for stems in _PEOPLE.values():
        here = {stem.rstrip("$") for stem in stems.split()} & words
        meant = [
            one
            for one in characters
            if here & set(re.findall(r"[^\W\d_]+", f"{one.name} {one.appearance}".casefold()))
        ]
        if len(meant) == 1:
            return meant
    return []


def _unquoted(text: str) -> str:
    """The text without direct speech: who is only spoken of is not in the picture."""
    return re.sub(
        r"\"[^\"]*\"|\u201c[^\u201d]*\u201d|\u201e[^\u201c]*\u201c|\u00ab[^\u00bb]*\u00bb|\u300c[^\u300d]*\u300d",
        " ",
        text,
    )


def _stands(words: list[str], stems: str, text: str) -> bool:
    sure = " ".join(stem for stem in stems.split() if stem.rstrip("$") not in _DOUBTFUL)
    if has(sure, set(words), text):
        return True
    doubtful = {stem.rstrip("$") for stem in stems.split()} & _DOUBTFUL
    return any(
        word in doubtful and at > 0 and words[at - 1] in _DETERMINERS
        for at, word in enumerate(words)
    )


def _around(words: list[str], stems: str) -> str:
    """The noun with the words before it: "an old woman", "ein wei\u00dfer Hirsch"."""
    for at, word in enumerate(words):
        if has(stems, {word}, word):
            if ord(word[0]) > 0x2E7F:  # noqa: PLR2004 - CJK: the noun is within the run
                found = [word.find(stem.rstrip("$")) for stem in stems.split()]
                place = min((at for at in found if at >= 0), default=0)
                return word[max(0, place - _BEFORE) : place + _BEFORE]
            return " ".join(words[max(0, at - _BEFORE) : at + 2])
    return ""
