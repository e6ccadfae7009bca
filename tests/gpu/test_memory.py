"""A card whose memory is really taken: the plan gets smaller, the film stays, the memory comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from inference.bench.architectures import write_architecture
from inference.video.diffusion.model import DiffusionVideoModel
from inference.video.diffusion.options import ModelOptions
from inference.video.memory_ladder import Saving
from inference.video.model import Frames, ShotRequest
from pipelines.bench.drawn_clip import bench_request
from pipelines.bench.subject import Size
from tests.gpu.card import GIB, Card, all_but, find_card

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(1800)]
MODEL, SIZE = "wan2.1-t2v-1.3b", Size(832, 480, 33)
NEEDED_GIB = 24  # all of it resident, with room
# Its text encoder takes 10.6 GiB, the rest 3; a clip of this size works in about 4.
TOO_LITTLE_GIB = 11


@pytest.fixture
def card() -> Card:
    found = find_card()
    if found.free_bytes < NEEDED_GIB * GIB:
        pytest.skip(f"needs {NEEDED_GIB} GiB of free card memory")
    return found


@pytest.fixture
def video(card: Card, tmp_path: Path) -> Iterator[DiffusionVideoModel]:
    """The 1.3B with random weights, two steps, not compiled."""
    options = ModelOptions(device="cuda", steps=2, compile=False, random_weights=True)
    model = DiffusionVideoModel(write_architecture(MODEL, tmp_path), options)
    yield model
    model.close()


def filmed(video: DiffusionVideoModel, request: ShotRequest, result: Path) -> Frames:
    video.render(request, result, lambda _done, _total: None)
    return np.concatenate(list(video.frames(request, result)))


def test_a_full_card_makes_the_plan_smaller_and_the_film_is_there_all_the_same(
    card: Card, video: DiffusionVideoModel, tmp_path: Path
) -> None:
    request = bench_request(SIZE, 16)
    with all_but(card, TOO_LITTLE_GIB * GIB):
        frames = filmed(video, request, tmp_path / "short.clip")
        plan = video.studio().plan
        Console().print(f"{TOO_LITTLE_GIB} GiB: {', '.join(plan.savings)}")
    assert frames.shape == (SIZE.frames, SIZE.height, SIZE.width, 3)
    assert plan.has(Saving.TEXT_ON_CPU)
    video.close()
    assert card.is_back()


def test_after_a_job_and_a_close_nothing_stays_on_the_card(
    card: Card, video: DiffusionVideoModel, tmp_path: Path
) -> None:
    filmed(video, bench_request(SIZE, 16), tmp_path / "shot.clip")
    assert card.free_bytes < card.reader.read(card.index).total_bytes - 10 * GIB
    video.close()
    assert card.is_back()


def test_the_same_seed_gives_the_same_film_on_the_card(
    card: Card, video: DiffusionVideoModel, tmp_path: Path
) -> None:
    request = bench_request(SIZE, 16, seed=5)
    first, second = (filmed(video, request, tmp_path / name) for name in ("a", "b"))
    assert np.array_equal(first, second)
