"""The rule-based writer on real paragraphs and on any text at all."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.language.model import ScriptBrief
from inference.language.rule_writer import RuleWriter
from storyforge.domain.bible import Character, Place, SceneBible, TimelineEvent
from storyforge.domain.script import CameraMove, Light, Script
from storyforge.domain.segment import SegmentSummary
from storyforge.errors import ScriptInvalid

_STORIES: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "rule_writer_stories.toml").read_text(encoding="utf-8")
)
_ENTITY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_BIBLE = SceneBible(
    characters=(
        Character(id="mira", name="Mira Voss", aliases=("the keeper",), traits=("a young woman",)),
        Character(id="tom", name="Tom", traits=("an old man",)),
        Character(id="zoe", name="Zoë Krämer"),
    ),
    places=(
        Place(id="lamp", name="The Old Lighthouse", facts=("whitewashed",)),
        Place(id="bay", name="Gull Bay"),
    ),
)
_SECONDS = st.one_of(
    st.integers(1, 120).map(float), st.integers(1000, 120_000).map(lambda ms: ms / 1000)
)
_TEXT = st.one_of(
    st.text(max_size=400),
    st.text(alphabet="Aa.!?\"'“”„«»「」。、, -—\n\tz\u00df\u2019é中あБ1", max_size=400),
    st.lists(
        st.sampled_from([story["text"] for story in _STORIES.values()]), min_size=1, max_size=3
    ).map("\n".join),
)


def _brief(text: str, seconds: float = 16.0, **more: Any) -> ScriptBrief:
    return ScriptBrief(text=text, bible=more.pop("bible", _BIBLE), target_seconds=seconds, **more)


def _script(text: str, seconds: float = 16.0, **more: Any) -> Script:
    return RuleWriter().expand_script(_brief(text, seconds, **more))


def _milliseconds(script: Script) -> list[int]:
    return [round(shot.seconds * 1000) for shot in script.shots]


@given(text=_TEXT, seconds=_SECONDS, seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_any_text_gives_a_script_of_exactly_the_asked_length(
    text: str, seconds: float, seed: int
) -> None:
    brief = _brief(text, seconds, seed=seed)
    script = RuleWriter().expand_script(brief)
    assert sum(_milliseconds(script)) == round(seconds * 1000)
    assert all(shot.seconds > 0 and shot.prompt.strip() for shot in script.shots)
    assert Script.model_validate(script.model_dump()) == script
    assert script == RuleWriter().expand_script(brief)


@pytest.mark.parametrize("name", sorted(_STORIES))
@pytest.mark.parametrize("seconds", [1.0, 8.0, 16.0, 31.7, 120.0])
def test_real_paragraphs_are_cut_into_shots_of_two_to_five_seconds(
    name: str, seconds: float
) -> None:
    script = _script(_STORIES[name]["text"], seconds, bible=SceneBible())
    lengths = _milliseconds(script)
    assert sum(lengths) == round(seconds * 1000)
    if seconds >= 2:
        assert all(2000 <= length <= 5000 for length in lengths)


@pytest.mark.parametrize("name", sorted(_STORIES))
def test_the_narration_is_the_readers_text_and_nothing_else(name: str) -> None:
    text = _STORIES[name]["text"]
    script = _script(text, 24.0, bible=SceneBible())
    told = "".join("".join(shot.narration.split()) for shot in script.shots)
    assert told == "".join(text.split())


@pytest.mark.parametrize("name", sorted(_STORIES))
@pytest.mark.parametrize("seed", range(4))
def test_no_camera_move_comes_three_times_in_a_row(name: str, seed: int) -> None:
    moves = [shot.camera for shot in _script(_STORIES[name]["text"], 60.0, seed=seed).shots]
    triples = zip(moves, moves[1:], moves[2:], strict=False)
    assert not any(first == second == third for first, second, third in triples)
    assert len(set(moves)) >= 4


def test_the_notice_says_plainly_that_rules_wrote_it() -> None:
    script = _script("Mira waited.")
    assert "not by a language model" in script.notice
    assert script.writer == RuleWriter().name == "rule-writer/1"


def test_eight_thousand_characters_in_one_second_say_what_is_left_out() -> None:
    text = " ".join(f"Mira opened door number {number}." for number in range(260))
    script = _script(text, 1.0)
    assert len(script.shots) == 1
    assert len(script.shots[0].narration) <= 2000
    assert "are not told in it" in script.notice


def test_one_word_fills_two_minutes_with_different_views() -> None:
    script = _script("Storm.", 120.0)
    assert script.shots[0].narration == "Storm."
    assert not any(shot.narration for shot in script.shots[1:])
    assert len({shot.prompt for shot in script.shots}) > 1


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_an_impossible_length_is_refused(seconds: float) -> None:
    with pytest.raises(ScriptInvalid):
        _script("Mira waited.", seconds)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIRA VOSS ran.", "mira"),
        ("The keeper's lamp burned.", "mira"),
        ("Mira's coat was wet.", "mira"),
        ("Voss laughed.", "mira"),
        ("Zoe Kramer waved.", "zoe"),
        ("Da kam Zoës Hund, und Krämer rief ihn.", "zoe"),
    ],
)
def test_known_people_are_found_by_names_aliases_and_inflections(text: str, expected: str) -> None:
    assert expected in _script(text, 2.0).shots[0].characters


def test_pronouns_carry_the_right_person_over() -> None:
    text = (
        "Mira climbed the stairs. Tom waited below. She opened the hatch. "
        "He coughed. They listened."
    )
    people = [shot.characters for shot in _script(text, 15.0).shots]
    assert people == [("mira",), ("tom",), ("mira",), ("tom",), ("tom",)] or people[2:4] == [
        ("mira",),
        ("tom",),
    ]


def test_a_first_shot_pronoun_means_someone_of_the_last_segment() -> None:
    recent = (
        SegmentSummary(
            segment_id=UUID(int=1), number=1, summary="x", characters=("mira",), place="lamp"
        ),
    )
    shot = _script("She turned round.", 2.0, recent=recent).shots[0]
    assert shot.characters == ("mira",)
    assert shot.place == "lamp"


def test_someone_only_spoken_of_is_not_in_the_picture() -> None:
    shot = _script("“Tom is far away,” said Mira.", 3.0).shots[0]
    assert shot.characters == ("mira",)


def test_places_are_found_and_carried_and_comparisons_are_not_places() -> None:
    text = (
        "Mira stepped into the old lighthouse. The lamp was cold. "
        "Her hair smelled like the sea. Tom walked to Gull Bay."
    )
    assert [shot.place for shot in _script(text, 12.0).shots] == ["lamp", "lamp", "lamp", "bay"]


@pytest.mark.parametrize(
    ("text", "light"),
    [
        ("At dawn the boat left.", Light.DAWN),
        ("It was noon.", Light.DAY),
        ("Der Abend kam.", Light.DUSK),
        ("À minuit, la cloche sonna.", Light.NIGHT),
        ("Ночью выл ветер.", Light.NIGHT),
        ("黄昏\uff0c船来了。", Light.DUSK),
        ("真夜中、鐘が鳴った。", Light.NIGHT),
        ("One day a boat came.", Light.DAY),
        ("“Good night,” said Mira.", Light.DAY),
    ],
)
def test_light_is_read_from_words_in_several_languages(text: str, light: Light) -> None:
    assert _script(text, 3.0).shots[0].light is light


def test_the_light_of_the_last_event_holds_until_the_text_says_otherwise() -> None:
    night = TimelineEvent(order=1, when="midnight (night)", description="x")
    bible = _BIBLE.model_copy(update={"timeline": (night,)})
    lights = [s.light for s in _script("Mira ran. At dawn she slept.", 6.0, bible=bible).shots]
    assert lights == [Light.NIGHT, Light.DAWN]


@pytest.mark.parametrize(
    ("text", "moves"),
    [
        ("The guards attacked and Mira fled.", {CameraMove.HANDHELD, CameraMove.TRACKING}),
        ("Mira looked up at the ceiling.", {CameraMove.TILT_UP}),
        ("Mira looked down into the abyss.", {CameraMove.TILT_DOWN}),
        ("“Come in,” said Mira.", {CameraMove.STATIC, CameraMove.PUSH_IN}),
        ("Mira arrived at the gate.", {CameraMove.PUSH_IN, CameraMove.TRACKING}),
    ],
)
def test_the_camera_follows_what_happens(text: str, moves: set[CameraMove]) -> None:
    assert _script(text, 3.0).shots[0].camera in moves


def test_dialogue_stays_with_its_speaker() -> None:
    text = 'Mira waited. "Who is there? Answer me!" she called. "Only me," said Tom. Rain fell.'
    told = [shot.narration for shot in _script(text, 12.0).shots]
    assert '"Who is there? Answer me!" she called.' in told
    assert '"Only me," said Tom.' in told


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Mr. Finch met Dr. Hale at 5 p.m. on St. John's Street. It rained.", 2),
        ("Am 3. Mai kam Hr. Weber, z. B. mit dem Zug. Es war kalt.", 2),
        ("J. R. Hale waited... and waited. Then 3.14 bells rang!", 2),
        ("他来了。她笑了\uff01谁\uff1f", 3),
        ("वह आया। वह हँसी।", 2),
        ("هل جاء؟ نعم.", 2),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, count: int) -> None:
    assert len(_script(text, 2.8 * 8).shots) >= count
    assert len(_script(text, 2.8 * count).shots) == count


def test_markup_and_control_characters_leave_no_trace() -> None:
    text = "# Chapter\n\x00<b>Mira</b> \x1b[31mwaited\u202e **long**.\r\n\r\n<script>x()</script>"
    told = " ".join(shot.narration for shot in _script(text, 8.0).shots)
    assert "Mira" in told
    assert not re.search(r"[\x00-\x1f\u202e<>*#]", told)


def test_the_size_of_the_story_does_not_change_a_shot_list() -> None:
    text = "Mira opened the door. Tom waited in the rain."
    small = _script(text, 6.0)
    crowd = tuple(Character(id=f"c{n}", name=f"Xq{n}zy") for n in range(150))
    large = _script(
        text, 6.0, bible=_BIBLE.model_copy(update={"characters": (*_BIBLE.characters, *crowd)})
    )
    assert small == large


def test_shots_follow_the_order_of_the_text() -> None:
    text = _STORIES["noir"]["text"]
    places = [text.find(shot.narration[:12]) for shot in _script(text, 17.0).shots]
    assert all(earlier < later for earlier, later in pairwise(places))


def test_a_known_place_is_found_by_a_name_that_looks_like_a_persons() -> None:
    rock = Place(id="rock", name="Gullrock lighthouse")
    script = _script("At dusk Gullrock lighthouse went dark.", bible=SceneBible(places=(rock,)))
    assert {shot.place for shot in script.shots} == {"rock"}
    assert {who for shot in script.shots for who in shot.characters} == set()


def test_a_vessels_name_is_nobody() -> None:
    script = _script("The space station Meridian was turning slowly. Ilse Brandt woke up.")
    assert {who for shot in script.shots for who in shot.characters} == {"Ilse Brandt"}


def test_pure_speech_keeps_who_was_in_the_picture() -> None:
    script = _script(
        "“Have you seen my dream?” asked Bruno Hart. “It ran away last night.”", seconds=6
    )
    assert [shot.characters for shot in script.shots] == [("Bruno Hart",)] * 2
