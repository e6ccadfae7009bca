"""What may be loaded: known classes and safetensors; nothing that could run foreign code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from inference.video.diffusion.families import KNOWN_CLASSES, Ability, family_of
from inference.video.diffusion.folder import read_folder
from storyforge.errors import SetupProblem, WeightsDamaged
from tests.inference.diffusion.takes import EVERY_MODEL
from tests.tiny_models.fixtures import TinyModel

ABILITIES = {
    "wan.wan21_t2v": ("Wan2.1 T2V 1.3B", {Ability.TEXT}, 16, 4),
    "wan.wan21_i2v": ("Wan2.1 I2V", {Ability.FIRST_FRAME}, 16, 4),
    "wan.wan21_flf": ("Wan2.1 FLF2V", {Ability.LAST_FRAME}, 16, 4),
    "wan.wan22_ti2v": ("Wan2.2 TI2V 5B", {Ability.TEXT, Ability.FIRST_FRAME}, 32, 4),
    "wan.wan22_a14b_t2v": ("Wan2.2 T2V A14B", {Ability.TEXT}, 16, 4),
    "wan.wan22_a14b_i2v": ("Wan2.2 I2V A14B", {Ability.FIRST_FRAME, Ability.LAST_FRAME}, 16, 4),
    "ltx.ltx_t2v": ("LTX-Video", {Ability.TEXT}, 32, 8),
    "ltx.ltx_condition": ("LTX-Video conditions", set(Ability), 32, 8),
}


@pytest.fixture
def copy(tiny_model: TinyModel, tmp_path: Path) -> Path:
    target = tmp_path / "a-model"
    shutil.copytree(tiny_model("wan.wan22_ti2v"), target)
    return target


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_the_family_follows_from_the_folder(name: str, tiny_model: TinyModel) -> None:
    family = family_of(read_folder(tiny_model(name)))
    seen = (family.name, set(family.abilities), family.multiple, family.frame_step)
    assert seen == ABILITIES[name]


def edit(file: Path, change: Callable[[dict[str, object]], None]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    "name", ["vae/a.bin", "transformer/model.pt", "x.ckpt", "text_encoder/w.PKL", "vae/modeling.py"]
)
def test_a_format_that_can_run_code_is_refused(name: str, copy: Path) -> None:
    (copy / name).write_bytes(b"\x80\x04.")
    with pytest.raises(SetupProblem, match=name.replace(".", r"\.")):
        read_folder(copy)


@pytest.mark.parametrize("place", ["transformer/config.json", "tokenizer/tokenizer_config.json"])
def test_a_model_that_asks_for_its_own_code_is_refused(place: str, copy: Path) -> None:
    edit(copy / place, lambda content: content.update(auto_map={"AutoModel": "evil.Model"}))
    with pytest.raises(SetupProblem, match="auto_map"):
        read_folder(copy)


def test_a_component_of_a_foreign_library_is_refused(copy: Path) -> None:
    edit(copy / "model_index.json", lambda index: index.update(vae=["os", "system"]))
    with pytest.raises(SetupProblem, match="'os'"):
        read_folder(copy)


def test_a_component_outside_the_folder_is_refused(copy: Path) -> None:
    new = {"../other": ["diffusers", "AutoencoderKLWan"]}
    edit(copy / "model_index.json", lambda index: index.update(new))
    with pytest.raises(SetupProblem, match="outside"):
        read_folder(copy)


def test_a_shard_outside_the_folder_is_refused(copy: Path) -> None:
    shards = {"weight_map": {"a": "../../secret.safetensors"}}
    index = copy / "transformer" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps(shards))
    with pytest.raises(SetupProblem, match="shard"):
        read_folder(copy)


def test_an_unknown_pipeline_is_refused_and_the_known_ones_are_named(copy: Path) -> None:
    edit(copy / "model_index.json", lambda index: index.update(_class_name="WanDMDPipeline"))
    with pytest.raises(SetupProblem, match="WanDMDPipeline") as raised:
        family_of(read_folder(copy))
    assert all(name in raised.value.detail for name in KNOWN_CLASSES)


def test_a_cut_off_weight_file_is_noticed(copy: Path) -> None:
    weights = copy / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(WeightsDamaged):
        read_folder(copy)


@pytest.mark.parametrize("name", ["nothing-here", "empty"])
def test_what_is_no_model_is_refused_without_the_path(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SetupProblem) as raised:
        read_folder(tmp_path / name)
    assert str(tmp_path) not in raised.value.detail


def test_other_weights_give_another_fingerprint(copy: Path) -> None:
    before = read_folder(copy).fingerprint
    weights = copy / "vae" / "diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert read_folder(copy).fingerprint != before
