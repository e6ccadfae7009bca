"""Write the visual prompt of a shot from the text's own words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from inference.language.rule_writer.camera import content_of
from inference.language.rule_writer.cutting import cut_words
from inference.language.rule_writer.folding import fold
from inference.language.rule_writer.lexicon import lexicon
from inference.language.rule_writer.sentences import quote_spans
from storyforge.domain.bible import SceneBible
from storyforge.domain.script import Light

MOST_PROMPT_CHARS = 1200  # Shot.prompt takes 2,000; image models read far fewer
_MOST_ACTION_CHARS = 420
_MOST_LOOK_CHARS = 160
_MOST_FACTS_CHARS = 160
_MOST_LOOKS = 3
_LEAST_ACTION_CHARS = 8
_TAG_WORDS = 4
_CLOSING = " .,;:\uff1a\uff0c\u3002-\u2013\u2014\"'"
_FRAMINGS = ("medium", "close", "wide", "detail")


def framing_of(content: Sequence[str], *, spoken: bool, angle: int, index: int, cast: int) -> str:
    """How near the camera is: a key of `words/phrases.toml`."""
    if angle:
        return _FRAMINGS[(angle + cast) % len(_FRAMINGS)] if cast else ("wide", "detail")[angle % 2]
    strongest = content[0] if content else ""
    if spoken and cast:
        return "medium" if cast > 1 else "close"
    if strongest in ("fight", "travel"):
        return "moving" if cast else "wide"
    if strongest == "detail":
        return "close" if cast else "detail"
    if index == 0 or strongest in ("vista", "leaving", "up", "down") or not cast:
        return "wide"
    return "medium"


def action_of(sentences: Sequence[str], language: str) -> str:
    """What can be seen: the sentences without their direct speech, the most telling first."""
    seen = [one for one in (_unspoken(sentence) for sentence in sentences) if one]
    if not seen:
        return ""
    text = ""
    ranked = sorted(range(len(seen)), key=lambda i: (-len(content_of(seen[i], language)), i))
    kept: set[int] = set()
    for index in ranked:
        if len(text) + len(seen[index]) <= _MOST_ACTION_CHARS or not kept:
            kept.add(index)
            text += seen[index]
    glue = "" if language in ("zh", "ja") else " "
    return cut_words(glue.join(seen[i] for i in sorted(kept)), _MOST_ACTION_CHARS)


def write_prompt(
    *,
    framing: str,
    action: str,
    spoken: bool,
    people: Sequence[str],
    place: str,
    light: Light,
    language: str,
    bible: SceneBible,
    style_preset: str,
) -> str:
    """Place, who, action, light and style in one line; never empty."""
    phrases = _phrases(language)
    names = [_looks(who, bible) for who in people]
    if spoken and names and is_only_tag(action, language):
        action = phrases["speaking"].format(who=_named(people[0], bible))
    style = ", ".join(
        one
        for one in (style_preset or bible.style.preset, bible.style.visual, bible.style.tone)
        if one
    )
    parts = (
        phrases[framing],
        _place_words(place, bible),
        phrases["join"].join(names) if len(names) == 2 else ", ".join(names),  # noqa: PLR2004 - a pair reads as a pair
        action,
        phrases[light.value],
        style,
    )
    stop = phrases["stop"]
    line = stop.join(
        _sentence(part.strip().rstrip(".\u3002\u0964")) for part in parts if part.strip()
    )
    return cut_words(line + stop.strip(), MOST_PROMPT_CHARS)


def is_only_tag(action: str, language: str) -> bool:
    """Whether nothing is left to see but "whispered Orla"."""
    words = action.split()
    verbs = lexicon("people").words("speech", language)
    told = any(fold(word.strip(_CLOSING)) in verbs for word in words)
    return not words or (len(words) <= _TAG_WORDS and told)


def _sentence(part: str) -> str:
    return part[:1].upper() + part[1:]


def _unspoken(sentence: str) -> str:
    rest = sentence
    for start, end in reversed(quote_spans(sentence)):
        rest = rest[:start] + rest[end:]
    rest = " ".join(rest.split()).strip(_CLOSING)
    letters = sum(char.isalnum() for char in rest)
    wide = any(ord(char) > 0x2FFF for char in rest)  # noqa: PLR2004 - CJK tells more per character
    return rest if letters * (3 if wide else 1) >= _LEAST_ACTION_CHARS or rest == sentence else ""


def _looks(who: str, bible: SceneBible) -> str:
    for one in bible.characters:
        if one.id == who:
            look = cut_words(one.appearance, _MOST_LOOK_CHARS)
            return f"{one.name} ({look})" if look else one.name
    return who


def _named(who: str, bible: SceneBible) -> str:
    return next((one.name for one in bible.characters if one.id == who), who)


def _place_words(place: str, bible: SceneBible) -> str:
    for one in bible.places:
        if one.id == place:
            facts = cut_words(", ".join(one.facts[:_MOST_LOOKS]), _MOST_FACTS_CHARS)
            return f"{one.name} ({facts})" if facts else one.name
    return place


@lru_cache(maxsize=32)
def _phrases(language: str) -> dict[str, str]:
    table = lexicon("phrases").table
    return dict(table.get(language) or table["ru" if language == "uk" else "en"])
