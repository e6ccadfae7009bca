"""The scene bible: the facts of a story that every continuation must keep."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from storyforge.domain.wire import Wire, content_hash

ENTITY_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
EntityId = Annotated[str, StringConstraints(pattern=ENTITY_ID)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
HexColour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]


class Character(Wire):
    """Someone in the story; `id` also names the reference image."""

    id: EntityId
    name: Name
    aliases: tuple[Name, ...] = Field(default=(), max_length=20)
    traits: tuple[Line, ...] = Field(default=(), max_length=40)
    appearance: Line = ""
    status: Line = "alive"


class Place(Wire):
    """Somewhere in the story, with what is known of it."""

    id: EntityId
    name: Name
    aliases: tuple[Name, ...] = Field(default=(), max_length=20)
    facts: tuple[Line, ...] = Field(default=(), max_length=40)


class TimelineEvent(Wire):
    """Something that happened; `order` grows with story time, `when` says it in words."""

    order: int
    when: Line = ""
    description: Line
    segment_number: int | None = None


class BibleStyle(Wire):
    """How the scene looks: words for the model, a palette (dark to light) for the drawing."""

    preset: Name = "storybook"
    tone: Line = ""
    visual: Line = ""
    palette: tuple[HexColour, ...] = Field(default=(), max_length=8)


class SceneBible(Wire):
    """All facts of one scene at one version."""

    version: int = Field(default=1, ge=1)
    title: Line = ""
    synopsis: Annotated[str, StringConstraints(max_length=4000)] = ""
    characters: tuple[Character, ...] = Field(default=(), max_length=200)
    places: tuple[Place, ...] = Field(default=(), max_length=200)
    timeline: tuple[TimelineEvent, ...] = Field(default=(), max_length=2000)
    rules: tuple[Line, ...] = Field(default=(), max_length=100)
    style: BibleStyle = BibleStyle()

    @field_validator("characters", "places")
    @classmethod
    def _ids_are_unique(cls, value: tuple[Character | Place, ...]) -> tuple[Character | Place, ...]:
        ids = [entity.id for entity in value]
        doubled = sorted({one for one in ids if ids.count(one) > 1})
        if doubled:
            raise ValueError(f"these ids are used twice: {', '.join(doubled)}")
        return value

    def content_hash(self) -> str:
        """sha256 of everything but the version number."""
        facts = self.to_json()
        facts.pop("version")
        return content_hash(facts)
