"""Answers are believed only when they are whole: repairs are bounded, and failures have names."""

from __future__ import annotations

import json

import pytest

from inference.language.agent.agent import ScriptAgent
from storyforge.errors import ScriptInvalid
from tests.inference.agent.conftest import agent_on, brief_of
from tests.servers.fake_openai import FakeOpenAi, Says, filled, honest, schema_of


def test_a_broken_answer_is_repaired_and_the_model_is_told_what_was_wrong(
    fake: FakeOpenAi, agent: ScriptAgent
) -> None:
    fake.answers = [Says("{ no json"), honest]
    script = agent.expand_script(brief_of())
    assert script.record is not None
    assert script.record.repairs == 1
    assert fake.chats[1]["messages"][:2] == fake.chats[0]["messages"], "the prefix stays"
    assert "no JSON object" in fake.chats[1]["messages"][-1]["content"]
    assert fake.chats[1]["seed"] != fake.chats[0]["seed"], "the same seed would say the same"


def test_the_place_that_departs_from_the_shape_is_named(
    fake: FakeOpenAi, agent: ScriptAgent
) -> None:
    def wrong_camera(chat: dict[str, object]) -> Says:
        value = filled(schema_of(chat))
        value["shots"][1]["camera"] = "crane"
        return Says(json.dumps(value))

    fake.answers = [wrong_camera]
    agent.expand_script(brief_of())
    assert "shots.1.camera" in fake.chats[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    "bad",
    [
        Says(""),
        Says("null"),
        Says("[" * 5000),
        Says('{"shots": []}'),
        Says('{"shots": "many"}'),
        Says('{"shots": [{"prompt": "a"'),
        Says(json.dumps({"shots": [], "extra": 1})),
        Says("Sure! Here is your script: ...", finish="length"),
    ],
)
def test_after_two_repairs_it_is_script_invalid(
    fake: FakeOpenAi, agent: ScriptAgent, bad: Says
) -> None:
    fake.otherwise = lambda _chat: bad
    with pytest.raises(ScriptInvalid, match="no usable script in 3 tries"):
        agent.expand_script(brief_of())
    assert len(fake.chats) == 3


def test_too_many_shots_are_refused_even_if_the_engine_let_them_through(
    fake: FakeOpenAi, agent: ScriptAgent
) -> None:
    def crowded(chat: dict[str, object]) -> Says:
        value = filled(schema_of(chat))
        value["shots"] *= 40
        return Says(json.dumps(value))

    fake.answers = [crowded]
    assert len(agent.expand_script(brief_of(seconds=8.0)).shots) <= 4
    assert len(fake.chats) == 2


def test_an_endless_answer_is_cut_off_at_the_cap(fake: FakeOpenAi) -> None:
    agent = agent_on(fake.url, most_tokens=50)
    fake.otherwise = lambda _chat: Says("x" * 100_000, piece_chars=1)
    with pytest.raises(ScriptInvalid, match="cut off at 50 tokens"):
        agent.expand_script(brief_of())


def test_a_request_that_the_server_refuses_is_not_tried_again(
    fake: FakeOpenAi, agent: ScriptAgent
) -> None:
    fake.otherwise = lambda _chat: Says(status=400)
    with pytest.raises(ScriptInvalid, match="status 400"):
        agent.expand_script(brief_of())
    assert len(fake.chats) == 1


def test_seed_sampling_and_prompt_version_are_stored_with_the_script(
    fake: FakeOpenAi, agent: ScriptAgent
) -> None:
    record = agent.expand_script(brief_of(seed=41)).record
    assert record is not None
    asked = fake.chats[0]
    assert (record.seed, record.temperature, record.top_p, record.most_tokens) == (
        asked["seed"],
        asked["temperature"],
        asked["top_p"],
        asked["max_tokens"],
    )
    assert record.prompts in record.model
    assert record.seed == 41


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0, 7.9, 33.333, 120.0])
def test_the_shots_add_up_to_the_wanted_length_to_the_millisecond(
    fake: FakeOpenAi, agent: ScriptAgent, seconds: float
) -> None:
    script = agent.expand_script(brief_of(seconds=seconds))
    assert sum(round(shot.seconds * 1000) for shot in script.shots) == round(seconds * 1000)
    assert all(shot.seconds > 0 for shot in script.shots)


def test_people_are_known_by_id_and_nobody_is_invented(
    fake: FakeOpenAi, agent: ScriptAgent
) -> None:
    def cast(chat: dict[str, object]) -> Says:
        value = filled(schema_of(chat), "A picture.")
        value["shots"][0] |= {
            "characters": ["THE KEEPER", "Ludmila", "Count Dracula", "mira"],
            "place": "the old lighthouse",
        }
        return Says(json.dumps(value))

    fake.answers = [cast]
    shot = agent.expand_script(brief_of("Ludmila knocks. The keeper opens.")).shots[0]
    assert shot.characters == ("mira", "Ludmila")
    assert shot.place == "lamp"


def test_characters_that_no_database_takes_do_not_get_into_a_script(
    fake: FakeOpenAi, agent: ScriptAgent
) -> None:
    nasty = "Mira\x00 walks\ud800 \u202eon.\x1b[31m"
    fake.answers = [lambda chat: Says(json.dumps(filled(schema_of(chat), nasty)))]
    shot = agent.expand_script(brief_of()).shots[0]
    assert shot.prompt == "Mira walks on.[31m"
    shot.prompt.encode()


def test_long_strings_are_cut_at_a_word_when_the_engine_did_not_bound_them(
    fake: FakeOpenAi,
) -> None:
    agent = agent_on(fake.url, bounded_strings=False)
    fake.answers = [lambda chat: Says(json.dumps(filled(schema_of(chat), "word " * 900)))]
    shot = agent.expand_script(brief_of()).shots[0]
    assert len(shot.prompt) <= 500
    schema = json.dumps(schema_of(fake.chats[0]))
    assert "maxLength" not in schema
    assert "maxItems" in schema
