"""Words of the storyboard: faces by script, lines by width, places by key words."""

from __future__ import annotations

import numpy as np
import pytest

from inference.video.storyboard import fonts
from inference.video.storyboard.cast import cast_of
from inference.video.storyboard.fonts import chain, face_for
from inference.video.storyboard.plan import caption_pages
from inference.video.storyboard.text import Setting, cleaned, runs_of, set_lines, width_of, wrapped
from inference.video.storyboard.words import settings_in, things_in, weather_in
from storyforge.domain.bible import Character, SceneBible
from storyforge.domain.script import Shot

SETTING = Setting(24)


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox",
        "Ängstliche Füße, œuvre, señor",
        "Съешь же ещё этих мягких булок",
        "Ξεσκεπάζω την ψυχοφθόρα",
        "Pijamalı hasta yağız şoföre",
        "Ngày xửa ngày xưa ở một vương quốc",
        "从前有一个小女孩",
        "むかしむかし、おじいさんが",
        "옛날 옛적에",
        "كان يا ما كان",
        "היה היה פעם",
        "एक समय की बात है",
    ],
)
def test_every_language_has_a_face_for_every_letter(text: str) -> None:
    faces = tuple(chain(text, serif=True))
    missing = [one for one in text if not one.isspace() and face_for(one, faces) is None]
    assert missing == []
    assert "".join(run.text for run in runs_of(text, SETTING)) == text
    assert set_lines([text], SETTING).max() == 255


def test_a_character_without_any_face_is_left_out_rather_than_boxed() -> None:
    shown = "".join(run.text for run in runs_of("a\U000e0041\U0010fffdb", SETTING))
    assert shown == "ab"


def test_without_any_font_wheel_there_are_still_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    cached = (fonts._named, fonts._cjk_data, fonts._system_faces, fonts._last_face, width_of)
    monkeypatch.setattr(fonts, "find_spec", lambda _name: None)
    monkeypatch.setattr(fonts, "SYSTEM_DIRS", ())
    for one in cached:
        one.cache_clear()
    try:
        assert [face.name for face in chain("Hello", serif=True)] == ["built-in"]
        assert set_lines(["Hello"], SETTING).max() == 255
        assert width_of("你好", SETTING) == 0  # nobody can show it: no boxes
    finally:
        monkeypatch.undo()
        for one in cached:
            one.cache_clear()


def test_two_han_letters_are_two_different_pictures() -> None:
    one, other = set_lines(["水"], SETTING), set_lines(["火"], SETTING)
    assert not np.array_equal(one, other)


def test_lines_fit_the_width_and_keep_every_word() -> None:
    text = "It was a bright cold day in April and the clocks were striking thirteen " * 3
    lines = wrapped(cleaned(text), 200, SETTING)
    assert all(width_of(line, SETTING) <= 201 for line in lines)
    assert " ".join(lines).split() == text.split()


def test_a_word_longer_than_the_line_is_cut() -> None:
    lines = wrapped("Donaudampfschifffahrtsgesellschaft" * 2, 120, SETTING)
    assert len(lines) > 2
    assert all(width_of(line, SETTING) <= 121 for line in lines)


def test_chinese_breaks_anywhere_but_not_before_a_full_stop() -> None:
    lines = wrapped("他走过了很长很长的路。" * 6, 150, SETTING)
    assert len(lines) > 1
    assert not any(line.startswith("。") for line in lines)


def test_pages_hold_all_lines_in_order() -> None:
    lines = [str(at) for at in range(7)]
    pages = caption_pages(lines, 2)
    assert [line for page in pages for line in page] == lines
    assert max(len(page) for page in pages) <= 2


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("Deep in the dark forest", "forest"),
        ("Tief im Märchenwald stand ein Baum", "forest"),
        ("Au bord de la mer", "sea"),
        ("En la ciudad de noche", "city"),
        ("В старом замке", "castle"),
        ("森林里有一间小屋", "forest"),
        ("砂漠を歩く", "desert"),
        ("Die Raumstation kreist", "station"),
        ("She opened the door to the kitchen", "kitchen"),
    ],
)
def test_places_are_recognised_in_several_languages(text: str, setting: str) -> None:
    assert settings_in(text)[0] == setting


def test_plain_words_name_no_place() -> None:
    assert settings_in("She said that she would think about it.") == []


def test_weather_and_things_are_recognised() -> None:
    assert "rain" in weather_in("It was raining hard")
    assert "snow" in weather_in("Es schneite die ganze Nacht")
    assert "ship" in things_in("the old ship set sail")


def test_a_look_comes_from_the_words_of_the_bible() -> None:
    fox = Character(id="f", name="Reineke", appearance="ein roter Fuchs mit grünem Schal")
    bible = SceneBible(characters=(fox,))
    (figure,), unseen = cast_of(Shot(prompt="x", characters=("f",), seconds=1), bible, 1)
    assert figure.kind == "fox"
    assert figure.cloth == "#c23b3b"
    assert "scarf" in figure.features
    assert unseen == 0


def test_a_crowd_is_counted_rather_than_piled_up() -> None:
    names = tuple(f"P{at}" for at in range(60))
    figures, unseen = cast_of(Shot(prompt="x", characters=names, seconds=1), SceneBible(), 1)
    assert len(figures) + unseen == 60
    assert len({figure.place for figure in figures}) == len(figures)


@pytest.mark.parametrize(
    "text",
    ["I see what is mine", "the total capital of a vital metal", "She had a dream in March"],
)
def test_words_that_only_look_like_places_name_none(text: str) -> None:
    assert settings_in(text) == []


@pytest.mark.parametrize(
    "appearance", ["an old king with a beard", "a ponytail and a crown", "one of a hundred"]
)
def test_words_that_only_look_like_animals_leave_a_person(appearance: str) -> None:
    someone = Character(id="s", name="Wolfgang", appearance=appearance)
    bible = SceneBible(characters=(someone,))
    (figure,), _ = cast_of(Shot(prompt="x", characters=("s",), seconds=1), bible, 1)
    assert figure.kind == "person"


def test_a_colour_before_hair_is_the_hair_s_and_not_the_cloak_s() -> None:
    king = Character(id="k", name="Alder", appearance="a king with a white beard, a green cloak")
    bible = SceneBible(characters=(king,))
    (figure,), _ = cast_of(Shot(prompt="x", characters=("k",), seconds=1), bible, 1)
    assert figure.hair == "#efeae0"
    assert figure.cloth == "#4f8a4c"
