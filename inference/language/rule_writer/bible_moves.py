"""Move the bible forward by one segment: new people, new places, one event, deaths."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection

from inference.language.model import ScriptBrief
from inference.language.rule_writer.cast import character_finder, place_finder
from inference.language.rule_writer.cutting import cut_words
from inference.language.rule_writer.deaths import deaths
from inference.language.rule_writer.folding import fold, fold_map
from inference.language.rule_writer.lexicon import lexicon
from inference.language.rule_writer.looks import appearance_of, is_dressed, worn_by
from inference.language.rule_writer.sentences import sentences
from inference.language.rule_writer.summaries import summary_of
from storyforge.domain.bible import Character, Place, SceneBible, TimelineEvent
from storyforge.domain.script import Script

_LEAST_CALL = 3  # letters
_MOST_ENTITIES = 200
_MOST_EVENTS = 2000
_MOST_NAME = 120
_MOST_LINE = 500
_MOST_EVENT = 240
_MOST_SLUG = 48
_CYRILLIC_SLUGS = dict(
    zip(
        "\u0430\u0431\u0432\u0433\u0434\u0435\u0436\u0437\u0438\u043a\u043b\u043c\u043d\u043e\u043f\u0440\u0441\u0442\u0443\u0444\u0445\u0446\u0447\u0448\u0449\u044a\u044b\u044c\u044d\u044e\u044f",
        [
            "a",
            "b",
            "v",
            "g",
            "d",
            "e",
            "zh",
            "z",
            "i",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "f",
            "kh",
            "ts",
            "ch",
            "sh",
            "shch",
            "_",
            "y",
            "_",
            "e",
            "yu",
            "ya",
        ],
        strict=True,
    )
)


def moved_bible(
    brief: ScriptBrief, script: Script, segment_number: int, language: str
) -> SceneBible:
    """The next version of the bible; every earlier fact stays."""
    bible = brief.bible
    characters = list(bible.characters)
    places = list(bible.places)
    for shot in script.shots:
        for who in shot.characters:
            _add_character(characters, who, brief.text, language)
        _add_place(places, shot.place)
    _add_looks(characters, brief.text, language)
    return SceneBible.model_validate(
        {
            **bible.model_dump(),
            "version": bible.version + 1,
            "characters": _with_deaths(tuple(characters), brief.text, language),
            "places": tuple(places),
            "timeline": _with_event(brief, script, segment_number, language),
        }
    )


def slug(name: str, taken: Collection[str], prefix: str) -> str:
    """An ASCII id that is not yet taken: "Zo\u00eb Kr\u00e4mer" -> "zoe-kramer"."""
    letters = "".join(_CYRILLIC_SLUGS.get(char, char) for char in fold(name))
    plain = unicodedata.normalize("NFKD", letters.replace("_", "")).encode("ascii", "ignore")
    words = re.findall(r"[a-z0-9]+", plain.decode())
    base = "-".join(words)[:_MOST_SLUG].strip("-")
    if not base:
        base = f"{prefix}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    number, candidate = 1, base
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate


def _add_character(characters: list[Character], who: str, text: str, language: str) -> None:
    name = cut_words(" ".join(who.split()), _MOST_NAME)
    if not name or len(characters) >= _MOST_ENTITIES or any(one.id == who for one in characters):
        return
    if any(fold(name) == fold(known) for one in characters for known in (one.name, *one.aliases)):
        return
    if character_finder(tuple(characters)).find(fold_map(name)):
        return
    identifier = slug(name, {one.id for one in characters}, "character")
    looks = cut_words(_looks(name, text, language), _MOST_LINE)
    characters.append(Character(id=identifier, name=name, appearance=looks))


def _looks(name: str, text: str, language: str) -> str:
    told = (appearance_of(name, text, language), worn_by(name, text, language))
    return ", ".join(one for one in told if one)


def _add_looks(characters: list[Character], text: str, language: str) -> None:
    """What a text tells of somebody whose looks nobody has told yet."""
    for at, one in enumerate(characters):
        called = next((name for name in _calls(one) if name in text), "")
        if not called or is_dressed(one.appearance, language):
            continue
        told = one.appearance or appearance_of(called, text, language)
        worn = worn_by(called, text, language)
        looks = ", ".join(part for part in (told, worn) if part)
        if looks and len(looks) <= _MOST_LINE:
            characters[at] = one.model_copy(update={"appearance": looks})


def _calls(one: Character) -> tuple[str, ...]:
    """What a text may call somebody: the name, or its first word that is no title."""
    titles = lexicon("people").words("titles", "")
    words = [word for word in one.name.split() if fold(word.rstrip(".")) not in titles]
    return (one.name, *(word for word in words[:1] if len(word) >= _LEAST_CALL))


def _add_place(places: list[Place], where: str) -> None:
    name = cut_words(" ".join(where.split()), _MOST_NAME)
    if not name or len(places) >= _MOST_ENTITIES or any(one.id == where for one in places):
        return
    if place_finder(tuple(places)).find(fold_map(name)):
        return
    places.append(Place(id=slug(name, {one.id for one in places}, "place"), name=name))


def _with_deaths(
    characters: tuple[Character, ...], text: str, language: str
) -> tuple[Character, ...]:
    dead = {one.who for one in deaths(text, language, characters)}
    return tuple(
        one.model_copy(update={"status": "dead"}) if one.id in dead else one for one in characters
    )


def _with_event(
    brief: ScriptBrief, script: Script, segment_number: int, language: str
) -> tuple[TimelineEvent, ...]:
    timeline = brief.bible.timeline
    if len(timeline) >= _MOST_EVENTS:
        return timeline  # full: the facts that are there stay
    event = TimelineEvent(
        order=max((one.order for one in timeline), default=0) + 1,
        when=cut_words(_when(brief.text, script, language), _MOST_LINE),
        description=cut_words(summary_of(brief.text, script, language), _MOST_EVENT),
        segment_number=segment_number,
    )
    return (*timeline, event)


def _when(text: str, script: Script, language: str) -> str:
    """The text's own words for the time, then the light in which the segment ends."""
    plain = " ".join(one.text for one in sentences(text, language))
    hits = lexicon("light").find(fold_map(plain), language)
    light = script.shots[-1].light.value
    words = plain[hits[-1].start : hits[-1].end] if hits else ""
    years = re.findall(r"(?<!\d)(?:1[0-9]|20|21|22|23)\d{2}(?!\d)", plain)
    told = ", ".join(dict.fromkeys([*years[-1:], *([words] if words else [])]))
    return f"{told} ({light})" if told and fold(words) != light else told or light
