"""Proposed changes of the bible: what the text bears out is kept, the rest is dropped or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.language.agent.agent import ScriptAgent
from inference.language.agent.drafts import FactsDraft
from inference.language.agent.facts_of import moved, patch_from
from storyforge.domain.bible import Character, Place, SceneBible, TimelineEvent
from storyforge.domain.script import Script, Shot
from tests.inference.agent.conftest import BIBLE, agent_on, brief_of
from tests.servers.fake_openai import FakeOpenAi, Says

TEXT = "Mira opens the door to Captain Reyes. They walk to the Salt Mill. Tom stays at home."
SCRIPT = Script(
    shots=(Shot(prompt="Mira at a door.", characters=("mira",), seconds=4.0),), writer="x"
)
NOTHING: dict[str, Any] = {
    "new_people": [],
    "changed_people": [],
    "new_places": [],
    "place_facts": [],
    "when": "at dusk",
    "happened": "Mira let Captain Reyes in.",
}


def after(**proposed: Any) -> SceneBible:
    draft = FactsDraft.model_validate({**NOTHING, **proposed})
    brief = brief_of(TEXT)
    return moved(BIBLE, patch_from(draft, brief, SCRIPT, 7))


def person(name: str, looks: str = "", traits: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"name": name, "looks": looks, "traits": list(traits)}


def change(who: str, **told: str) -> dict[str, str]:
    return {"id": who, "status": "", "looks": "", "new_trait": "", **told}


def test_one_event_is_added_with_its_segment() -> None:
    event = after().timeline[-1]
    assert (event.segment_number, event.when, event.order) == (7, "at dusk", 1)
    assert after().version == BIBLE.version + 1


def test_new_people_and_places_come_in_when_the_text_names_them() -> None:
    bible = after(
        new_people=[person("Captain Reyes", "a tall man", ("proud",)), person("Count Dracula")],
        new_places=[{"name": "the Salt Mill", "facts": ["old"]}, {"name": "Narnia", "facts": []}],
    )
    assert [one.id for one in bible.characters] == ["mira", "tom", "captain-reyes"]
    assert bible.characters[-1].traits == ("proud",)
    assert [one.name for one in bible.places][1:] == ["the Salt Mill"]


def test_known_people_are_not_added_again_under_any_of_their_names() -> None:
    bible = after(new_people=[person("MIRA VOSS"), person("Mira"), person("the Keeper")])
    assert [one.id for one in bible.characters] == ["mira", "tom"]


def test_part_of_a_known_name_is_nobody_new() -> None:
    known = BIBLE.model_copy(update={"characters": (Character(id="reyes", name="Captain Reyes"),)})
    draft = FactsDraft.model_validate({**NOTHING, "new_people": [person("Reyes")]})
    patch = patch_from(draft, brief_of("Reyes knocks.", bible=known), SCRIPT, 2)
    assert patch.characters.add == ()


def test_changes_are_for_those_who_are_in_the_segment() -> None:
    bible = after(
        changed_people=[
            change("mira", status="wounded", new_trait="limps"),
            change("tom", status="gone"),
            change("nobody", status="dead"),
            change("mira", status="dead"),
        ]
    )
    mira, tom = bible.characters[:2]
    assert mira.status == "wounded", "the first word on somebody counts"
    assert mira.traits == ("limps",)
    assert tom.status == "gone", "the text names him"


def test_looks_that_were_told_are_never_overwritten() -> None:
    bible = after(changed_people=[change("mira", looks="red hair"), change("tom", looks="bald")])
    assert bible.characters[0].appearance == "grey coat"
    assert bible.characters[1].appearance == "bald"


def test_facts_of_places_are_added_once() -> None:
    fact = {"id": "The Old Lighthouse", "fact": "its lamp is broken"}
    bible = after(place_facts=[fact, fact, {"id": "lamp", "fact": "whitewashed"}])
    assert bible.places[0].facts == ("whitewashed", "its lamp is broken")


def test_a_full_bible_takes_no_more_and_keeps_what_it_has() -> None:
    full = SceneBible(
        characters=tuple(Character(id=f"c{n}", name=f"Person{n}") for n in range(200)),
        places=tuple(Place(id=f"p{n}", name=f"Place{n}") for n in range(200)),
        timeline=tuple(TimelineEvent(order=n, description="x") for n in range(2000)),
    )
    draft = FactsDraft.model_validate({**NOTHING, "new_people": [person("Captain Reyes")]})
    brief = brief_of(TEXT, bible=full)
    assert moved(full, patch_from(draft, brief, SCRIPT, 7)).content_hash() == full.content_hash()


_LINE = st.text(max_size=60)
_DRAFTS = st.fixed_dictionaries(
    {
        "new_people": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["Captain Reyes", "Mira", "door", "x"]), "looks": _LINE}
            ).map(lambda one: {**one, "traits": []}),
            max_size=6,
        ),
        "changed_people": st.lists(
            st.builds(
                lambda who, status: change(who, status=status),
                st.sampled_from(["mira", "tom", "the keeper", "?"]),
                _LINE,
            ),
            max_size=8,
        ),
        "new_places": st.just([]),
        "place_facts": st.just([]),
        "when": _LINE,
        "happened": st.just("It happened."),
    }
)


@given(proposed=_DRAFTS)
@settings(max_examples=60, deadline=None)
def test_any_proposal_gives_a_whole_bible_that_lost_nothing(proposed: dict[str, Any]) -> None:
    bible = after(**proposed)
    assert SceneBible.model_validate(bible.model_dump()) == bible
    assert {one.id for one in BIBLE.characters} <= {one.id for one in bible.characters}
    assert all(
        set(before.traits) <= set(now.traits) and before.appearance in {now.appearance, ""}
        for before, now in zip(BIBLE.characters, bible.characters, strict=False)
    )
    assert bible.places == BIBLE.places
    assert bible.rules == BIBLE.rules


@pytest.mark.parametrize("answer", ["no json", '{"new_people": []}', "[]"])
def test_an_unusable_proposal_leaves_the_bible_to_the_rules_and_says_so(
    fake: FakeOpenAi, answer: str
) -> None:
    notes: list[str] = []

    class Notes:
        def still_wanted(self) -> None: ...

        def note(self, text: str) -> None:
            notes.append(text)

    agent: ScriptAgent = agent_on(fake.url).watched_by(Notes())
    fake.otherwise = lambda _chat: Says(answer)
    bible = agent.move_bible(brief_of(TEXT), SCRIPT, 7)
    assert bible.version == BIBLE.version + 1
    assert bible.timeline[-1].segment_number == 7
    assert notes == ["fake-model proposed no usable changes of the bible; fixed rules moved it."]
    assert len(fake.chats) == 3


def test_a_usable_proposal_moves_the_bible(fake: FakeOpenAi, agent: ScriptAgent) -> None:
    fake.answers = [Says(json.dumps({**NOTHING, "new_people": [person("Captain Reyes")]}))]
    bible = agent.move_bible(brief_of(TEXT), SCRIPT, 7)
    assert bible.characters[-1].name == "Captain Reyes"
    assert bible.timeline[-1].description == "Mira let Captain Reyes in."
