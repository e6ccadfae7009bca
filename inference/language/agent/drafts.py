"""The shapes of answers: what a model fills in, before anything of it is believed."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, create_model

from inference.language.agent.fences import as_data
from inference.language.rule_writer.cutting import cut_words
from storyforge.domain.script import CameraMove, Light

PROMPT_CHARS, NARRATION_CHARS, NAME_CHARS, LINE_CHARS = 500, 400, 80, 240
SUMMARY_CHARS, LONG_CHARS = 300, 1200
_MOST_WEIGHT = 30


def _clean(value: Any, most: int) -> Any:
    """One line of plain text, cut to length: a bound that an engine may not have kept to."""
    return cut_words(" ".join(as_data(value).split()), most) if isinstance(value, str) else value


def _line(most: int, least: int = 0) -> Any:
    bounds = StringConstraints(min_length=least, max_length=most)
    return Annotated[str, BeforeValidator(lambda value: _clean(value, most)), bounds]


class Draft(BaseModel):
    """An answer or a part of one; a field that nobody asked for is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ShotDraft(Draft):
    """One shot as proposed; `seconds` is a wish, which is fitted to the segment's length."""

    prompt: _line(PROMPT_CHARS, 1)  # type: ignore[valid-type]
    camera: CameraMove
    light: Light
    characters: tuple[_line(NAME_CHARS, 1), ...] = Field(max_length=8)  # type: ignore[valid-type]
    place: _line(NAME_CHARS)  # type: ignore[valid-type]
    narration: _line(NARRATION_CHARS)  # type: ignore[valid-type]
    seconds: int = Field(ge=1, le=_MOST_WEIGHT)


class ScriptDraft(Draft):
    """A script as proposed."""

    shots: tuple[ShotDraft, ...]


@cache
def script_shape(least: int, most: int) -> type[ScriptDraft]:
    """The shape of a script with so many shots."""
    shots = (tuple[ShotDraft, ...], Field(min_length=least, max_length=most))
    return create_model("ScriptDraft", __base__=ScriptDraft, shots=shots)


class NewPerson(Draft):
    """Somebody whom the continuation brings in."""

    name: _line(NAME_CHARS, 1)  # type: ignore[valid-type]
    looks: _line(LINE_CHARS)  # type: ignore[valid-type]
    traits: tuple[_line(LINE_CHARS, 1), ...] = Field(max_length=4)  # type: ignore[valid-type]


class PersonChange(Draft):
    """What is different about somebody known; empty: nothing new."""

    id: _line(NAME_CHARS, 1)  # type: ignore[valid-type]
    status: _line(NAME_CHARS)  # type: ignore[valid-type]
    looks: _line(LINE_CHARS)  # type: ignore[valid-type]
    new_trait: _line(LINE_CHARS)  # type: ignore[valid-type]


class NewPlace(Draft):
    """Somewhere that the continuation brings in."""

    name: _line(NAME_CHARS, 1)  # type: ignore[valid-type]
    facts: tuple[_line(LINE_CHARS, 1), ...] = Field(max_length=4)  # type: ignore[valid-type]


class PlaceFact(Draft):
    """Something new about a known place."""

    id: _line(NAME_CHARS, 1)  # type: ignore[valid-type]
    fact: _line(LINE_CHARS, 1)  # type: ignore[valid-type]


class FactsDraft(Draft):
    """What a continuation changes in the facts, as proposed."""

    new_people: tuple[NewPerson, ...] = Field(max_length=6)
    changed_people: tuple[PersonChange, ...] = Field(max_length=8)
    new_places: tuple[NewPlace, ...] = Field(max_length=4)
    place_facts: tuple[PlaceFact, ...] = Field(max_length=4)
    when: _line(NAME_CHARS)  # type: ignore[valid-type]
    happened: _line(LINE_CHARS, 1)  # type: ignore[valid-type]


class SummaryDraft(Draft):
    """A summary as proposed."""

    summary: _line(SUMMARY_CHARS, 1)  # type: ignore[valid-type]


class LongSummaryDraft(Draft):
    """A compressed summary of many segments as proposed."""

    summary: _line(LONG_CHARS, 1)  # type: ignore[valid-type]


def strings_of(node: Any) -> tuple[str, ...]:
    """Every string in a JSON value, in its order."""
    if isinstance(node, str):
        return (node,)
    if isinstance(node, dict):
        node = list(node.values())
    return tuple(text for one in node for text in strings_of(one)) if isinstance(node, list) else ()
