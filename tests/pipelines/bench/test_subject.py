"""What is to be measured: chosen by name, at sizes that the model really films."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_cache.catalogue.read import read_catalogue
from pipelines.bench.subject import Size, Subject, choose_subject
from storyforge.errors import InvalidInput, NotFound, SetupProblem
from tests.tiny_models.fixtures import TinyModel


def not_pulled(name: str) -> Path:
    raise NotFound(f"{name} is not here.")


def chosen(spec: str, into: Path, *sizes: str, **more: object) -> Subject:
    wanted = [Size.parse(one) for one in sizes]
    return choose_subject(spec, read_catalogue(), not_pulled, into, sizes=wanted, **more)  # type: ignore[arg-type]


def test_a_model_that_is_not_pulled_is_drawn_with_the_catalogue_s_settings(tmp_path: Path) -> None:
    subject = chosen("wan2.2-ti2v-5b", tmp_path)
    assert subject.random_weights
    assert subject.sizes == (Size(1280, 704, 121),)
    assert (subject.fps, subject.steps, subject.guidance, subject.shift) == (24, 50, 5.0, 5.0)


def test_a_pulled_model_is_measured_with_its_own_weights(
    tiny_model: TinyModel, tmp_path: Path
) -> None:
    def pulled(_name: str) -> Path:
        return tiny_model("wan.wan21_t2v")

    subject = choose_subject("wan2.1-t2v-1.3b", read_catalogue(), pulled, tmp_path)
    assert (subject.random_weights, subject.folder) == (False, tiny_model("wan.wan21_t2v"))
    again = choose_subject(
        "wan2.1-t2v-1.3b", read_catalogue(), pulled, tmp_path, random_weights=True
    )
    assert again.random_weights
    assert again.name == subject.name


def test_a_folder_needs_a_size_and_keeps_its_family_s_settings(
    tiny_model: TinyModel, tmp_path: Path
) -> None:
    folder = str(tiny_model("ltx.ltx_t2v"))
    with pytest.raises(InvalidInput, match="--size 832x480x81"):
        chosen(folder, tmp_path)
    subject = chosen(folder, tmp_path, "64x64x9", steps=3)
    assert (subject.name, subject.sizes, subject.steps) == (
        "ltx-ltx-t2v",
        (Size(64, 64, 9),),
        3,
    )


@pytest.mark.parametrize(
    ("spec", "size", "said"),
    [
        ("wan9", None, "neither a folder, nor a model of the catalogue.*tiny-wan"),
        ("qwen3-4b", None, "writes and does not film"),
        ("tiny-wan", "130x96x17", "multiples of 32 pixels.*128x96x17 would do"),
        ("tiny-wan", "128x96x18", "4k.1 frames.*128x96x17 would do"),
        ("wan2.1-t2v-1.3b", "1280x720x81", "at most 399360 pixels"),
        ("wan2.1-t2v-1.3b", "832x480x85", "81 frames"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_what_can(
    spec: str, size: str | None, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match=said):
        chosen(spec, tmp_path, *([size] if size else []))


@pytest.mark.parametrize("text", ["832x480", "axbxc", "0x480x81", "", "832x480x81x2"])
def test_a_size_is_three_numbers(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no size"):
        Size.parse(text)


def test_a_model_that_is_neither_pulled_nor_known_to_be_drawn_says_so(tmp_path: Path) -> None:
    with pytest.raises(SetupProblem, match="cannot be drawn; pull it"):
        chosen("wan2.2-i2v-a14b", tmp_path)
