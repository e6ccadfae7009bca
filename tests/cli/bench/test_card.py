"""The result card: one picture that holds what was measured, whatever was and was not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from storyforge.cli.bench.card import HEIGHT, WIDTH, draw_card
from storyforge.domain.profile import DeviceProfile
from storyforge.profile_files import read_profile
from tests.cli.bench.conftest import Benched

MARGIN_PX = 40


@pytest.fixture(scope="module")
def profile(benched: Benched) -> DeviceProfile:
    return read_profile(benched.out / "profile.json")


def pixels(profile: DeviceProfile) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(draw_card(profile))


def of_a_bar(area: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> int:
    """How many pixels have the colour of the decode."""
    return int((area == (226, 112, 92)).all(axis=-1).sum())


def test_the_command_leaves_a_card_beside_the_profile(benched: Benched) -> None:
    with Image.open(benched.out / "card.png") as card:
        assert card.size == (WIDTH, HEIGHT)


def test_the_longest_name_of_a_card_stays_inside(profile: DeviceProfile) -> None:
    long = profile.model_copy(
        update={"device": "NVIDIA RTX PRO 6000 Blackwell Workstation Edition"}
    )
    assert (pixels(long)[120:260, :MARGIN_PX] == pixels(long)[0, 0]).all()
    assert not (pixels(long) == pixels(profile)).all()


def test_each_model_has_a_row_of_its_own(profile: DeviceProfile) -> None:
    whole, single = (
        pixels(profile),
        pixels(profile.model_copy(update={"models": profile.models[:1]})),
    )
    first, second = slice(540, 576), slice(628, 664)
    assert of_a_bar(whole[first]) > 5_000
    assert of_a_bar(whole[second]) > 1_000 > of_a_bar(single[second])


def test_a_profile_without_models_is_a_card_too(profile: DeviceProfile) -> None:
    bare = profile.model_copy(update={"models": (), "encoder": None, "notes": ()})
    assert pixels(bare).shape == (HEIGHT, WIDTH, 3)
    assert pixels(bare).std() > 5
