"""The wire shapes of bibles that come in: stricter than those that go out."""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated

from pydantic import ConfigDict, Field

from api.bodies import Body
from storyforge.domain.bible import BibleStyle, Character, Place, SceneBible, TimelineEvent
from storyforge.domain.bible_changes import (
    BiblePatch,
    CharacterChange,
    EntityChanges,
    PlaceChange,
    TimelineChanges,
)

MAX_VERSION = 2**31 - 1  # the column's
Version = Annotated[int, Field(ge=1, le=MAX_VERSION)]


class _StrictCharacter(Character):
    model_config = ConfigDict(extra="forbid")


class _StrictPlace(Place):
    model_config = ConfigDict(extra="forbid")


class _StrictEvent(TimelineEvent):
    model_config = ConfigDict(extra="forbid")


class _StrictStyle(BibleStyle):
    model_config = ConfigDict(extra="forbid")


class _StrictTimeline(TimelineChanges):
    add: tuple[_StrictEvent, ...] = Field(default=(), max_length=2000)


class BibleIn(SceneBible):
    """All facts of a story; the node numbers the versions."""

    model_config = ConfigDict(extra="forbid")

    version: None = Field(default=None, exclude=True)  # type: ignore[assignment]
    characters: tuple[_StrictCharacter, ...] = Field(default=(), max_length=200)
    places: tuple[_StrictPlace, ...] = Field(default=(), max_length=200)
    timeline: tuple[_StrictEvent, ...] = Field(default=(), max_length=2000)
    style: _StrictStyle = _StrictStyle()

    def facts(self) -> SceneBible:
        """The bible that it says, its timeline put in order."""
        said = SceneBible.model_validate(self.model_dump(by_alias=True, exclude={"version"}))
        in_order = sorted(said.timeline, key=attrgetter("order"))
        return said.model_copy(update={"timeline": tuple(in_order)})


class BibleEditIn(BibleIn, Body):
    """A whole bible anew. version: the one that was read and changed."""

    version: Version | None = None  # type: ignore[assignment]


class BiblePatchIn(BiblePatch, Body):
    """Changes of a bible. version: the one that was read and is to be changed."""

    version: Version | None = None
    characters: EntityChanges[_StrictCharacter, CharacterChange] = EntityChanges()
    places: EntityChanges[_StrictPlace, PlaceChange] = EntityChanges()
    timeline: _StrictTimeline = _StrictTimeline()

    def patch(self) -> BiblePatch:
        """The changes alone."""
        said = self.model_dump(by_alias=True, exclude={"version"}, exclude_unset=True)
        return BiblePatch.model_validate(said)
