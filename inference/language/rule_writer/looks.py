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
_DEFINITE = {
    "en": "the",
    "de": "der|die|das",
    "fr": "le|la",
    "es": "el|la",
    "it": "il|la",
    "pt": "o|a",
    "nl": "de|het",
    "sv": "den",
}
_OWN = {
    "en": "his|her|their|its|my|our",
    "de": "seine[nmr]?|sein|ihre[nmr]?|ihr",
    "fr": "son|sa|leur",
    "es": "su",
    "it": "su[oa]",
    "pt": "seu|sua",
    "nl": "zijn|haar",
    "sv": "sin|hennes|hans",
}
_KIN = {
    "en": "daughter|son|sister|brother|mother|father|grandmother|grandfather|aunt|uncle|wife|husband",
    "de": "Tochter|Sohn|Schwester|Bruder|Mutter|Vater|Großmutter|Großvater|Tante|Onkel|Frau|Mann",
    "fr": "fille|fils|sœur|frère|mère|père|grand-mère|grand-père|tante|oncle|femme|mari",
    "es": "hija|hijo|hermana|hermano|madre|padre|abuela|abuelo|tía|tío|esposa|esposo",
}
_GARMENTS = {
    "en": "cloak|coat|cape|dress|hat|cap|hood|scarf|raincoat|jacket|spacesuit|gown|robe|crown|armour",
    "de": "Mantel|Umhang|Kleid|Hut|Kappe|Mütze|Kapuze|Schal|Jacke|Raumanzug|Krone",
}
_WEARS = {
    "en": "put on|puts on|wore|wears|wearing|pulled on|dressed in",
    "de": "trug|trägt|trug immer|zog|setzte|in|mit",
}
_UNSPACED = {
    "zh": "(姑娘|女孩|男孩|少年|少女|老人|孩子|女儿|儿子)叫NAME|叫NAME的([一-鿿]{2,3}?)(?=[\uff0c。、]|$)",
    "ja": "NAMEという([一-鿿]{1,3})",
}
_MOST_WORN_GAP = 40
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
    """How the text describes somebody new; "" when it does not.

    The apposition after the name, what the name "was", "the bear" after "Bruno", kinship.
    """
    article = _ARTICLES.get(language)
    who = re.escape(name)
    if article is None:
        found = re.search(_UNSPACED.get(language, "(?!)").replace("NAME", who), text)
        return next((one for one in found.groups() if one), "") if found else ""
    called = rf"\b((?:{article})\s[^,.;:!?\n]{{3,{_MOST_NAMED_CHARS}}})\s(?:{_CALLED})\s{who}\b"
    for pattern in (
        rf"\b{who},\s+((?:{article})\s[^,.;:!?\n]{{3,{_MOST_CHARS}}})[,.;]",
        (
            rf"\b{who}\s[^,.;:!?\n]{{3,{_MOST_VERB_CHARS}}},\s+((?:{article})\s[^,.;:!?\n]{{0,40}}"
            rf"\b(?:{_PERSONS})\b[^,.;:!?\n]{{0,{_MOST_CHARS}}})[,.;]"
        ),
        called,
        rf"\b{who}\s+(?:{_WAS[language]})\s+((?:{article})\s[^,.;:!?\n]{{3,{_MOST_CHARS}}})[,.;]",
        rf"\b{who},?\s+((?:{_DEFINITE[language]})\s[^\W\d_]{{3,20}})(?![\w-])",
        rf"\b(?:{_OWN[language]})\s(?:[\w-]+\s)?((?:{_KIN.get(language, '(?!)')}))\s{who}\b",
    ):
        found = re.search(pattern, text)
        if found and _is_described(found.group(1), language):
            told = found.group(1).strip()
            return _nearest(told, article) if pattern == called else told
    return ""


def worn_by(name: str, text: str, language: str) -> str:
    """What the text puts on somebody: "Linnet put on her red cloak" gives "her red cloak"."""
    garments = _GARMENTS.get(language)
    if garments is None:
        return ""
    worn = re.search(
        rf"\b{re.escape(name)}\b[^.!?\n]{{0,{_MOST_WORN_GAP}}}\b(?:{_WEARS[language]})\s"
        rf"((?:{_OWN[language]}|{_ARTICLES[language]})\s(?:[\w-]+\s){{0,2}}(?:{garments}))\b",
        text,
        re.IGNORECASE,
    )
    return worn.group(1).strip() if worn else ""


def is_dressed(appearance: str, language: str) -> bool:
    """Whether an appearance already tells of clothes."""
    garments = _GARMENTS.get(language)
    return bool(garments and re.search(garments, appearance, re.IGNORECASE))


def _nearest(found: str, article: str) -> str:
    """The last noun with an article: "a town where a girl" tells of the girl."""
    parts = re.split(rf"\s(?=(?:{article})\s)", found)
    return parts[-1] if parts[-1].count(" ") else found


def _is_described(found: str, language: str) -> bool:
    """German nouns are capitalised; elsewhere "the Great" is part of a name."""
    last = found.rsplit(maxsplit=1)[-1]
    return language == "de" or last[:1].islower()
