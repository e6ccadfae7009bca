"""The labelled scripts of the continuity evaluation, read from tables into our wire shapes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from storyforge.domain.bible import SceneBible
from storyforge.domain.continuity import IssueType
from storyforge.domain.script import Script, Shot
from storyforge.domain.segment import SegmentSummary

FOLDER = Path(__file__).with_name("continuity")
SHOT_SECONDS = 4.0


@dataclass(frozen=True)
class Wrong:
    """One fault that was put into a script: its kind and the characters of the narration."""

    kind: IssueType
    shot: int
    start: int
    end: int


@dataclass(frozen=True)
class LabelledScript:
    """A script with its bible, the segments before it, and all that is wrong with it.

    part: the table it comes from. kind: what it was written to try, e.g. "memory".
    """

    part: str
    kind: str
    script: Script
    bible: SceneBible
    recent: tuple[SegmentSummary, ...]
    wrong: tuple[Wrong, ...]

    @property
    def kinds(self) -> frozenset[IssueType]:
        """The issue types that must be reported."""
        return frozenset(one.kind for one in self.wrong)


@lru_cache(maxsize=8)
def read_part(part: str) -> tuple[LabelledScript, ...]:
    """All scripts of `continuity/<part>.toml`."""
    table = tomllib.loads((FOLDER / f"{part}.toml").read_text(encoding="utf-8"))
    bibles = {name: SceneBible.model_validate(facts) for name, facts in table["bibles"].items()}
    return tuple(labelled(part, row, bibles[row["bible"]]) for row in table["scripts"])


def labelled(part: str, row: Mapping[str, Any], bible: SceneBible) -> LabelledScript:
    """One script from its row: told, wrong, and optional recent, places and characters.

    Raises ValueError for a label whose words are not in the narration.
    """
    told: list[str] = row["told"]
    places = row.get("places", [""] * len(told))
    script = Script(
        shots=tuple(
            Shot(
                prompt=words,
                narration=words,
                seconds=SHOT_SECONDS,
                place=place,
                characters=tuple(row.get("characters", _named(words, bible))),
            )
            for words, place in zip(told, places, strict=True)
        ),
        writer="evaluation",
    )
    recent = tuple(
        SegmentSummary(segment_id=UUID(int=number), number=number, summary=words)
        for number, words in enumerate(row.get("recent", ()), 1)
    )
    wrong = tuple(_wrong(told, *label) for label in row.get("wrong", ()))
    return LabelledScript(part, row["kind"], script, bible, recent, wrong)


def _wrong(told: list[str], kind: str, shot: int, words: str) -> Wrong:
    start = told[shot].find(words)
    if start < 0:
        raise ValueError(f"The label {words!r} is not in {told[shot]!r}.")
    return Wrong(IssueType(kind), shot, start, start + len(words))


def _named(words: str, bible: SceneBible) -> tuple[str, ...]:
    """Ids of the characters whose name or first name stands there as the bible writes it."""
    return tuple(
        one.id
        for one in bible.characters
        if any(form in words for form in (one.name, one.name.split()[0], *one.aliases))
    )
