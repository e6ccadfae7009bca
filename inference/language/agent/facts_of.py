"""Makes a bible patch of proposed changes: bounded, grounded in the text, never taking a fact away."""

from __future__ import annotations

from collections.abc import Sequence

from inference.language.agent.drafts import FactsDraft, PersonChange
from inference.language.agent.script_of import is_told, names_of
from inference.language.model import ScriptBrief
from inference.language.rule_writer.bible_moves import slug
from inference.language.rule_writer.cast import character_finder, place_finder
from inference.language.rule_writer.folding import fold, fold_map
from storyforge.domain import bible_patch
from storyforge.domain.bible import Character, Place, SceneBible, TimelineEvent
from storyforge.domain.bible_changes import (
    BiblePatch,
    CharacterChange,
    EntityChanges,
    PlaceChange,
    TimelineChanges,
)
from storyforge.domain.script import Script

_MOST_ENTITIES, _MOST_EVENTS = 200, 2000
_MOST_TRAITS, _MOST_FACTS = 40, 40


def patch_from(
    draft: FactsDraft, brief: ScriptBrief, script: Script, segment_number: int
) -> BiblePatch:
    """The changes that the continuation and its script bear out; the rest is dropped."""
    bible = brief.bible
    told = fold(" ".join(f"{brief.text} {_spoken(script)}".split()))
    event = TimelineEvent(
        order=max((one.order for one in bible.timeline), default=0) + 1,
        when=draft.when,
        description=draft.happened,
        segment_number=segment_number,
    )
    return BiblePatch(
        characters=EntityChanges(
            add=_new_people(draft, bible, told),
            change=_changed_people(draft.changed_people, bible, told, script),
        ),
        places=EntityChanges(
            add=_new_places(draft, bible, told), change=_place_facts(draft, bible)
        ),
        timeline=TimelineChanges(add=(event,) if len(bible.timeline) < _MOST_EVENTS else ()),
    )


def moved(bible: SceneBible, patch: BiblePatch) -> SceneBible:
    """The next version. Raises InvalidInput for a patch that does not fit the bible."""
    applied = bible_patch.apply(bible, patch)
    return applied.model_copy(update={"version": bible.version + 1})


def _new_people(draft: FactsDraft, bible: SceneBible, told: str) -> tuple[Character, ...]:
    known = set(names_of(bible.characters))
    taken = {one.id for one in bible.characters}
    added: list[Character] = []
    for person in draft.new_people:
        if fold(person.name) in known or not is_told(person.name, told):
            continue
        if character_finder(bible.characters).find(fold_map(person.name)):
            continue  # a part or a title of somebody known
        if len(taken) >= _MOST_ENTITIES:
            break
        identifier = slug(person.name, taken, "character")
        taken.add(identifier)
        known.add(fold(person.name))
        added.append(
            Character(
                id=identifier, name=person.name, appearance=person.looks, traits=person.traits
            )
        )
    return tuple(added)


def _new_places(draft: FactsDraft, bible: SceneBible, told: str) -> tuple[Place, ...]:
    known = set(names_of(bible.places))
    taken = {one.id for one in bible.places}
    added: list[Place] = []
    for place in draft.new_places:
        if fold(place.name) in known or not is_told(place.name, told):
            continue
        if place_finder(bible.places).find(fold_map(place.name)):
            continue
        if len(taken) >= _MOST_ENTITIES:
            break
        identifier = slug(place.name, taken, "place")
        taken.add(identifier)
        known.add(fold(place.name))
        added.append(Place(id=identifier, name=place.name, facts=place.facts))
    return tuple(added)


def _changed_people(
    changes: Sequence[PersonChange], bible: SceneBible, told: str, script: Script
) -> tuple[CharacterChange, ...]:
    """Changes of those who are in this segment; looks are only added where none were known."""
    ids, people = names_of(bible.characters), {one.id: one for one in bible.characters}
    seen = {who for shot in script.shots for who in shot.characters}
    found: dict[str, CharacterChange] = {}
    for change in changes:
        one = people.get(ids.get(fold(change.id), ""))
        if one is None or one.id in found:
            continue
        if one.id not in seen and not any(is_told(name, told) for name in (one.name, *one.aliases)):
            continue
        fresh = change.new_trait and change.new_trait not in one.traits
        found[one.id] = CharacterChange(
            id=one.id,
            status=change.status if change.status and change.status != one.status else None,
            appearance=change.looks if change.looks and not one.appearance else None,
            traits=(*one.traits, change.new_trait)
            if fresh and len(one.traits) < _MOST_TRAITS
            else None,
        )
    return tuple(change for change in found.values() if change != CharacterChange(id=change.id))


def _place_facts(draft: FactsDraft, bible: SceneBible) -> tuple[PlaceChange, ...]:
    ids, places = names_of(bible.places), {one.id: one for one in bible.places}
    facts: dict[str, tuple[str, ...]] = {}
    for told in draft.place_facts:
        place = places.get(ids.get(fold(told.id), ""))
        if place is None:
            continue
        before = facts.get(place.id, place.facts)
        if told.fact not in before and len(before) < _MOST_FACTS:
            facts[place.id] = (*before, told.fact)
    return tuple(PlaceChange(id=one, facts=told) for one, told in facts.items())


def _spoken(script: Script) -> str:
    return " ".join(f"{shot.narration} {' '.join(shot.characters)}" for shot in script.shots)
