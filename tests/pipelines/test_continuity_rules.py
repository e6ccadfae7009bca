"""The rule validator's promises: it never raises, its ranges are right, its repairs are small."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.language.model import ScriptBrief
from inference.language.rule_writer import RuleWriter
from pipelines.continuity.rules import RuleValidator
from pipelines.continuity.spelling import edit_distance, jaro_winkler, sound_key
from storyforge.domain.bible import Character, Place, SceneBible, TimelineEvent
from storyforge.domain.continuity import IssueType, Severity
from storyforge.domain.script import Script, Shot

_STORIES: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[1] / "inference" / "rule_writer_stories.toml").read_text(
        encoding="utf-8"
    )
)
_BIBLE = SceneBible(
    characters=(
        Character(id="mira", name="Mira Voss", traits=("brave",), appearance="blue eyes"),
        Character(id="tom", name="Tom", status="dead"),
        Character(id="lin", name="林小雨"),
    ),
    places=(Place(id="mill", name="The Old Mill", facts=("burned down",)),),
    timeline=(TimelineEvent(order=1, when="1920", description="The old mill burned down."),),
    rules=("No magic.", "Mira never leaves the island."),
)
_LOCATION = re.compile(r"shots\[(\d+)\]\.narration:(\d+)-(\d+)")


def _script(*narrations: str, characters: tuple[str, ...] = ()) -> Script:
    shots = tuple(
        Shot(prompt=told or "x", narration=told, seconds=3, characters=characters)
        for told in narrations
    )
    return Script(shots=shots, writer="test")


@given(st.lists(st.text(max_size=200), min_size=1, max_size=4), st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_script_is_judged_and_every_range_is_inside_its_narration(
    narrations: list[str], name: str
) -> None:
    script = _script(*narrations, characters=(name,))
    result = RuleValidator().validate(script, _BIBLE)
    for one in result.issues:
        match = _LOCATION.fullmatch(one.location)
        if match:
            shot, start, end = (int(group) for group in match.groups())
            assert 0 <= start <= end <= len(script.shots[shot].narration)
    fixed, _ = RuleValidator().auto_correct(script, _BIBLE, result)
    assert Script.model_validate(fixed.model_dump()) == fixed


@pytest.mark.parametrize("name", sorted(_STORIES))
def test_a_story_fits_the_bible_that_was_made_of_it(name: str) -> None:
    writer = RuleWriter()
    first = ScriptBrief(text=_STORIES[name]["text"], bible=SceneBible(), target_seconds=17.0)
    bible = writer.move_bible(first, writer.expand_script(first), 1)
    script = writer.expand_script(first.model_copy(update={"bible": bible}))
    assert RuleValidator().validate(script, bible).issues == ()


def test_a_misspelt_name_is_repaired_in_narration_prompt_and_characters() -> None:
    script = _script("Then Myra laughed. MYRA VOSS laughed loudest.", characters=("Myra Voss",))
    validator = RuleValidator()
    result = validator.validate(script, _BIBLE)
    assert not result.valid
    fixed, report = validator.auto_correct(script, _BIBLE, result)
    assert fixed.shots[0].narration == "Then Mira laughed. MIRA VOSS laughed loudest."
    assert fixed.shots[0].prompt == "Then Mira laughed. MIRA VOSS laughed loudest."
    assert fixed.shots[0].characters == ("mira",)
    assert report.valid
    assert {one.type for one in report.corrected} == {IssueType.NAME_DRIFT}


def test_the_location_of_a_drift_is_the_word_itself() -> None:
    script = _script("The sea rose.", "Far away, Myra's lantern swung.")
    issue = RuleValidator().validate(script, _BIBLE).issues[0]
    assert issue.location == "shots[1].narration:10-14"
    assert issue.suggestion == "Mira"


def test_what_cannot_be_repaired_stays_an_error_and_the_script_stays_itself() -> None:
    script = _script("Tom opened the door.")
    validator = RuleValidator()
    result = validator.validate(script, _BIBLE)
    fixed, report = validator.auto_correct(script, _BIBLE, result)
    assert fixed is script
    assert not report.valid
    assert report.issues[0].severity is Severity.ERROR


def test_a_newcomer_is_a_warning_and_an_error_only_where_a_rule_forbids_it() -> None:
    script = _script("Captain Reyes waved.")
    allowed = RuleValidator().validate(script, _BIBLE)
    assert allowed.valid
    assert [one.severity for one in allowed.issues] == [Severity.WARNING]
    closed = _BIBLE.model_copy(update={"rules": ("No new characters!",)})
    assert not RuleValidator().validate(script, closed).valid


def test_a_death_in_the_script_binds_its_later_shots() -> None:
    script = _script("Mira drowned in the bay.", "Mira opened the door.")
    issues = RuleValidator().validate(script, _BIBLE).issues
    assert [(one.type, one.location) for one in issues] == [
        (IssueType.TIMELINE_ERROR, "shots[1].narration:0-4")
    ]


def test_a_memory_that_is_cut_over_two_shots_stays_a_memory() -> None:
    script = _script("Mira remembered how,", "long after dark, Tom opened the door.")
    assert RuleValidator().validate(script, _BIBLE).issues == ()


def test_a_place_destroyed_in_the_script_is_gone_afterwards() -> None:
    bible = SceneBible(places=(Place(id="tower", name="Crow Tower"),))
    script = _script("Crow Tower collapsed.", "The guards slept in Crow Tower.")
    issues = RuleValidator().validate(script, bible).issues
    assert [one.type for one in issues] == [IssueType.SETTING_MISMATCH]


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [("mira", "mira", 0), ("myra", "mira", 1), ("elais", "elias", 1), ("", "abc", 3)],
)
def test_edit_distance_counts_a_swap_as_one(left: str, right: str, distance: int) -> None:
    assert edit_distance(left, right) == distance


def test_jaro_winkler_matches_the_published_examples() -> None:
    assert jaro_winkler("martha", "marhta") == pytest.approx(0.9611, abs=1e-4)
    assert jaro_winkler("dwayne", "duane") == pytest.approx(0.84, abs=1e-4)
    assert jaro_winkler("", "a") == 0.0


def test_names_that_sound_alike_have_one_sound_key() -> None:
    assert sound_key("katharina") == sound_key("catarina")
    assert sound_key("mira") != sound_key("maria")
