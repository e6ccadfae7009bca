"""The words that a model reads, and how their embeddings are kept."""

from __future__ import annotations

import pytest

from inference.video.diffusion.prompt_cache import PromptCache
from inference.video.diffusion.prompts import prompt_of
from storyforge.domain.bible import BibleStyle, Character, Place, SceneBible
from storyforge.domain.script import CameraMove, Light, Shot
from tests.inference.diffusion.takes import a_take

BIBLE = SceneBible(
    characters=(Character(id="mira", name="Mira", appearance="a girl in a red cloak"),),
    places=(Place(id="wood", name="The old forest", facts=("tall pines",)),),
    style=BibleStyle(preset="noir", visual="grainy film"),
)


def test_a_prompt_says_action_people_place_camera_light_and_style() -> None:
    shot = Shot(
        prompt="Mira runs",
        camera=CameraMove.PAN_LEFT,
        light=Light.NIGHT,
        characters=("mira", "a stranger"),
        place="wood",
        seconds=2,
    )
    assert prompt_of(a_take(shot=shot, bible=BIBLE)) == (
        "Mira runs. Mira is a girl in a red cloak. The old forest, tall pines. "
        "The camera pans slowly to the left. Night, dim light. noir style, grainy film."
    )


@pytest.mark.parametrize("camera", CameraMove)
@pytest.mark.parametrize("light", Light)
def test_every_camera_and_light_has_words(camera: CameraMove, light: Light) -> None:
    shot = Shot(prompt="Rain", camera=camera, light=light, seconds=1)
    assert prompt_of(a_take(shot=shot)).startswith("Rain. ")


def test_embeddings_are_made_once_and_the_oldest_go_first() -> None:
    made: list[str] = []

    def encode(prompt: str) -> str:
        made.append(prompt)
        return prompt.upper()

    cache = PromptCache(encode, "bad", kept=2)
    assert [cache.negative(), cache.positive("a"), cache.positive("b")] == ["BAD", "A", "B"]
    cache.positive("a")
    cache.positive("c")  # b is the least recently used
    cache.positive("a")
    cache.positive("b")
    cache.negative()
    assert made == ["bad", "a", "b", "c", "b"]
    assert len(cache) == 2
