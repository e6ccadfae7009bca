"""Which kind of place a shot shows, decided from the place's name outward."""

from __future__ import annotations

from collections.abc import Sequence

from inference.video.model import ShotRequest
from inference.video.storyboard.words import is_open_sea, is_shore, settings_in, things_in
from storyforge.domain.bible import Place

# What a preset shows when the words name no place at all.
_DEFAULTS = {"noir": "city", "scifi": "space", "pastel": "meadow", "ink": "mountains"}
_AFAR = {"deck": "station", "bridge": "station", "pier": "station", "boat": "space"}
_GROUNDED = {"station": "city"}  # a station elsewhere than in space has trains
_AFLOAT = frozenset({"deck", "boat"})
_STAIRS = frozenset({"room", "hall", "kitchen"})


def setting_of(
    request: ShotRequest, place: Place | None, words: str, things: Sequence[str], people: int
) -> tuple[str, str]:
    """The kind of place and the kind of what lies behind it; the second may be empty."""
    named = f"{place.name} {' '.join(place.aliases)}" if place else request.shot.place
    here = settings_in(named) or (settings_in(" ".join(place.facts)) if place else [])
    told = settings_in(words)
    found = list(dict.fromkeys([*here, *told]))
    afar = _is_afar(request, found)
    if len(found) <= 1:
        found += [one for one in _around(request) if one not in found]
    swap = _AFAR if afar else _GROUNDED
    found = list(dict.fromkeys(swap.get(one, one) for one in found))
    if not found:
        return _DEFAULTS.get(request.bible.style.preset.strip().lower(), "hills"), ""
    first = found[0]
    if first == "sea" and is_shore(named) and "lake" in told:
        first = "lake"
    if not afar:
        first = _by_water(first, named, words, things, people)
    return first, next((one for one in found if one not in {first, *_AFLOAT}), "")


def _by_water(first: str, named: str, words: str, things: Sequence[str], people: int) -> str:
    """Who is at sea is on a deck, in a boat or on the shore; inside a lighthouse is a lamp room."""
    text, told = f"{named} {words}", settings_in(words)
    if "lighthouse" in things and first in {"sea", "castle"} and people and _STAIRS & set(told):
        return "lamp_room"
    if first in _AFLOAT and not people:
        return "sea"
    ashore = "lighthouse" in things_in(named) or is_shore(text)
    if first in {"sea", "lake"} and people and not ashore:
        afloat = [one for one in told if one in _AFLOAT]
        if afloat or is_open_sea(named):
            return next(iter(afloat), "boat")
    return first


def _around(request: ShotRequest) -> list[str]:
    """What the shot before and the story say, when the shot itself says little."""
    bible, before = request.bible, request.previous
    sources = (
        f"{before.place} {before.prompt}" if before else "",
        f"{bible.title} {request.title} {bible.style.visual}",
        bible.synopsis[:500],
    )
    return [one for source in sources for one in settings_in(source) if one not in _AFLOAT]


def _is_afar(request: ShotRequest, found: Sequence[str]) -> bool:
    return "space" in found or request.bible.style.preset.strip().lower() == "scifi"
