"""A hub with small models in the shape of real ones, and stores that pull from it."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import huggingface_hub
import pytest
from huggingface_hub import constants

from models_cache.store import ModelStore
from tests.models_cache.hub_server import HubServer, Repo

NewStore: TypeAlias = Callable[..., ModelStore]

VIDEO = """
[[video]]
name = "{name}"
repo = "{repo}"
revision = "{revision}"
revision_source = "the test's own hub"
summary = "A test's model."
licence = "Apache-2.0"
licence_limits = ""
download_bytes = 1
download_source = "the test"
pipeline = "WanPipeline"
abilities = ["t2v"]
fps = 16
sizes = [[64, 64]]
size_multiple = 16
frames = {{ step = 4, offset = 1, usual = 81 }}
steps = 2
guidance = 1.0
"""
WRITER = """
[[writer]]
name = "{name}"
repo = "{repo}"
revision = "{revision}"
revision_source = "the test's own hub"
summary = "A test's writer."
licence = "Apache-2.0"
licence_limits = ""
download_bytes = 1
download_source = "the test"
engine = "vllm"
context_tokens = 4096
"""


def weights(seed: int, size_bytes: int = 40_000) -> bytes:
    """A safetensors file of one tensor of noise."""
    header = {"w": {"dtype": "U8", "shape": [size_bytes], "data_offsets": [0, size_bytes]}}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + random.Random(seed).randbytes(size_bytes)


def video_files(seed: int = 0, size_bytes: int = 40_000, **more: bytes) -> dict[str, bytes]:
    """The files of a small Wan in the diffusers layout; `more` by path with `__` for a slash."""
    index: Mapping[str, Any] = {
        "_class_name": "WanPipeline",
        "boundary_ratio": None,
        "image_encoder": [None, None],
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "tokenizer": ["transformers", "T5TokenizerFast"],
    }
    shards = {"weight_map": {"w": "model-00001-of-00001.safetensors"}}
    return {
        "model_index.json": json.dumps(index).encode(),
        "LICENSE.txt": b"Do what you like.",
        "README.md": b"# Not needed",
        "assets/logo.png": b"png",
        "transformer/config.json": b'{"num_layers": 1}',
        "transformer/diffusion_pytorch_model.safetensors": weights(seed, size_bytes),
        "text_encoder/config.json": b'{"architectures": ["UMT5EncoderModel"]}',
        "text_encoder/model-00001-of-00001.safetensors": weights(99),
        "text_encoder/model.safetensors.index.json": json.dumps(shards).encode(),
        "tokenizer/tokenizer.json": b'{"model": {"vocab": {"auto_map": 7}}}',
        "tokenizer/spiece.model": b"pieces",
        **{path.replace("__", "/"): data for path, data in more.items()},
    }


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Small chunks, and no token of whoever runs the tests; the client is closed at the end."""
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 4096)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    yield
    huggingface_hub.close_session()


@pytest.fixture
def hub() -> Iterator[HubServer]:
    server = HubServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def new_store(tmp_path: Path, hub: HubServer) -> NewStore:
    """A store whose own catalogue has the given models; `a` and `b` are videos by default."""

    def new(
        root: Path = tmp_path / "models", *, names: tuple[str, ...] = ("a", "b"), **options: Any
    ) -> ModelStore:
        store = ModelStore(root, hub_url=hub.url, reserve_bytes=0, **options)
        store.layout.own_catalogue.mkdir(parents=True, exist_ok=True)
        text = "".join(
            VIDEO.format(name=name, repo=f"test/{name}", revision="main") for name in names
        )
        (store.layout.own_catalogue / "own.toml").write_text(text)
        return store

    return new


@pytest.fixture
def store(new_store: NewStore, hub: HubServer) -> ModelStore:
    """A store, and a hub that has the repository of its model `a`."""
    hub.repos["test/a"] = Repo(video_files())
    return new_store()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a tiny disk needs root")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)
