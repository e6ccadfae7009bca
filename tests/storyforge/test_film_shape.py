"""The shape of a film and its key."""

from __future__ import annotations

import pytest

from storyforge.domain.film_shape import FilmShape, film_shape


def test_a_key_says_the_shape_and_is_read_back() -> None:
    shape = film_shape(["model", "exact", 50], 1280, 720, 24, [97, 49])
    assert shape.key.endswith(":1280x720@24:49+97")
    assert FilmShape.parse(shape.key) == shape


def test_shots_in_another_order_are_the_same_shape_and_another_model_is_not() -> None:
    first = film_shape("m", 64, 64, 4, [8, 9])
    assert first.key == film_shape("m", 64, 64, 4, [9, 8]).key
    assert first.key != film_shape("n", 64, 64, 4, [8, 9]).key


@pytest.mark.parametrize("text", ["", "a:b", "x:1x2@3:", "x:1@3:4", "x:ax2@3:4", "a:1x2@3:4:5"])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whatever int and unpacking say
        FilmShape.parse(text)
