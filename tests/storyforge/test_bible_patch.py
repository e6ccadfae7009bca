"""Changes of a bible: what is found between two versions makes the second of the first."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyforge.domain.bible import BibleStyle, Character, Place, SceneBible, TimelineEvent
from storyforge.domain.bible_patch import BiblePatch, apply, diff
from storyforge.errors import InvalidInput

IDS = st.sampled_from(["mara", "ben", "fox", "pier", "mill", "x"])
WORDS = st.sampled_from(["", "a", "red coat", "brave"])
NAMES = st.sampled_from(["Mara", "Ben", "The pier"])
CHARACTERS = st.builds(
    Character,
    id=IDS,
    name=NAMES,
    aliases=st.lists(NAMES, max_size=2),
    traits=st.lists(WORDS, max_size=2),
    appearance=WORDS,
    status=WORDS,
)
PLACES = st.builds(Place, id=IDS, name=NAMES, facts=st.lists(WORDS, max_size=2))
EVENTS = st.builds(
    TimelineEvent,
    order=st.integers(0, 3),
    when=WORDS,
    description=WORDS,
    segment_number=st.none() | st.integers(1, 2),
)
BIBLES = st.builds(
    SceneBible,
    title=WORDS,
    synopsis=WORDS,
    characters=st.lists(CHARACTERS, max_size=5, unique_by=lambda one: one.id),
    places=st.lists(PLACES, max_size=4, unique_by=lambda one: one.id),
    timeline=st.lists(EVENTS, max_size=6).map(lambda all_: sorted(all_, key=lambda e: e.order)),
    rules=st.lists(WORDS, max_size=5),
    style=st.builds(BibleStyle, tone=WORDS, palette=st.lists(st.just("#aabbcc"), max_size=2)),
)
BIBLE = SceneBible(
    version=4,
    synopsis="Two friends at sea.",
    characters=(Character(id="mara", name="Mara"), Character(id="ben", name="Ben")),
    places=(Place(id="pier", name="The pier"),),
    timeline=(
        TimelineEvent(order=1, description="They met."),
        TimelineEvent(order=3, description="They sailed."),
    ),
    rules=("No magic.", "No names."),
)


@given(BIBLES, BIBLES)
@settings(max_examples=100, deadline=None)
def test_the_difference_of_two_bibles_makes_the_second_of_the_first(
    old: SceneBible, new: SceneBible
) -> None:
    patch = diff(old, new)
    assert apply(old, patch) == new
    kept = BiblePatch.model_validate(patch.to_json())
    assert kept == patch, "a patch that is kept as JSON comes back the same"
    assert patch.is_empty == (old == new)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"synopsis": "x"}, {"synopsis": "x"}),
        (
            {"characters": (Character(id="mara", name="Mara", status="dead"),)},
            {"characters": {"change": [{"id": "mara", "status": "dead"}], "remove": ["ben"]}},
        ),
        (
            {"characters": BIBLE.characters[::-1]},
            {"characters": {"order": ["ben", "mara"]}},
        ),
        ({"rules": ("No names.",)}, {"rules": {"remove": [0]}}),
        ({"rules": ("Magic.", "No names.")}, {"rules": {"change": [{"at": 0, "text": "Magic."}]}}),
        ({"rules": (*BIBLE.rules, "Rain.")}, {"rules": {"add": ["Rain."]}}),
        (
            {"timeline": (*BIBLE.timeline, TimelineEvent(order=4, description="They sank."))},
            {"timeline": {"add": [{"order": 4, "description": "They sank."}]}},
        ),
    ],
)
def test_a_difference_says_no_more_than_what_changed(change: Any, kept: Any) -> None:
    assert diff(BIBLE, BIBLE.model_copy(update=change)).to_json() == kept


def test_an_event_goes_where_its_time_is() -> None:
    patch = BiblePatch.model_validate({"timeline": {"add": [{"order": 1, "description": "Rain."}]}})
    said = [event.description for event in apply(BIBLE, patch).timeline]
    assert said == ["They met.", "Rain.", "They sailed."]


def test_the_version_is_not_the_patchs_to_change() -> None:
    assert apply(BIBLE, BiblePatch(synopsis="x")).version == BIBLE.version


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"characters": {"remove": ["zoe"]}}, "/characters/remove/0"),
        ({"characters": {"remove": ["ben", "ben"]}}, "/characters/remove/1"),
        ({"characters": {"change": [{"id": "zoe", "name": "Zoe"}]}}, "/characters/change/0/id"),
        ({"characters": {"change": [{"id": "ben"}, {"id": "ben"}]}}, "/characters/change/1/id"),
        (
            {"characters": {"remove": ["ben"], "change": [{"id": "ben"}]}},
            "/characters/change/0/id",
        ),
        ({"characters": {"add": [{"id": "ben", "name": "B"}]}}, "/characters/add/0/id"),
        ({"characters": {"add": [{"id": "x", "name": "X"}] * 2}}, "/characters/add/1/id"),
        ({"characters": {"order": ["mara"]}}, "/characters/order"),
        ({"characters": {"order": ["mara", "mara"]}}, "/characters/order"),
        ({"places": {"change": [{"id": "mill"}]}}, "/places/change/0/id"),
        ({"timeline": {"remove": [2]}}, "/timeline/remove/0"),
        ({"timeline": {"remove": [0, 0]}}, "/timeline/remove/1"),
        (
            {"timeline": {"remove": [0], "change": [{"at": 0, "order": 1, "description": ""}]}},
            "/timeline/change/0/at",
        ),
        (
            {"timeline": {"change": [{"at": 0, "order": 9, "description": "x"}]}},
            "/timeline/change/0/order",
        ),
        (
            {"timeline": {"change": [{"at": 1, "order": 0, "description": "x"}]}},
            "/timeline/change/0/order",
        ),
        (
            {
                "timeline": {
                    "add": [{"order": 5, "description": "x"}, {"order": 4, "description": "y"}]
                }
            },
            "/timeline/add/1/order",
        ),
        ({"rules": {"change": [{"at": 2, "text": "x"}]}}, "/rules/change/0/at"),
        ({"rules": {"add": ["x"] * 99}}, "/rules"),
    ],
)
def test_what_cannot_be_changed_is_named(patch: Any, pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        apply(BIBLE, BiblePatch.model_validate(patch))
    assert caught.value.errors[0].pointer == pointer
    assert caught.value.detail.startswith(f"{pointer}: ")
