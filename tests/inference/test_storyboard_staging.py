"""Staging: where a shot plays, who is in it, how near the camera is."""

from __future__ import annotations

import pytest

from inference.video.model import ShotRequest
from inference.video.storyboard.colour import chroma
from inference.video.storyboard.extras import extras_in
from inference.video.storyboard.framing import Framing
from inference.video.storyboard.plan import DrawingPlan, compose
from inference.video.storyboard.styles import Paint, style_named
from inference.video.storyboard.words import things_in, weather_in
from storyforge.domain.bible import Character, SceneBible
from storyforge.domain.script import Light, Shot


def shown(prompt: str, *, narration: str = "", place: str = "", bible: SceneBible | None = None,
          characters: tuple[str, ...] = (), index: int = 0) -> DrawingPlan:  # fmt: skip
    shot = Shot(prompt=prompt, narration=narration, place=place, characters=characters, seconds=2)
    return compose(
        ShotRequest(
            shot=shot,
            index=index,
            count=3,
            bible=bible or SceneBible(),
            width=320,
            height=180,
            fps=12,
            frames=24,
            seed=5,
        )
    )


@pytest.mark.parametrize(
    ("told", "place", "setting"),
    [
        ("Ashby turned his ship for home", "the open sea", "deck"),
        ("Ashby rowed the little boat through the fog", "the open sea", "boat"),
        ("Ashby looked at the waves", "the open sea", "boat"),
        ("Ashby saw a ship from the beach", "the beach", "sea"),
        ("Ashby waited on the pier", "the harbour", "pier"),
        ("Ashby ran up the winding stair", "Gullrock lighthouse", "lamp_room"),
        ("Ashby stood on the bridge", "the old bridge", "bridge"),
        ("Ashby knelt before the throne", "the throne room", "hall"),
    ],
)
def test_nobody_stands_on_the_water_or_in_a_living_room_at_sea(
    told: str, place: str, setting: str
) -> None:
    assert shown(told, place=place, characters=("Ashby",)).setting == setting


def test_a_ship_without_people_is_seen_from_outside() -> None:
    plan = shown("The Marigold left, a ship under full sail", place="the ship")
    assert plan.setting == "sea"
    assert "ship" in plan.things


@pytest.mark.parametrize(
    ("prompt", "framing"),
    [
        ("Close-up. Kitchen. Nora speaking.", Framing.CLOSE),
        ("Nahaufnahme. Wald. Grete spricht.", Framing.CLOSE),
        ("Общий план. Лес.", Framing.WIDE),
        ("中景。河边。", Framing.MEDIUM),
    ],
)
def test_the_field_size_is_the_screenwriters(prompt: str, framing: Framing) -> None:
    assert shown(prompt, characters=("Nora",)).framing is framing


def test_a_nearer_view_shows_a_larger_head_and_softer_land() -> None:
    wide = shown("Wide shot. A meadow.", characters=("Nora",))
    close = shown("Close-up. A meadow.", characters=("Nora",))
    assert close.figures[0].size > 2 * wide.figures[0].size
    assert close.lens_zoom > 1.5 > wide.lens_zoom


def test_animals_of_the_text_are_in_the_picture_without_a_name() -> None:
    plan = shown("Wald.", narration="Im Wald begegnete ihr der Wolf.", characters=("Grete",))
    assert [(one.name, one.kind) for one in plan.figures] == [("Grete", "person"), ("", "wolf")]


@pytest.mark.parametrize(
    "narration",
    [
        "She could not bear it.",
        "He ran like a wolf.",
        "“A wolf!” she cried.",
        "Il est rapide comme un loup.",
        "They had a long chat.",
    ],
)
def test_who_is_only_compared_or_spoken_of_is_not_drawn(narration: str) -> None:
    assert [one.kind for one in shown("A hill.", narration=narration).figures] in ([], ["person"])


def test_a_noun_of_a_characters_description_means_the_character() -> None:
    oda = Character(id="oda", name="Lord Oda", appearance="A warlord in a black helmet.")
    plan = shown("x", narration="The old warlord rose.", bible=SceneBible(characters=(oda,)))
    assert [one.name for one in plan.figures] == ["Lord Oda"]


def test_comparisons_and_names_are_neither_weather_nor_places() -> None:
    hazel = Character(id="h", name="Hazel", appearance="a rabbit")
    bible = SceneBible(characters=(hazel,))
    assert weather_in("Arrows fell like rain") == []
    assert shown("x", narration="Hazel was there.", bible=bible).weather == ()
    assert "birds" not in things_in("Gullrock")


def test_a_long_coat_is_no_long_hair() -> None:
    ashby = Character(
        id="a", name="Ashby", appearance="An old sailor with a white beard, a long blue coat"
    )
    plan = shown("x", characters=("a",), bible=SceneBible(characters=(ashby,)))
    assert plan.figures[0].kind == "person"
    assert set(plan.figures[0].features) == {"beard", "coat"}


def test_rain_goes_on_in_the_next_shot_of_a_place() -> None:
    first = Shot(prompt="It rained on the street.", place="street", seconds=2)
    second = Shot(prompt="A door opened.", place="street", seconds=2)
    request = ShotRequest(shot=second, previous=first, index=1, count=2, bible=SceneBible(),
                          width=320, height=180, fps=12, frames=24, seed=5)  # fmt: skip
    assert compose(request).weather == ("rain",)


@pytest.mark.parametrize("palette", [("#1d3b53", "#2f7f92", "#e7b64c", "#f6ead0")])
def test_a_warm_palette_leaves_a_blue_sky_blue(palette: tuple[str, ...]) -> None:
    paint = Paint(style_named("watercolour"), Light.DAY, palette)
    top = paint.sky[0]
    assert top[2] == max(top)
    assert chroma(top) >= 0.95 * chroma(Paint(style_named("watercolour"), Light.DAY).sky[0])


def test_a_noun_within_a_korean_word_is_found_where_it_stands() -> None:
    """`$` ends a stem in the tables and stands in no text."""
    [dog] = extras_in("하얀 개가 숲으로 달려갔다.", (), alone=True)
    assert dog
    extras_in("안개가 짙어서 아무것도 보이지 않았다.", (), alone=True)
