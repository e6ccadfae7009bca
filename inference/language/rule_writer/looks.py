"""Read how a new person looks from an apposition: "Marek, a tall man in a red coat, ..."."""

from __future__ import annotations

import re

_ARTICLES = {
    "en": "an?",
    "de": "eine?|einer?",
    "fr": "une?",
    "es": "una?|uno",
    "it": "una?|uno|un'",
    "pt": "uma?",
    "nl": "een",
    "sv": "en|ett",
}
_WAS = {
    "en": "was|is",
    "de": "war|ist",
    "fr": "\u00e9tait|est",
    "es": "era|es",
    "it": "era|\u00e8",
    "pt": "era|\u00e9",
    "nl": "was|is",
    "sv": "var|\u00e4r",
}
_MOST_CHARS = 120
_MOST_VERB_CHARS = 30  # "Vivian Cole walked in, a tall woman in black"
_MOST_NAMED_CHARS = 60
_PERSONS = (
    "man|woman|girl|boy|child|lady|figure|mann|frau|m\u00e4dchen|junge|kind|homme|femme|fille|"
    "gar\u00e7on|enfant|hombre|mujer|ni\u00f1a|ni\u00f1o|uomo|donna|ragazza|ragazzo|bambino|homem|mulher"
)
_CALLED = (
    "named|called|by the name of|namens|nomm\u00e9e?|appel\u00e9e?|llamad[oa]|de nombre|di nome|"
    "chiamat[oa]|chamad[oa]|genaamd"
)


def appearance_of(name: str, text: str, language: str) -> str:
    """The apposition after the name, or what the name "was"; "" when the text has none."""
    article = _ARTICLES.get(language)
    if article is None:
        return ""
    who = re.escape(name)
    apposition = re.search(
        rf"\b{who},\s+((?:{article})\s[^,.;:!?\n]{{3,{_MOST_CHARS}}})[,.;]", text
    )
    if apposition:
        return apposition.group(1).strip()
    late = re.search(
        rf"\b{who}\s[^,.;:!?\n]{{3,{_MOST_VERB_CHARS}}},\s+"
        rf"((?:{article})\s[^,.;:!?\n]{{0,40}}\b(?:{_PERSONS})\b[^,.;:!?\n]{{0,{_MOST_CHARS}}})[,.;]",
        text,
    )
    if late:
        return late.group(1).strip()
    called = re.search(
        rf"\b((?:{article})\s[^,.;:!?\n]{{3,{_MOST_NAMED_CHARS}}})\s(?:{_CALLED})\s{who}\b", text
    )
    if called:
        return called.group(1).strip()
    was = re.search(
        rf"\b{who}\s+(?:{_WAS[language]})\s+((?:{article})\s[^,.;:!?\n]{{3,{_MOST_CHARS}}})[,.;]",
        text,
    )
    return was.group(1).strip() if was else ""
