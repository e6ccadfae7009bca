"""The catalogue is whole, agrees with the adapters, and recommends a pair for every card."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from inference.video.diffusion.families import KNOWN_CLASSES, Family, family_of
from inference.video.diffusion.folder import ModelFolder
from models_cache.catalogue.read import Catalogue, read_catalogue
from models_cache.catalogue.records import Ability, FrameRule, VideoEntry, WriterEntry
from storyforge.errors import InvalidInput, NotFound, SetupProblem
from tests.models_cache.conftest import VIDEO

CATALOGUE = read_catalogue()
VIDEOS = {n: e for n, e in CATALOGUE.entries.items() if isinstance(e, VideoEntry)}
GB = 10**9
EXPERTS = {"boundary_ratio": 0.9}
RESIDUAL = {"expand_timesteps": True}
# What the models' own files say: (model index, heads, VAE scale, patch, temporal scale).
LAYOUTS: dict[str, tuple[dict[str, Any], int, int, int]] = {
    "wan2.1-t2v-1.3b": ({}, 12, 8, 4),
    "wan2.1-t2v-14b": ({}, 40, 8, 4),
    "wan2.1-i2v-14b-480p": ({}, 40, 8, 4),
    "wan2.1-i2v-14b-720p": ({}, 40, 8, 4),
    "wan2.2-ti2v-5b": (RESIDUAL, 24, 16, 4),
    "wan2.2-ti2v-5b-turbo": (RESIDUAL, 24, 16, 4),
    "wan2.2-t2v-a14b": (EXPERTS, 40, 8, 4),
    "wan2.2-i2v-a14b": (EXPERTS, 40, 8, 4),
    "ltx-video-2b": ({}, 32, 32, 8),
    "ltx-video-13b-distilled": ({}, 32, 32, 8),
}


def family(name: str) -> Family:
    index, heads, spatial, temporal = LAYOUTS[name]
    vae = {"scale_factor_spatial": spatial, "scale_factor_temporal": temporal}
    configs: dict[str, dict[str, Any]] = {
        "transformer": {"num_attention_heads": heads, "patch_size": (1, 2, 2)},
        "vae": vae,
    }
    folder = ModelFolder(
        path=Path(name),
        pipeline_class=VIDEOS[name].pipeline,
        index=index,
        configs=MappingProxyType(configs),
        fingerprint="",
    )
    return family_of(folder)


def test_every_video_model_is_of_a_class_whose_adapter_is_there() -> None:
    assert {entry.pipeline for entry in VIDEOS.values()} == KNOWN_CLASSES
    assert set(VIDEOS) == set(LAYOUTS)


@pytest.mark.parametrize("name", sorted(VIDEOS))
def test_the_catalogue_and_the_adapter_agree(name: str) -> None:
    entry, adapter = VIDEOS[name], family(name)
    assert {ability.value for ability in entry.abilities} <= set(adapter.abilities)
    assert adapter.fps_min <= entry.fps <= adapter.fps_max
    assert (entry.size_multiple, entry.frames.step) == (adapter.multiple, adapter.frame_step)
    assert entry.frames.usual == adapter.frames_max
    assert max(width * height for width, height in entry.sizes) <= adapter.pixels_max
    if not entry.distilled:
        assert entry.guidance == adapter.guidance
        assert entry.guidance_2 == adapter.guidance_2


@pytest.mark.parametrize("name", sorted(CATALOGUE.entries))
def test_every_entry_is_pinned_or_says_that_it_is_not(name: str) -> None:
    entry = CATALOGUE.entries[name]
    assert entry.is_pinned or "records the one that it gets" in entry.revision_source


def test_there_is_a_few_step_model_and_writers_of_several_sizes() -> None:
    assert [e for e in VIDEOS.values() if e.distilled and e.pipeline == "WanPipeline"]
    writers = [e for e in CATALOGUE.entries.values() if isinstance(e, WriterEntry)]
    assert len({entry.memory[0].peak_bytes for entry in writers}) >= 4


@pytest.mark.parametrize(
    ("total_bytes", "video", "writer"),
    [
        (8188 << 20, "wan2.1-t2v-1.3b", "qwen3-4b-fp8"),
        (12288 << 20, "wan2.2-ti2v-5b", "qwen3-4b-fp8"),
        (15360 << 20, "wan2.2-ti2v-5b", "qwen3.5-4b"),  # a 16 GB card with ECC
        (23034 << 20, "wan2.2-ti2v-5b", "ministral-3-14b"),  # a 24 GB card with ECC
        (46068 << 20, "wan2.2-ti2v-5b", "ministral-3-14b"),
        (81559 << 20, "wan2.2-i2v-a14b", "qwen3.8-27b-fp8"),
        (143771 << 20, "wan2.2-i2v-a14b", "qwen3.8-27b-fp8"),
        (10**12, "wan2.2-i2v-a14b", "qwen3.8-27b-fp8"),
    ],
)
def test_every_card_gets_its_pair(total_bytes: int, video: str, writer: str) -> None:
    pair = CATALOGUE.recommend(total_bytes)
    assert pair is not None
    assert (pair.video, pair.writer) == (video, writer)


def test_small_cards_and_none_get_no_pair() -> None:
    assert CATALOGUE.recommend(0) is None
    assert CATALOGUE.recommend(6 * GB) is None


@pytest.mark.parametrize("pair", CATALOGUE.pairs, ids=lambda pair: f"{pair.card_gb} GB")
def test_the_defaults_are_free_to_use_everywhere(pair: Any) -> None:
    for name in (pair.video, pair.opening, pair.writer):
        if name:
            entry = CATALOGUE.find(name)
            assert entry.licence == "Apache-2.0"
            assert not entry.gated


def test_a_pair_whose_models_are_together_fits_its_card_as_far_as_known() -> None:
    for pair in CATALOGUE.pairs:
        writer = CATALOGUE.find(pair.writer)
        assert min(peak.peak_bytes for peak in writer.memory) < pair.card_gb * GB


def test_frame_rules() -> None:
    rule = FrameRule(step=4, offset=1, usual=81)
    assert [n for n in range(12) if rule.is_legal(n)] == [1, 5, 9]
    with pytest.raises(ValueError, match="4k"):
        FrameRule(step=4, offset=1, usual=80)


def test_models_are_found_by_name_and_by_repository() -> None:
    by_repo = CATALOGUE.find("Wan-AI/Wan2.2-TI2V-5B-Diffusers")
    assert by_repo is CATALOGUE.find("wan2.2-ti2v-5b")
    with pytest.raises(NotFound):
        CATALOGUE.find("wan3")
    with pytest.raises(InvalidInput):
        CATALOGUE.find("../wan")


def test_abilities_are_the_known_ones() -> None:
    assert [a.value for a in Ability] == [
        "t2v",
        "i2v",
        "first_last",
        "continuation",
        "reference",
        "audio",
    ]


def own(folder: Path, text: str) -> Catalogue:
    (folder / "own.toml").write_text(text)
    return read_catalogue(folder)


def test_an_operator_adds_a_model_by_a_toml_entry(tmp_path: Path) -> None:
    text = VIDEO.format(name="mine", repo="me/mine", revision="a" * 40)
    assert own(tmp_path, text).find("me/mine").is_pinned


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "mine"', 'name = "../mine"', "no model name"),
        ('repo = "me/mine"', 'repo = "me/mine/x"', "no model name"),
        ('revision = "main"', 'revision = "v1.0"', "40 hex"),
        ('pipeline = "WanPipeline"', 'pipeline = "EvilPipeline"', "pipeline"),
        ("sizes = [[64, 64]]", "sizes = [[65, 64]]", "multiple"),
        ("usual = 81", "usual = 82", "4k"),
        ("steps = 2", "steps = 2\ncustom_pipeline = 'x'", "custom_pipeline"),
        ('name = "mine"', 'name = "WAN2.2-ti2v-5b"', "case"),
        ("[[video]]", "[[vid]]", "vid"),
        ("[[video]]", "[[video", "own.toml"),
    ],
)
def test_a_wrong_entry_names_the_file_and_the_key(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = VIDEO.format(name="mine", repo="me/mine", revision="main")
    assert old in text
    with pytest.raises(SetupProblem, match=said):
        own(tmp_path, text.replace(old, new))
