"""A bible in plain lines for a prompt: the frozen facts, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inference.language.agent.fences import as_data
from inference.language.agent.tokens import estimated_tokens, fitting, newest_fitting
from storyforge.domain.bible import Character, Place, SceneBible, TimelineEvent
from storyforge.domain.bible_changes import BiblePatch
from storyforge.domain.wire import Wire

# Of the room for facts: the look and the rules of the world first, then who, where, what happened.
_RULES_SHARE, _CAST_SHARE, _PLACES_SHARE = 0.25, 0.6, 0.6


def bible_lines(bible: SceneBible, room: int) -> tuple[str, ...]:
    """The facts that have room, in a fixed order, so that the same bible gives the same lines."""
    lines: list[str] = []
    for lead, share in (
        (_headline(bible), _RULES_SHARE),
        (_section("People", map(_character, bible.characters)), _CAST_SHARE),
        (_section("Places", map(_place, bible.places)), _PLACES_SHARE),
    ):
        left = room - sum(estimated_tokens(line) + 1 for line in lines)
        lines += fitting(lead, int(left * share))
    left = room - sum(estimated_tokens(line) + 1 for line in lines)
    events = newest_fitting([_event(one) for one in bible.timeline], left - 4)
    return (*lines, *(_section("What happened before", events)))


def change_lines(changes: Sequence[BiblePatch], first_version: int, room: int) -> tuple[str, ...]:
    """Each version's changes, oldest first; the newest are kept when there is no room for all."""
    lines = [
        f"v{version}: {line}"
        for version, patch in enumerate(changes, start=first_version)
        for line in _patch_lines(patch)
    ]
    return newest_fitting(lines, room)


def people_and_places(bible: SceneBible) -> dict[str, str]:
    """The line of every character and place by id."""
    return {one.id: _character(one) for one in bible.characters} | {
        one.id: _place(one) for one in bible.places
    }


def _section(title: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return [f"{title}:", *found] if found else []


def _headline(bible: SceneBible) -> list[str]:
    style = bible.style
    told = [
        ("Title", bible.title),
        ("Look", "; ".join(filter(None, (style.preset, style.visual)))),
        ("Tone", style.tone),
        *(("Rule of this world", rule) for rule in bible.rules),
        ("About", bible.synopsis),
    ]
    return [f"{name}: {_one_line(text)}" for name, text in told if text]


def _character(one: Character) -> str:
    parts = [f"- {one.id} = {_one_line(one.name)}"]
    if one.aliases:
        parts.append(f"also called {_listed(one.aliases)}")
    if one.appearance:
        parts.append(f"looks: {_one_line(one.appearance)}")
    if one.traits:
        parts.append(f"is: {_listed(one.traits)}")
    if one.status != "alive":
        parts.append(f"status: {_one_line(one.status)}")
    return "; ".join(parts)


def _place(one: Place) -> str:
    parts = [f"- {one.id} = {_one_line(one.name)}"]
    if one.aliases:
        parts.append(f"also called {_listed(one.aliases)}")
    if one.facts:
        parts.append(_listed(one.facts))
    return "; ".join(parts)


def _event(one: TimelineEvent) -> str:
    when = f"{_one_line(one.when)}: " if one.when else ""
    return f"- {when}{_one_line(one.description)}"


def _patch_lines(patch: BiblePatch) -> Iterable[str]:
    for name in ("title", "synopsis"):
        text = getattr(patch, name)
        if text is not None:
            yield f"{name} is now: {_one_line(text)}"
    yield from (f"new {_character(one)[2:]}" for one in patch.characters.add)
    yield from (f"new {_place(one)[2:]}" for one in patch.places.add)
    yield from (f"{one.id} is now {_said(one)}" for one in patch.characters.change)
    yield from (f"{one.id} is now {_said(one)}" for one in patch.places.change)
    for gone in (*patch.characters.remove, *patch.places.remove):
        yield f"{gone} is no longer part of the story"
    yield from _world_lines(patch)


def _world_lines(patch: BiblePatch) -> Iterable[str]:
    # what segments told stands among the summaries; here is what was written into the bible
    events = (*patch.timeline.add, *patch.timeline.change)
    yield from (f"happened {_event(one)[2:]}" for one in events if one.segment_number is None)
    rules = (*patch.rules.add, *(one.text for one in patch.rules.change))
    yield from (f"rule of this world: {_one_line(rule)}" for rule in rules)
    if patch.rules.remove or patch.timeline.remove:
        yield "some older rules or events do not hold any more"
    said = _said(patch.style)
    if said:
        yield f"the look is now {said}"


def _said(change: Wire) -> str:
    parts = []
    for name, value in change:
        if value is None or name == "id":
            continue
        told = _listed(value) if isinstance(value, tuple) else _one_line(str(value))
        parts.append(f"{name}: {told}")
    return "; ".join(parts)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(_one_line(word) for word in words)


def _one_line(text: str) -> str:
    return " ".join(as_data(text).split())
