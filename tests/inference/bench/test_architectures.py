"""Models whose weights are drawn have the published sizes, and work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.bench.architectures import known_architectures, tiny_clip, write_architecture
from inference.video.diffusion.families import family_of
from inference.video.diffusion.folder import read_folder
from inference.video.diffusion.model import DiffusionVideoModel
from inference.video.diffusion.options import ModelOptions
from models_cache.catalogue.read import read_catalogue
from models_cache.catalogue.records import VideoEntry
from storyforge.errors import SetupProblem
from tests.inference.diffusion.takes import a_take, filmed

# Parameters in billions: as their authors publish them (transformers), and as diffusers' own
# FLOP and size tables were measured for the decoders.
PUBLISHED = {
    ("wan2.1-t2v-1.3b", "transformer"): 1.419,
    ("wan2.1-t2v-14b", "transformer"): 14.29,
    ("wan2.2-ti2v-5b", "transformer"): 5.000,
    ("ltx-video-2b", "transformer"): 1.923,
    ("wan2.1-t2v-1.3b", "vae"): 0.1269,
    ("wan2.2-ti2v-5b", "vae"): 0.7047,
}


def drawn(name: str, into: Path, **options: Any) -> DiffusionVideoModel:
    folder = write_architecture(name, into)
    return DiffusionVideoModel(folder, ModelOptions(random_weights=True, steps=2, **options))


@pytest.mark.parametrize(("name", "component"), PUBLISHED)
def test_a_full_size_model_has_the_published_number_of_parameters(
    name: str, component: str, engines: None, tmp_path: Path
) -> None:
    import diffusers  # noqa: PLC0415 - only where it is installed
    import torch  # noqa: PLC0415 - likewise

    folder = read_folder(write_architecture(name, tmp_path), weights=False)
    config = folder.config(component)
    with torch.device("meta"):
        module = getattr(diffusers, str(config["_class_name"])).from_config(dict(config))
    billions = sum(one.numel() for one in module.parameters()) / 1e9
    assert billions == pytest.approx(PUBLISHED[name, component], rel=0.002)


@pytest.mark.parametrize("name", known_architectures())
def test_every_architecture_is_of_a_family_that_films_its_usual_clip(
    name: str, tmp_path: Path
) -> None:
    family = family_of(read_folder(write_architecture(name, tmp_path), weights=False))
    entry = read_catalogue().entries.get(name)
    if isinstance(entry, VideoEntry):
        (width, height), frames = entry.sizes[0], entry.frames.usual
    else:
        clip = tiny_clip(name)
        assert clip is not None
        width, height, frames = clip.width, clip.height, clip.frames
    assert width % family.multiple == height % family.multiple == 0
    assert (frames - 1) % family.frame_step == 0
    assert frames <= family.frames_max
    assert width * height <= family.pixels_max


def test_an_unknown_architecture_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SetupProblem, match=r"wan9.*pull it.*wan2\.1-t2v-1\.3b"):
        write_architecture("wan9", tmp_path)


@pytest.mark.parametrize("name", ["tiny-wan", "tiny-ltx"])
def test_a_drawn_model_films_and_is_the_same_each_time(
    name: str, engines: None, tmp_path: Path
) -> None:
    first, second = (
        filmed(drawn(name, tmp_path / one), a_take(), tmp_path / f"{one}.clip") for one in "ab"
    )
    assert first.shape == (9, 64, 64, 3)
    assert first.std() > 0
    assert np.array_equal(first, second)


def test_in_bf16_the_weights_that_the_class_keeps_exact_stay_exact(
    engines: None, tmp_path: Path
) -> None:
    import torch  # noqa: PLC0415 - only where it is installed

    pipeline = drawn("tiny-wan", tmp_path, precision="bf16").studio().loaded().pipeline
    kinds = {
        name: weight.dtype
        for name, weight in pipeline.transformer.named_parameters()
        if name in {"scale_shift_table", "blocks.0.attn1.to_q.weight"}
    }
    assert kinds == {
        "scale_shift_table": torch.float32,
        "blocks.0.attn1.to_q.weight": torch.bfloat16,
    }
    assert pipeline.vae.dtype == torch.bfloat16


def test_words_that_encoder_and_embedding_share_are_drawn_once(
    engines: None, tmp_path: Path
) -> None:
    encoder = drawn("tiny-wan", tmp_path).studio().loaded().pipeline.text_encoder
    assert encoder.shared.weight is encoder.encoder.embed_tokens.weight


def test_a_folder_without_weights_is_still_refused_for_filming(tmp_path: Path) -> None:
    with pytest.raises(SetupProblem, match="holds no"):
        DiffusionVideoModel(write_architecture("tiny-wan", tmp_path))
