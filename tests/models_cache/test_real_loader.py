"""A real pipeline comes from the hub, is opened offline and loaded by the real loader."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_cache.store import ModelStore
from storyforge.errors import WeightsDamaged
from tests.models_cache.hub_server import HubServer, Repo
from tests.tiny_models.fixtures import TinyModel


def test_a_pulled_model_loads_offline_and_a_flipped_byte_does_not(
    store: ModelStore, hub: HubServer, tiny_model: TinyModel
) -> None:
    source = tiny_model("wan.wan21_t2v")
    hub.repos["test/a"] = Repo(
        {
            path.relative_to(source).as_posix(): path.read_bytes()
            for path in source.rglob("*")
            if path.is_file()
        }
    )
    store.pull("a")
    hub.stop()
    folder = store.open("a")
    assert load(folder) == "WanPipeline"
    weights = next(folder.rglob("transformer/*.safetensors"))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(WeightsDamaged, match="transformer/"):
        store.open("a")


def load(path: Path) -> str:
    from inference.video.diffusion.families import family_of  # noqa: PLC0415 - torch only here
    from inference.video.diffusion.folder import read_folder  # noqa: PLC0415 - as above
    from inference.video.diffusion.loader import load_model  # noqa: PLC0415 - as above
    from inference.video.diffusion.options import ModelOptions  # noqa: PLC0415 - as above
    from inference.video.memory_ladder import MemoryPlan  # noqa: PLC0415 - as above

    folder = read_folder(path)
    loaded = load_model(folder, family_of(folder), ModelOptions(), MemoryPlan())
    return type(loaded.pipeline).__name__
