"""Makes a script of a proposed one: known ids, people who are really there, exact length."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from inference.language.agent.drafts import ScriptDraft, ShotDraft
from inference.language.model import ScriptBrief
from inference.language.rule_writer.folding import fold
from inference.language.rule_writer.timing import shared_ms
from storyforge.domain.bible import Character, Place
from storyforge.domain.script import Script, Shot, WritingRecord

SHORTEST_MS, LONGEST_MS = 1500, 6000
_PREFERRED_LONGEST_MS = 5000  # what video models film in one go
_MOST_SHOTS = 60  # Script.shots
_PREFERRED_SHORTEST_MS = 2500


def shot_range(total_ms: int) -> tuple[int, int]:
    """The fewest and the most shots that a segment of this length may have."""
    least = min(_MOST_SHOTS, max(1, math.ceil(total_ms / _PREFERRED_LONGEST_MS)))
    most = min(_MOST_SHOTS, max(least, total_ms // _PREFERRED_SHORTEST_MS))
    return least, most


def script_from(
    draft: ScriptDraft, brief: ScriptBrief, total_ms: int, record: WritingRecord, notice: str = ""
) -> Script:
    """The script, its shots as long together as `total_ms`."""
    lengths = shared_ms(
        [float(shot.seconds) for shot in draft.shots], total_ms, SHORTEST_MS, LONGEST_MS
    )
    people, places = names_of(brief.bible.characters), names_of(brief.bible.places)
    told = _told(brief)
    shots = tuple(
        _shot(shot, length_ms, people, places, told)
        for shot, length_ms in zip(draft.shots, lengths, strict=True)
    )
    return Script(shots=shots, writer=record.model, notice=notice, record=record)


def names_of(entities: Sequence[Character | Place]) -> Mapping[str, str]:
    """Ids by every folded way to call somebody or something; what two share is left out."""
    owners: dict[str, set[str]] = {}
    for one in entities:
        for name in (one.id, one.name, *one.aliases):
            owners.setdefault(fold(name), set()).add(one.id)
    return {name: min(ids) for name, ids in owners.items() if len(ids) == 1}


def is_told(name: str, told: str) -> bool:
    """Whether the (folded) text really has this name; models like to invent people."""
    return bool(name.strip()) and fold(" ".join(name.split())) in told


def _told(brief: ScriptBrief) -> str:
    before = " ".join(one.summary for one in brief.recent)
    return fold(" ".join(f"{brief.text} {before}".split()))


def _shot(
    draft: ShotDraft,
    length_ms: int,
    people: Mapping[str, str],
    places: Mapping[str, str],
    told: str,
) -> Shot:
    return Shot(
        prompt=draft.prompt,
        camera=draft.camera,
        light=draft.light,
        characters=tuple(dict.fromkeys(_known(draft.characters, people, told))),
        place=next(iter(_known((draft.place,), places, told)), ""),
        narration=draft.narration,
        seconds=length_ms / 1000,
    )


def _known(names: Iterable[str], ids: Mapping[str, str], told: str) -> Iterable[str]:
    """Ids of those whom the bible knows, names of those whom the story tells of."""
    for name in names:
        if fold(name) in ids:
            yield ids[fold(name)]
        elif is_told(name, told):
            yield name
