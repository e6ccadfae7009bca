"""Pictures that a take starts from or ends with: used, ignored, or drawn, and always written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storyforge.domain.script import Shot
from storyforge.errors import RenderFailed
from tests.inference.diffusion.conftest import Opener
from tests.inference.diffusion.takes import QUIET, a_take, filmed


@pytest.fixture
def two_pictures(tmp_path: Path) -> tuple[str, str]:
    for name, colour in (("red", (200, 30, 30)), ("blue", (20, 40, 220))):
        Image.new("RGB", (96, 64), colour).save(tmp_path / f"{name}.png")
    return str(tmp_path / "red.png"), str(tmp_path / "blue.png")


@pytest.mark.parametrize(
    "name", ["wan.wan21_i2v", "wan.wan22_ti2v", "wan.wan22_a14b_i2v", "ltx.ltx_condition"]
)
def test_a_first_frame_is_really_used(
    name: str, opened: Opener, tmp_path: Path, two_pictures: tuple[str, str]
) -> None:
    from inference.video.diffusion.saved_clip import read_recipe  # noqa: PLC0415 - needs torch

    model = opened(name)
    films = [filmed(model, a_take(first_frame=first), tmp_path / "clip") for first in two_pictures]
    assert not np.array_equal(films[0], films[1])
    assert read_recipe(tmp_path / "clip").first_frame == "used"
    assert not model.can_fuse([a_take(first_frame=first) for first in two_pictures])


@pytest.mark.parametrize("name", ["wan.wan21_flf", "wan.wan22_a14b_i2v", "ltx.ltx_condition"])
def test_a_last_frame_is_really_used(
    name: str, opened: Opener, tmp_path: Path, two_pictures: tuple[str, str]
) -> None:
    from inference.video.diffusion.saved_clip import read_recipe  # noqa: PLC0415 - needs torch

    red, blue = two_pictures
    model = opened(name)
    films = [
        filmed(model, a_take(first_frame=red, last_frame=last), tmp_path / "clip")
        for last in (red, blue)
    ]
    assert not np.array_equal(films[0], films[1])
    assert read_recipe(tmp_path / "clip").last_frame == "used"


def test_the_start_of_a_take_is_the_given_frame_where_the_model_keeps_it(
    opened: Opener, tmp_path: Path, two_pictures: tuple[str, str]
) -> None:
    """TI2V puts the picture's own latents in the first place; the noise must not touch them."""
    from inference.video.diffusion.saved_clip import load_clip  # noqa: PLC0415 - needs torch

    model = opened("wan.wan22_ti2v")
    firsts = []
    for seed in (1, 2):
        model.render(a_take(seed=seed, first_frame=two_pictures[0]), tmp_path / "clip", QUIET)
        firsts.append(load_clip(tmp_path / "clip").latents)
    assert bool((firsts[0][:, :, 0] == firsts[1][:, :, 0]).all())
    assert not bool((firsts[0][:, :, 1] == firsts[1][:, :, 1]).all())


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        (
            "wan.wan21_t2v",
            "ignored: text-to-video model",
            "ignored: the model cannot end on a given frame",
        ),
        ("wan.wan22_ti2v", "used", "ignored: the model cannot end on a given frame"),
    ],
)
def test_a_picture_that_the_model_cannot_use_is_ignored_and_that_is_written_down(
    name: str, first: str, last: str, opened: Opener, result: Path, two_pictures: tuple[str, str]
) -> None:
    from inference.video.diffusion.saved_clip import read_recipe  # noqa: PLC0415 - needs torch

    red, blue = two_pictures
    opened(name).render(a_take(first_frame=red, last_frame=blue), result, QUIET)
    recipe = read_recipe(result)
    assert (recipe.first_frame, recipe.last_frame) == (first, last)


def test_a_model_that_needs_a_picture_starts_from_the_storyboard_and_says_so(
    opened: Opener, tmp_path: Path
) -> None:
    from inference.video.diffusion.saved_clip import read_recipe  # noqa: PLC0415 - needs torch

    model = opened("wan.wan22_a14b_i2v")
    sea = Shot(prompt="A storm over the sea", seconds=1)
    by_day = filmed(model, a_take(), tmp_path / "a")
    at_sea = filmed(model, a_take(shot=sea), tmp_path / "b")
    assert read_recipe(tmp_path / "a").first_frame.startswith("drawn: ")
    assert not np.array_equal(by_day, at_sea)


def test_an_unreadable_picture_is_refused_without_its_path(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    request = a_take(first_frame=str(tmp_path / "bad.png"))
    with pytest.raises(RenderFailed) as raised:
        opened("wan.wan22_ti2v").render(request, tmp_path / "clip", QUIET)
    assert str(tmp_path) not in raised.value.detail
