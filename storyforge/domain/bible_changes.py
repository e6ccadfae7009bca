"""The shapes of a bible's changes: what is added, changed and removed between two versions.

The one language for changes of a story's facts: the script agent proposes in it, clients edit in
it, and the history of a bible is kept in it. `bible_patch` finds and applies them.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import ConfigDict, Field, PlainSerializer, StringConstraints

from storyforge.domain.bible import (
    Character,
    EntityId,
    HexColour,
    Line,
    Name,
    Place,
    SceneBible,
    TimelineEvent,
)
from storyforge.domain.wire import Wire

EntityT_co = TypeVar("EntityT_co", bound=Character | Place, covariant=True)
ChangeT_co = TypeVar("ChangeT_co", bound="CharacterChange | PlaceChange", covariant=True)
Position = Annotated[int, Field(ge=0, description="Counted from 0 in the list as it was.")]


class _Strict(Wire):
    """A part of a patch: a field that nobody knows would be a change that nobody makes."""

    model_config = ConfigDict(extra="forbid")


class CharacterChange(_Strict):
    """What is different about someone; fields left out stay as they are."""

    id: EntityId
    name: Name | None = None
    aliases: tuple[Name, ...] | None = Field(default=None, max_length=20)
    traits: tuple[Line, ...] | None = Field(default=None, max_length=40)
    appearance: Line | None = None
    status: Line | None = None


class PlaceChange(_Strict):
    """What is different about a place; fields left out stay as they are."""

    id: EntityId
    name: Name | None = None
    aliases: tuple[Name, ...] | None = Field(default=None, max_length=20)
    facts: tuple[Line, ...] | None = Field(default=None, max_length=40)


class EntityChanges(_Strict, Generic[EntityT_co, ChangeT_co]):
    """Changes of a list with ids: removed first, then changed, then added at the end.

    order: all ids in their new order, when it is another one.
    """

    add: tuple[EntityT_co, ...] = Field(default=(), max_length=200)
    change: tuple[ChangeT_co, ...] = Field(default=(), max_length=200)
    remove: tuple[EntityId, ...] = Field(default=(), max_length=200)
    order: tuple[EntityId, ...] | None = Field(default=None, max_length=200)


class EventAt(TimelineEvent):
    """An event that takes the place of the one at `at`."""

    model_config = ConfigDict(extra="forbid")

    at: Position


class TimelineChanges(_Strict):
    """Changes of the timeline; added events go behind the last one whose order is not higher."""

    add: tuple[TimelineEvent, ...] = Field(default=(), max_length=2000)
    change: tuple[EventAt, ...] = Field(default=(), max_length=2000)
    remove: tuple[Position, ...] = Field(default=(), max_length=2000)


class RuleAt(_Strict):
    """A rule that takes the place of the one at `at`."""

    at: Position
    text: Line


class RuleChanges(_Strict):
    """Changes of the rules; added ones go to the end."""

    add: tuple[Line, ...] = Field(default=(), max_length=100)
    change: tuple[RuleAt, ...] = Field(default=(), max_length=100)
    remove: tuple[Position, ...] = Field(default=(), max_length=100)


class StyleChange(_Strict):
    """What is different about the look; fields left out stay as they are."""

    preset: Name | None = None
    tone: Line | None = None
    visual: Line | None = None
    palette: tuple[HexColour, ...] | None = Field(default=None, max_length=8)


class BiblePatch(_Strict):
    """All that changes between two versions of a bible; empty parts change nothing."""

    title: Line | None = None
    synopsis: Annotated[str, StringConstraints(max_length=4000)] | None = None
    characters: EntityChanges[Character, CharacterChange] = EntityChanges()
    places: EntityChanges[Place, PlaceChange] = EntityChanges()
    timeline: TimelineChanges = TimelineChanges()
    rules: RuleChanges = RuleChanges()
    style: StyleChange = StyleChange()

    def to_json(self) -> dict[str, Any]:
        """Only what it changes, JSON-ready with camelCase keys."""
        said = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {part: changes for part, changes in said.items() if changes != {}}

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.to_json()


KeptPatch = Annotated[BiblePatch, PlainSerializer(BiblePatch.to_json, return_type=dict[str, Any])]
"""A patch that goes out as part of something else: still only what it changes."""


class BibleOrigin(StrEnum):
    """How a version of a bible came to be."""

    START = "start"
    JOB = "job"  # a segment moved the story on
    EDIT = "edit"  # the owner changed it
    REMOVAL = "removal"  # the last segment was taken away


class BibleVersion(Wire):
    """One version in the history: where it comes from and what it changes.

    parent_hash: the content hash of the version before it, None for the first. patch: what made
    it of its parent; None for the first, and where it was not kept yet (before release 0.2).
    """

    version: int
    origin: BibleOrigin
    job_id: UUID | None
    parent_hash: str | None
    content_hash: str
    patch: KeptPatch | None
    created_at: datetime


class BibleHistory(Wire):
    """How the bible came to be what it is: a frozen base, and each version's changes since.

    A writer that is shown both reads the same words again and again with something new at the end,
    which a language model's server does not compute twice.
    """

    base: SceneBible
    changes: tuple[BiblePatch, ...] = ()
