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
    was = re.search(
        rf"\b{who}\s+(?:{_WAS[language]})\s+((?:{article})\s[^,.;:!?\n]{{3,{_MOST_CHARS}}})[,.;]",
        text,
    )
    return was.group(1).strip() if was else ""
