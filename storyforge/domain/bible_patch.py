"""Finds the changes between two versions of a bible, or applies proposed ones to one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from storyforge.domain.bible import Character, Place, SceneBible, TimelineEvent
from storyforge.domain.bible_changes import (
    BiblePatch,
    CharacterChange,
    EntityChanges,
    EventAt,
    PlaceChange,
    RuleAt,
    RuleChanges,
    StyleChange,
    TimelineChanges,
)
from storyforge.domain.wire import Wire
from storyforge.errors import FieldError, InvalidInput

__all__ = ["BiblePatch", "apply", "diff"]

T = TypeVar("T")
EntityT = TypeVar("EntityT", Character, Place)


def diff(old: SceneBible, new: SceneBible) -> BiblePatch:
    """The patch that makes `new` of `old`; the version numbers do not matter.

    `new` has its timeline in order, as everything that comes out of `apply` has.
    """
    parts: dict[str, Any] = {
        name: getattr(new, name)
        for name in ("title", "synopsis")
        if getattr(new, name) != getattr(old, name)
    }
    if old.characters != new.characters:
        parts["characters"] = _entity_diff(old.characters, new.characters, CharacterChange)
    if old.places != new.places:
        parts["places"] = _entity_diff(old.places, new.places, PlaceChange)
    if old.timeline != new.timeline:
        changed, removed, added = _list_diff(old.timeline, new.timeline)
        events = tuple(EventAt(at=at, **dict(event)) for at, event in changed)
        parts["timeline"] = TimelineChanges(add=added, change=events, remove=removed)
    if old.rules != new.rules:
        reworded, removed, fresh = _list_diff(old.rules, new.rules)
        texts = tuple(RuleAt(at=at, text=rule) for at, rule in reworded)
        parts["rules"] = RuleChanges(add=fresh, change=texts, remove=removed)
    if old.style != new.style:
        parts["style"] = StyleChange(**_differing(old.style, new.style))
    return BiblePatch(**parts)


def apply(bible: SceneBible, patch: BiblePatch) -> SceneBible:
    """The bible with these changes, under the same version number.

    Raises InvalidInput naming the place in the patch: an id or a position that is not there, an
    id that is taken or named twice, an event out of order, a list that grows over its limit.
    """
    facts: dict[str, Any] = {
        "title": bible.title if patch.title is None else patch.title,
        "synopsis": bible.synopsis if patch.synopsis is None else patch.synopsis,
        "characters": _entities("characters", bible.characters, patch.characters),
        "places": _entities("places", bible.places, patch.places),
        "timeline": _timeline(bible.timeline, patch.timeline),
        "rules": _rules(bible.rules, patch.rules),
        "style": bible.style.model_copy(update=_given(patch.style)),
    }
    try:
        return SceneBible(version=bible.version, **facts)
    except ValidationError as exc:
        errors = [FieldError(_pointer(one["loc"]), f"{one['msg']}.") for one in exc.errors()]
        raise InvalidInput(f"{errors[0].pointer}: {errors[0].detail}", errors) from exc


def _entities(
    kind: str,
    old: Sequence[EntityT],
    changes: EntityChanges[EntityT, CharacterChange | PlaceChange],
) -> tuple[EntityT, ...]:
    found = {entity.id: entity for entity in old}
    for index, gone in enumerate(changes.remove):
        _require(gone, found, f"/{kind}/remove/{index}")
        del found[gone]
    changed: set[str] = set()
    for index, change in enumerate(changes.change):
        pointer = f"/{kind}/change/{index}/id"
        _require(change.id, found, pointer)
        if change.id in changed:
            raise InvalidInput.at(pointer, f"'{change.id}' is changed twice; say it once.")
        changed.add(change.id)
        found[change.id] = found[change.id].model_copy(update=_given(change, "id"))
    for index, added in enumerate(changes.add):
        if added.id in found:
            raise InvalidInput.at(
                f"/{kind}/add/{index}/id",
                f"The id '{added.id}' is taken; change that one, or choose another id.",
            )
        found[added.id] = added
    if changes.order is None:
        return tuple(found.values())
    if sorted(changes.order) != sorted(found):
        detail = f"It names each id once: {', '.join(found) or 'there is none'}."
        raise InvalidInput.at(f"/{kind}/order", detail)
    return tuple(found[one] for one in changes.order)


def _require(wanted: str, found: Collection[str], pointer: str) -> None:
    if wanted not in found:
        known = ", ".join(list(found)[:20]) or "none"
        raise InvalidInput.at(pointer, f"There is no '{wanted}' in the bible; there is: {known}.")


def _timeline(old: Sequence[TimelineEvent], changes: TimelineChanges) -> tuple[TimelineEvent, ...]:
    _check_positions("timeline", len(old), [one.at for one in changes.change], changes.remove)
    changed = {one.at: index for index, one in enumerate(changes.change)}
    gone = set(changes.remove)
    kept = [
        (at, _event(changes.change[changed[at]]) if at in changed else event)
        for at, event in enumerate(old)
        if at not in gone
    ]
    for (at_before, before), (at, event) in pairwise(kept):
        index = changed.get(at, changed.get(at_before))
        if event.order < before.order and index is not None:
            raise _out_of_order(f"/timeline/change/{index}/order", before, event)
    for index, (before, event) in enumerate(pairwise(changes.add), start=1):
        if event.order < before.order:
            raise _out_of_order(f"/timeline/add/{index}/order", before, event)
    events = [event for _, event in kept]
    for added in changes.add:
        at = len(events)
        while at and events[at - 1].order > added.order:
            at -= 1
        events.insert(at, added)
    return tuple(events)


def _event(change: EventAt) -> TimelineEvent:
    return TimelineEvent(**{name: value for name, value in change if name != "at"})


def _out_of_order(pointer: str, before: TimelineEvent, event: TimelineEvent) -> InvalidInput:
    detail = f"An event of order {event.order} cannot come behind one of order {before.order}."
    return InvalidInput.at(pointer, detail)


def _rules(old: Sequence[str], changes: RuleChanges) -> tuple[str, ...]:
    _check_positions("rules", len(old), [one.at for one in changes.change], changes.remove)
    changed = {one.at: one.text for one in changes.change}
    gone = set(changes.remove)
    kept = [changed.get(at, rule) for at, rule in enumerate(old) if at not in gone]
    return (*kept, *changes.add)


def _check_positions(kind: str, count: int, changed: Sequence[int], removed: Sequence[int]) -> None:
    named: set[int] = set()
    for pointer, at in _named_positions(kind, changed, removed):
        if at >= count:
            detail = f"There is nothing at {at}; the list has {count}, counted from 0."
            raise InvalidInput.at(pointer, detail)
        if at in named:
            raise InvalidInput.at(pointer, f"Position {at} is named twice; say it once.")
        named.add(at)


def _named_positions(
    kind: str, changed: Sequence[int], removed: Sequence[int]
) -> Iterator[tuple[str, int]]:
    yield from ((f"/{kind}/remove/{index}", at) for index, at in enumerate(removed))
    yield from ((f"/{kind}/change/{index}/at", at) for index, at in enumerate(changed))


def _entity_diff(
    old: Sequence[EntityT],
    new: Sequence[EntityT],
    change_type: type[CharacterChange | PlaceChange],
) -> EntityChanges[EntityT, Any]:
    before = {entity.id: entity for entity in old}
    after = {entity.id: entity for entity in new}
    added: list[EntityT] = [entity for entity in new if entity.id not in before]
    stays: list[str] = [entity.id for entity in old if entity.id in after]
    order = tuple(after)
    return EntityChanges(
        add=tuple(added),
        change=tuple(
            change_type(id=one, **_differing(before[one], after[one]))
            for one in stays
            if before[one] != after[one]
        ),
        remove=tuple(one for one in before if one not in after),
        order=order if order != (*stays, *(entity.id for entity in added)) else None,
    )


def _list_diff(
    old: Sequence[T], new: Sequence[T]
) -> tuple[list[tuple[int, T]], tuple[int, ...], tuple[T, ...]]:
    """(position, new item) of the changed, positions of the removed, the added ones.

    Of two readings the shorter: the same lines with other words, or lines out and lines in.
    """
    changed = [(at, b) for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b]
    removed: list[int] = []
    kept = 0  # how much of `new` is made of what stays; the rest of it is added
    for at, item in enumerate(old):
        if kept < len(new) and item == new[kept]:
            kept += 1
        else:
            removed.append(at)
    if len(old) == len(new) and len(changed) <= len(removed) + len(new) - kept:
        return changed, (), ()
    return [], tuple(removed), tuple(new[kept:])


def _differing(old: Wire, new: Wire) -> dict[str, Any]:
    return {name: value for name, value in new if value != getattr(old, name)}


def _given(change: Wire, *but: str) -> Mapping[str, Any]:
    """What a change says; None means that nothing is said."""
    return {name: value for name, value in change if value is not None and name not in but}


def _pointer(loc: Sequence[str | int]) -> str:
    return "".join(f"/{to_camel(step) if isinstance(step, str) else step}" for step in loc)
